using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.Tests.Stubs;
using Xunit;
using static Kv.Operator.Tests.Stubs.Build;

namespace Kv.Operator.Tests.Clusters;

/// <summary>Nodes that are given up: by a person's order and by no guess.</summary>
public sealed class LossTests
{
    private const string NewId = "ffffffffffffffff";

    [Fact]
    public void Next_WithAnEmptyVolumeAndNoOrder_SaysWhatToOrder_AndChangesNothing()
    {
        var refusal = Assert.IsType<ClusterAction.Refuse>(Next(Cluster(), Empty()));
        Assert.Equal(Conditions.Reasons.IdentityLost, refusal.Reason);
        Assert.Contains($"put {IdOf(2)} into spec.lostNodes", refusal.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Next_WithAnOrder_WritesItDown_StagesTheReplacement_AndCommitsItThoughPartitionsMove()
    {
        var cluster = Cluster(3, spec => spec.LostNodes = [IdOf(2)]);
        var observed = Empty().WithRing(ring => ring with { PendingTransfers = 4 });
        var begin = Assert.IsType<ClusterAction.BeginLoss>(Next(cluster, observed));
        cluster.Status = ClusterStatusBuilder.Build(cluster, observed, begin, null, Now);
        Assert.Equal("Replace", cluster.Status.Operation!.Kind);

        var replace = Assert.IsType<ClusterAction.StageReplace>(Next(cluster, observed));
        Assert.Equal((IdOf(2), "peer-2"), (replace.Lost.Id, replace.Node.PeerAddress));

        var staged = observed.WithRing(ring => ring with { Staged = [new ObservedStaged(false, NewId, "example-2") { LostId = IdOf(2) }], PlanId = "p1" });
        Assert.IsType<ClusterAction.CommitPlan>(Next(cluster, staged));
    }

    [Fact]
    public void Next_WithAnOrderTakenBack_ClearsWhatWasStaged()
    {
        var cluster = Cluster();
        cluster.Status.Operation = new OperationStatus { Kind = "Replace", Leaving = [IdOf(2)] };
        Assert.IsType<ClusterAction.ClearStaged>(Next(cluster, Empty().WithRing(ring => ring with { Staged = [new ObservedStaged(false, NewId, "example-2") { LostId = IdOf(2) }], PlanId = "p1" })));
    }

    /// <summary>Nodes refuse that commit for as long as it is up, and the gate is shut while anything is staged.</summary>
    [Fact]
    public void Next_WithALossStaged_OfANodeThatIsBack_ClearsIt()
    {
        var cluster = Cluster(3, spec => spec.LostNodes = [IdOf(2)]);
        cluster.Status.Operation = new OperationStatus { Kind = "Replace", Leaving = [IdOf(2)] };
        var observed = Observed(3, 3).WithRing(ring => ring with { Staged = [new ObservedStaged(false, NewId, "example-2") { LostId = IdOf(2) }], PlanId = "p1" });
        Assert.IsType<ClusterAction.ClearStaged>(Next(cluster, observed));
    }

    [Fact]
    public void Next_WithAnOrderForANodeThatIsUp_DoesNothingAndSaysSo() =>
        Assert.Equal(Conditions.Reasons.LostNodeIsUp, Assert.IsType<ClusterAction.Refuse>(Next(Cluster(3, spec => spec.LostNodes = [IdOf(2)]), Observed(3, 3))).Reason);

    [Fact]
    public void Next_WithAnOrderAndANodeThatIsSilent_WaitsForAnEmptyOne()
    {
        var cluster = Cluster(3, spec => spec.LostNodes = [IdOf(2)]);
        cluster.Status.Operation = new OperationStatus { Kind = "Replace", Leaving = [IdOf(2)] };
        Assert.IsType<ClusterAction.WaitForPods>(Next(cluster, Empty().With(2, node => node with { Answer = null })));
    }

    [Fact]
    public void Next_WithAnOrderAndNoRoomForAnother_RemovesIt()
    {
        var cluster = Cluster(2, spec => spec.LostNodes = [IdOf(2)]);
        cluster.Status.Operation = new OperationStatus { Kind = "Replace", Leaving = [IdOf(2)] };
        Assert.Equal(IdOf(2), Assert.IsType<ClusterAction.StageRemove>(Next(cluster, Empty().With(2, node => node with { Answer = null, Running = false }))).Lost.Id);
    }

    /// <summary>Until the other is back, or given up too, the first one's disk may have the last copy; and what is staged by then is not committed.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Next_WithAnOrder_WhileAnotherIsAwayAndAListHasNoQuorum_WaitsForThatOne_AndSaysSo(bool isStaged)
    {
        var cluster = Cluster(3, spec => spec.LostNodes = [IdOf(2)]);
        var observed = Away(Empty(), 1);
        observed = isStaged ? observed.WithRing(ring => ring with { Staged = [new ObservedStaged(false, NewId, "example-2") { LostId = IdOf(2) }], PlanId = "p1" }) : observed;
        var waits = Assert.IsType<ClusterAction.Postponed>(Next(cluster, observed));
        Assert.Equal(
            $"example-2 are given up: partition 0 (bucket type default, n_val 3) has 1 live owners and needs 2, and example-1 (node {IdOf(1)}) is only away: nobody is given up before it is back, or in spec.lostNodes too",
            waits.Message);
        var status = ClusterStatusBuilder.Build(cluster, observed, waits, null, Now);
        var blocked = status.Conditions!.Single(condition => condition.Type == Conditions.Blocked);
        Assert.Equal(("True", Conditions.Reasons.QuorumAtRisk), (blocked.Status, blocked.Reason));
        Assert.Null(status.Operation?.Leaving);
    }

    [Fact]
    public void Next_WithOrdersForAllThatAreAway_WaitsForNone_AndStagesThemAsOnePlan()
    {
        var cluster = Cluster(3, spec => spec.LostNodes = [IdOf(1), IdOf(2)]);
        var observed = Away(Empty(), 1).With(1, node => node with { Answer = new NodeAnswer("eeeeeeeeeeeeeeee", "", "0.1.0") });
        var begin = Assert.IsType<ClusterAction.BeginLoss>(Next(cluster, observed));
        Assert.Equal(2, begin.Members.Length);
        cluster.Status = ClusterStatusBuilder.Build(cluster, observed, begin, null, Now);

        // A rebuild asks every member: the first one's would wait for the second for ever.
        var staged = observed.WithRing(ring => ring with { Staged = [new ObservedStaged(false, "eeeeeeeeeeeeeeee", "example-1") { LostId = IdOf(1) }], PlanId = "p1" });
        Assert.Equal(IdOf(2), Assert.IsType<ClusterAction.StageReplace>(Next(cluster, staged)).Lost.Id);
    }

    [Theory]
    [InlineData(3, null, true)]
    [InlineData(2, null, false)]
    [InlineData(3, 4, true)]
    [InlineData(2, 4, false)]
    public void Next_WithAnOrder_AndAnotherAway_GoesOn_WhereEachListOfTheLostHasAQuorum(int away, int? missing, bool goesOn)
    {
        // The lists of three neighbours of seven: those of the first one's partitions have none of the fourth's, whose own may be without a quorum.
        var observed = Away(Away(Observed(7, 7), 0), away).WithRing(ring => ring with { Missing = missing is { } partition ? [partition] : [] });
        Assert.Equal(goesOn, Next(Cluster(7, spec => spec.LostNodes = [IdOf(0)]), observed) is ClusterAction.BeginLoss);
    }

    private static ObservedCluster Away(ObservedCluster observed, int ordinal) => observed
        .With(ordinal, node => node with { Answer = null, Ready = false })
        .WithRing(ring => ring with { Members = ring.Members.SetItem(ordinal, ring.Members[ordinal] with { Up = false }) });

    /// <summary>A ring of three, and the last one's pod on an empty volume.</summary>
    private static ObservedCluster Empty() => Observed(3, 3)
        .With(2, node => node with { Answer = new NodeAnswer(NewId, "", "0.1.0") })
        .WithRing(ring => ring with { Members = ring.Members.SetItem(2, ring.Members[2] with { Up = false }) });

    private static ClusterAction Next(Cluster cluster, ObservedCluster observed) => ClusterPlanner.Next(cluster, observed, Now);
}
