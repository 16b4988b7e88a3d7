using Kv.Operator.Api.Clusters;
using Kv.Operator.NodeAdmin;

namespace Kv.Operator.Clusters;

/// <summary>One pass: observe, plan, apply, and the status that follows. The same for Kubernetes and for local mode; it writes no status itself.</summary>
internal sealed class ClusterReconciler(ClusterObserver observer, ClusterApplier applier, TimeProvider time, PassIntervals intervals)
{
    public async Task<ClusterPass> RunAsync(Cluster cluster, CancellationToken cancel)
    {
        ObservedCluster? observed = null;
        ClusterAction? action = null;
        string? error = null;
        TimeSpan? longest = null;
        try
        {
            observed = await observer.ObserveAsync(cluster, cancel);
            action = ClusterPlanner.Next(cluster, observed, time.GetUtcNow());
            action = await applier.ApplyAsync(cluster, observed, action, cancel) is { } why ? new ClusterAction.Postponed(action, why) : action;
        }
        catch (Exception e) when (e is NodeUnreachableException or NodeRefusedException or WorldException)
        {
            error = e.Message;
            longest = e is WorldException ? null : intervals.Idle;
        }

        var status = ClusterStatusBuilder.Build(cluster, observed, action, error, time.GetUtcNow());
        return new ClusterPass(status, observed, action, error, Wait(action)) { LongestBackoff = longest };
    }

    private TimeSpan Wait(ClusterAction? action) => action switch
    {
        null or ClusterAction.WaitForPods or ClusterAction.WaitForTransfers or ClusterAction.WaitForExit or ClusterAction.WaitForGate or ClusterAction.WaitForRing => intervals.Waiting,
        ClusterAction.Postponed { Why.IsPassing: var isPassing } => isPassing ? intervals.Waiting : intervals.Idle,
        { IsProgress: true } => intervals.Acting,
        _ => intervals.Idle,
    };
}
