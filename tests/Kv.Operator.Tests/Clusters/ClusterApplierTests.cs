using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.Gates;
using Kv.Operator.Tests.Stubs;
using Xunit;

namespace Kv.Operator.Tests.Clusters;

/// <summary>What is staged is staged by the document that it was decided by.</summary>
public sealed class ClusterApplierTests
{
    private readonly SimulatedCluster world = new();
    private readonly Cluster cluster = Build.Cluster(3);

    [Fact]
    public async Task Stage_OnANodeThatHoldsAnOldDocument_IsDoneOnAnother()
    {
        await PassesAsync();
        world.Behind.Add("example-0");
        (cluster.Spec.Nodes, cluster.Metadata.Generation) = (4, 2);
        await PassesAsync();
        Assert.Equal(4, world.Members.Count);
    }

    [Fact]
    public async Task Stage_DecidedByADocumentThatIsNoMore_ChangesNothing_AndWaits()
    {
        await PassesAsync();
        var observed = await new ClusterObserver(world, world).ObserveAsync(cluster, TestContext.Current.CancellationToken);
        var leaver = observed.Ring!.Members[2];
        var old = observed with { Ring = observed.Ring with { Version = observed.Ring.Version - 1 } };
        var why = await ApplyAsync(old, leaver);
        Assert.Equal((Conditions.Reasons.RingConverging, true), (why!.Reason, why.IsPassing));
        Assert.Equal(0, world.StagedLeaves);

        // Three are as few as may be: this refusal is the nodes' own.
        Assert.Equal(Conditions.Reasons.TooFewMembers, (await ApplyAsync(observed, leaver))!.Reason);
    }

    private Task<GateVerdict.Closed?> ApplyAsync(ObservedCluster observed, ObservedMember leaver) =>
        new ClusterApplier(world, world).ApplyAsync(cluster, observed, new ClusterAction.StageLeaves([leaver]), TestContext.Current.CancellationToken);

    private async Task PassesAsync()
    {
        for (var pass = 0; pass < 40; pass++)
        {
            var reconciler = new ClusterReconciler(new ClusterObserver(world, world), new ClusterApplier(world, world), TimeProvider.System, PassIntervals.Local);
            cluster.Status = (await reconciler.RunAsync(cluster, TestContext.Current.CancellationToken)).Status;
            world.MovePartitions(2);
            world.Elapse(TimeSpan.FromSeconds(10));
        }
    }
}
