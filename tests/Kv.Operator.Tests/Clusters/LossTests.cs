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

    /// <summary>A ring of three, and the last one's pod on an empty volume.</summary>
    private static ObservedCluster Empty() => Observed(3, 3)
        .With(2, node => node with { Answer = new NodeAnswer(NewId, "", "0.1.0") })
        .WithRing(ring => ring with { Members = ring.Members.SetItem(2, ring.Members[2] with { Up = false }) });

    private static ClusterAction Next(Cluster cluster, ObservedCluster observed) => ClusterPlanner.Next(cluster, observed, Now);
}
