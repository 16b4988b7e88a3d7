using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.Tests.Stubs;
using Xunit;
using static Kv.Operator.Tests.Stubs.Build;

namespace Kv.Operator.Tests.Clusters;

/// <summary>Partitions that rotted at their owner are rebuilt without a person, but for what nobody else has.</summary>
public sealed class DamageTests
{
    /// <summary>In a ring of three, partition 4 is example-1's. What was seen besides its damage, and whether its rebuild is ordered.</summary>
    public static TheoryData<string, bool> Cases => new()
    {
        { "nothing else", true },
        { "partitions move", true },
        { "a neighbour is rebuilt", false },
        { "a neighbour is rebuilt, of five copies", true },
        { "another is rebuilt, which shares no keys", false },
        { "a neighbour is damaged too", false },
        { "there are two copies of some keys", true },
        { "another node is outdated", true },
        { "a node has yet to join", true },
        { "it is rebuilt already", false },
        { "it was held for another", false },
        { "the document is not agreed on", false },
        { "a member is away", false },
        { "a member is away by the others' word", false },
        { "a member is away by one peer's word", false },
        { "another held something and lost it", false },
        { "a node of no ring is away", true },
        { "no other copy is left", false },
        { "no other copy is left of a bucket with one", false },
        { "nobody tells how many copies there are", false },
        { "a stranger staged something", false },
        { "a node is foreign", false },
        { "it is paused", false },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Next_OrdersTheRebuildFirst_WhereNothingCanBeLostByIt(string what, bool isOrdered)
    {
        var observed = what switch
        {
            "partitions move" => Rotten().WithRing(ring => ring with { PendingTransfers = 7 }),
            "a neighbour is rebuilt" => Rotten().WithRing(ring => ring with { PendingTransfers = 1, Rebuilding = [5], Missing = [4, 5] }),
            "a neighbour is rebuilt, of five copies" => Rotten().WithRing(ring => ring with { PendingTransfers = 1, Rebuilding = [5], Missing = [4, 5], NVals = [5] }),
            "another is rebuilt, which shares no keys" => Rotten().WithRing(ring => ring with { PendingTransfers = 1, Rebuilding = [9], Missing = [4, 9] }),
            "a neighbour is damaged too" => Rotten().WithRing(ring => ring with { Missing = [4, 5] }),
            "there are two copies of some keys" => Rotten().WithRing(ring => ring with { NVals = [2, 3] }),
            "another node is outdated" => Rotten().With(0, node => node with { IsOutdated = true }),
            "a node has yet to join" => Rotten(nodes: 4),
            "it is rebuilt already" => Rotten().WithRing(ring => ring with { PendingTransfers = 1, Rebuilding = [4] }),
            "it was held for another" => Rotten().With(1, node => node with { Answer = node.Answer! with { Damaged = [3] } }),
            "the document is not agreed on" => Rotten().WithRing(ring => ring with { Converged = false }),
            "a member is away" => Rotten().WithMember(2, member => member with { Up = false }),
            "a member is away by the others' word" => Rotten().WithMember(2, member => member with { SeenDownBy = 2 }),
            "a member is away by one peer's word" => Rotten().WithMember(2, member => member with { SeenUpBy = 1, SeenDownBy = 1 }),
            "another held something and lost it" => Rotten().With(2, node => node with { Answer = node.Answer! with { Damaged = [10] } }),
            "a node of no ring is away" => Rotten(nodes: 4).With(3, node => node with { Answer = null }),
            "no other copy is left" => Rotten().WithRing(ring => ring with { Missing = [4, 5, 6] }),
            "no other copy is left of a bucket with one" => Rotten().WithRing(ring => ring with { NVals = [1, 3] }),
            "nobody tells how many copies there are" => Rotten().WithRing(ring => ring with { NVals = [] }),
            "a stranger staged something" => Rotten().WithRing(ring => ring with { Staged = [new ObservedStaged(false, IdOf(2), "example-2")] }),
            "a node is foreign" => Rotten().With(2, node => node with { Answer = new NodeAnswer("ffffffffffffffff", "another", "0.1.0") }),
            _ => Rotten(),
        };
        var cluster = Cluster(observed.Nodes.Length, spec => spec.Paused = what == "it is paused");
        var action = ClusterPlanner.Next(cluster, observed, Now);
        Assert.Equal(isOrdered, action is ClusterAction.RebuildPartition { Node.Name: "example-1", Partition: 4 } && DamagePlanner.Next(observed, observed.Ring!) is not null);
    }

    [Fact]
    public void Next_WithSeveral_OrdersOneAfterAnother_AndSaysWhatTakesAPerson()
    {
        var observed = Rotten().With(1, node => node with { Answer = node.Answer! with { Damaged = [4, 10] } }).WithRing(ring => ring with { Missing = [4, 10] });
        Assert.Equal(4, Assert.IsType<ClusterAction.RebuildPartition>(ClusterPlanner.Next(Cluster(), observed, Now)).Partition);
        var ordered = observed.WithRing(ring => ring with { Rebuilding = [4], PendingTransfers = 1 });
        Assert.IsType<ClusterAction.WaitForTransfers>(ClusterPlanner.Next(Cluster(), ordered, Now));
        var rebuilt = observed.With(1, node => node with { Answer = node.Answer! with { Damaged = [10] } }).WithRing(ring => ring with { Missing = [10] });
        Assert.Equal(10, Assert.IsType<ClusterAction.RebuildPartition>(ClusterPlanner.Next(Cluster(), rebuilt, Now)).Partition);

        var both = Rotten().WithRing(ring => ring with { Missing = [4, 5] });
        var waits = Assert.IsType<ClusterAction.Postponed>(ClusterPlanner.Next(Cluster(), both, Now));
        Assert.EndsWith(
            "of the 3 copies from partition 3 on 1 are whole, and it takes 2 to be certain of all that was acknowledged: what is damaged is given up at a person's word: kv cluster rebuild", waits.Message, StringComparison.Ordinal);
        Assert.IsType<ClusterAction.GrowStatefulSets>(ClusterPlanner.Next(Cluster(5), both, Now));
    }

    [Fact]
    public void Next_WhileAMemberIsAway_WaitsForIt_SaysSo_AndHoldsUpNothing()
    {
        var observed = Rotten().WithMember(2, member => member with { Up = false });
        var waits = Assert.IsType<ClusterAction.Postponed>(ClusterPlanner.Next(Cluster(), observed, Now));
        Assert.Equal(
            $"having example-1 rebuild partition 4, whose data there is damaged or gone, from its other copies: a rebuild asks every member, and example-2 (node {IdOf(2)}) is away: it waits until that one is back, or in spec.lostNodes",
            waits.Message);
        var blocked = Of(Cluster(), observed, waits, Conditions.Blocked);
        Assert.Equal(("True", Conditions.Reasons.NodesDown), (blocked.Status, blocked.Reason));
        Assert.IsType<ClusterAction.GrowStatefulSets>(ClusterPlanner.Next(Cluster(5), observed, Now));
    }

    [Fact]
    public void Status_SaysThatItIsRebuilt()
    {
        var (cluster, observed) = (Cluster(), Rotten());
        var action = ClusterPlanner.Next(cluster, observed, Now);
        cluster.Status = ClusterStatusBuilder.Build(cluster, observed, action, null, Now);
        Assert.Equal(("Rebuild", "Rebuilding", "example-1"), (cluster.Status.Operation!.Kind, cluster.Status.Operation.Phase, cluster.Status.Operation.Node));

        var begun = Observed(3, 3).WithRing(ring => ring with { Rebuilding = [4], PendingTransfers = 1, Missing = [4] });
        action = ClusterPlanner.Next(cluster, begun, Now);
        cluster.Status = ClusterStatusBuilder.Build(cluster, begun, action, null, Now);
        Assert.Equal(("Rebuild", "Rebuilding", "1 partitions are rebuilt from their other copies"), (cluster.Status.Operation!.Kind, cluster.Status.Operation.Phase, cluster.Status.Operation.Message));

        var whole = Observed(3, 3);
        Assert.Null(ClusterStatusBuilder.Build(cluster, whole, ClusterPlanner.Next(cluster, whole, Now), null, Now).Operation);
    }

    [Fact]
    public async Task Pass_WhereNoCopyIsLeft_SaysSo_AndChangesNothing()
    {
        var world = new SimulatedCluster();
        var cluster = await ReadyAsync(world);
        world.Damaged.AddRange([("example-1", 4), ("example-2", 5), ("example-0", 6)]);

        // First the budget for drains follows the gate.
        cluster.Status = (await PassAsync(world, cluster)).Status;
        var writes = world.Writes;
        var pass = await PassAsync(world, cluster);
        var blocked = pass.Status.Conditions!.Single(condition => condition.Type == Conditions.Blocked);
        Assert.Equal(("True", Conditions.Reasons.DataLoss), (blocked.Status, blocked.Reason));
        Assert.Contains("of the 3 copies from partition 4 on 0 are whole", blocked.Message, StringComparison.Ordinal);
        Assert.Equal(PassIntervals.Local.Idle, pass.RequeueAfter);
        Assert.Equal(writes, world.Writes);
        Assert.Equal(3, world.Damaged.Count);
    }

    [Fact]
    public async Task Pass_ThatComesTooLate_IsNoError()
    {
        var world = new SimulatedCluster();
        var cluster = await ReadyAsync(world);
        world.Rot(4);
        var observed = await new ClusterObserver(world, world).ObserveAsync(cluster, TestContext.Current.CancellationToken);
        world.Damaged.Clear();
        Assert.Null(await new ClusterApplier(world, world).ApplyAsync(cluster, observed, ClusterPlanner.Next(cluster, observed, Now), TestContext.Current.CancellationToken));
        Assert.Equal(0, world.Rebuilds);
    }

    private static async Task<Cluster> ReadyAsync(SimulatedCluster world)
    {
        var cluster = Cluster();
        for (var pass = 0; pass < 30; pass++)
        {
            cluster.Status = (await PassAsync(world, cluster)).Status;
            world.MovePartitions(3);
            world.Elapse(TimeSpan.FromSeconds(10));
        }

        Assert.Equal("True", cluster.Status.Conditions!.Single(condition => condition.Type == Conditions.Ready).Status);
        return cluster;
    }

    private static Task<ClusterPass> PassAsync(SimulatedCluster world, Cluster cluster) =>
        new ClusterReconciler(new ClusterObserver(world, world), new ClusterApplier(world, world), TimeProvider.System, PassIntervals.Local).RunAsync(cluster, TestContext.Current.CancellationToken);

    private static Kv.Operator.Api.Entities.Condition Of(Cluster cluster, ObservedCluster observed, ClusterAction action, string type) =>
        ClusterStatusBuilder.Build(cluster, observed, action, null, Now).Conditions!.Single(condition => condition.Type == type);

    private static ObservedCluster Rotten(int nodes = 3) => Observed(nodes, 3)
        .With(1, node => node with { Answer = node.Answer! with { Damaged = [4] } })
        .WithRing(ring => ring with { Missing = [4] });
}
