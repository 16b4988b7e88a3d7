using System.Collections.Immutable;
using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Gates;

namespace Kv.Operator.Clusters;

/// <summary>
/// Decides the one next step from what is wished for and what was seen. Pure: the only place that decides, and the same for Kubernetes and for
/// local mode. The order is the order of safety: repair what exists, then grow, then change the ring, and never change it on a guess.
/// </summary>
internal static class ClusterPlanner
{
    /// <summary>How long nodes that are not there yet hold up the joins of those that are.</summary>
    public static readonly TimeSpan JoinPatience = TimeSpan.FromMinutes(2);

    public static ClusterAction Next(Cluster cluster, ObservedCluster observed, DateTimeOffset now)
    {
        if (cluster.Spec.Paused)
        {
            return new ClusterAction.Paused();
        }

        if (ClusterRules.Check(cluster) is { Count: > 0 } problems)
        {
            return new ClusterAction.Refuse(Conditions.Reasons.InvalidSpec, string.Join("; ", problems));
        }

        var blocks = ClusterBlocks.Find(cluster, observed);
        return NextOfWorld(cluster, observed, blocks)
            ?? (blocks.FirstOrDefault(block => block.Stops) is { } stop ? new ClusterAction.Refuse(stop.Reason, stop.Message) : null)
            ?? NextOfBroken(cluster, observed)
            ?? NextOfRing(cluster, observed, now)
            ?? (blocks.FirstOrDefault() is { } block ? new ClusterAction.Refuse(block.Reason, block.Message) : new ClusterAction.Steady());
    }

    /// <summary>Objects and replicas; null when they are as they should be.</summary>
    private static ClusterAction? NextOfWorld(Cluster cluster, ObservedCluster observed, ImmutableArray<ClusterBlock> blocks)
    {
        if (observed.Children.Where(child => child.State is ChildState.Missing or ChildState.Drifted).ToImmutableArray() is { Length: > 0 } stale)
        {
            return new ClusterAction.ApplyChildren(stale);
        }

        if (blocks.Any(block => block.Stops))
        {
            return null;
        }

        // While partitions move, more nodes would only wait: the ring takes one plan at a time.
        var shares = ZoneShares.Of(cluster.Spec, observed.Workloads);
        var grows = observed.Workloads.Any(workload => shares[workload.Zone] > workload.Replicas);
        var isQuiet = observed.Ring?.PendingTransfers is null or 0;
        return grows && isQuiet ? new ClusterAction.GrowStatefulSets(shares) : null;
    }

    /// <summary>
    /// A node that does not run as it is and should be another: to start it again takes nothing from anybody, and nothing else may be able to mend it. So it waits
    /// neither for the ring nor for the gate.
    /// </summary>
    private static ClusterAction.RestartNode? NextOfBroken(Cluster cluster, ObservedCluster observed) =>
        !cluster.Spec.Rollout.Paused && observed.Nodes.FirstOrDefault(node => node.IsOutdated && !node.Running) is { } broken
            ? new ClusterAction.RestartNode(broken, IsBroken: true, observed.Nodes.Count(node => node.IsOutdated) - 1, Warning: null)
            : null;

    /// <summary>One node at a time, and only through the gate; those that are no members yet have nothing to lose.</summary>
    private static ClusterAction? NextOfRestarts(Cluster cluster, ObservedCluster observed, ObservedRing ring)
    {
        var outdated = cluster.Spec.Rollout.Paused ? [] : observed.Nodes.Where(node => node.IsOutdated).ToImmutableArray();
        if (outdated.IsEmpty)
        {
            return null;
        }

        var snapshot = GateSnapshots.Of(cluster, observed, ring);
        GateVerdict.Closed? first = null;
        foreach (var node in outdated)
        {
            switch (DisruptionGate.MayGoDown(snapshot, node.Name))
            {
                case GateVerdict.Open open:
                    return new ClusterAction.RestartNode(node, IsBroken: false, outdated.Length - 1, open.Warning);
                case GateVerdict.Closed closed:
                    first ??= closed;
                    break;
            }
        }

        return new ClusterAction.WaitForGate(first!, outdated[0].Name, outdated.Length);
    }

    private static ClusterAction? NextOfRing(Cluster cluster, ObservedCluster observed, DateTimeOffset now)
    {
        var silent = observed.Nodes.Where(node => node.Answer is null).ToImmutableArray();
        if (observed.Ring is not { } ring)
        {
            // A node that does not answer may be the one whose volume holds the ring: nobody makes a ring before all have said that they have none.
            return silent.Length > 0 || observed.Nodes.Length == 0
                ? Wait(silent)
                : new ClusterAction.CreateRing(observed.Nodes[0].Name, observed.Nodes[0].AdminAddress);
        }

        if (ring.PendingTransfers > 0)
        {
            return new ClusterAction.WaitForTransfers(ring.PendingTransfers);
        }

        if (!ring.Converged)
        {
            return new ClusterAction.WaitForRing("waiting until all members that are up hold the same cluster document");
        }

        return NextOfJoins(cluster, observed, ring, silent, now) ?? NextOfRestarts(cluster, observed, ring) ?? NextOfUnready(cluster, observed, ring);
    }

    private static ClusterAction? NextOfJoins(Cluster cluster, ObservedCluster observed, ObservedRing ring, ImmutableArray<ObservedNode> silent, DateTimeOffset now)
    {
        var isFull = ring.Members.Length >= cluster.Spec.Nodes;
        var absent = silent.Where(node => !isFull && ring.MemberByName(node.Name) is null).ToImmutableArray();
        var since = cluster.Status.Operation?.LastProgressAt ?? now;
        if (absent.Length > 0 && now - since < JoinPatience)
        {
            return Wait(absent);
        }

        // Never more than the spec wants, whoever gave the workloads more replicas.
        var joinable = observed.Nodes
            .Where(node => node.Answer is { } answer && ring.MemberById(answer.Id) is null && ring.MemberByName(node.Name) is null)
            .Take(Math.Max(0, cluster.Spec.Nodes - ring.Members.Length))
            .ToImmutableArray();
        if (joinable.Length > 0)
        {
            return new ClusterAction.StageJoins(joinable);
        }

        if (ring.Staged.Length > 0)
        {
            return ring.PlanId.Length > 0
                ? new ClusterAction.CommitPlan(ring.PlanId, ring.PlannedTransfers)
                : new ClusterAction.WaitForRing("waiting for the plan of what is staged");
        }

        return absent.Length > 0 ? Wait(absent) : null;
    }

    private static ClusterAction.WaitForPods? NextOfUnready(Cluster cluster, ObservedCluster observed, ObservedRing ring)
    {
        var unready = observed.Nodes.Where(node => !node.Ready && ring.MemberByName(node.Name) is not null).ToImmutableArray();
        return unready.Length > 0 && !WasReady(cluster) ? Wait(unready) : null;
    }

    /// <summary>Whether the spec was reached already: a node that goes away later makes the cluster degraded and not unfinished.</summary>
    private static bool WasReady(Cluster cluster) =>
        cluster.Status.Operation is null && cluster.Status.ObservedGeneration is not null && cluster.Status.Ring is not null;

    private static ClusterAction.WaitForPods Wait(ImmutableArray<ObservedNode> nodes)
    {
        var why = nodes.Length == 0 ? "none exists yet" : string.Join("; ", nodes.Take(5).Select(Describe)) + (nodes.Length > 5 ? "; …" : "");
        return new ClusterAction.WaitForPods([.. nodes.Select(node => node.Name)], why);
    }

    private static string Describe(ObservedNode node) =>
        $"{node.Name} {node.Problem ?? (node.Running ? node.Answer is null ? "does not answer yet" : "is not ready yet" : "does not run yet")}";
}
