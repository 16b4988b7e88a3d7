using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.Tests.Stubs;
using Xunit;
using static Kv.Operator.Tests.Stubs.Build;

namespace Kv.Operator.Tests.Clusters;

public sealed class ClusterStatusTests
{
    [Fact]
    public void Status_OfACompleteCluster_IsReady()
    {
        var status = Of(Cluster(), Observed(3, 3), new ClusterAction.Steady());
        Assert.Equal("True", Condition(status, Conditions.Ready).Status);
        Assert.Equal((3, 3, 3), (status.DesiredNodes, status.Nodes, status.ReadyNodes));
        Assert.Equal("0.1.0", status.Version);
        Assert.Null(status.Operation);
    }

    [Fact]
    public void Status_WithOneOfFiveNodesDown_IsAvailableAndDegraded()
    {
        var observed = Observed(5, 5).WithRing(ring => ring with { Members = ring.Members.SetItem(2, Member(2, up: false)) });
        var status = Of(Cluster(5), observed, new ClusterAction.Steady());
        Assert.Equal("True", Condition(status, Conditions.Available).Status);
        Assert.Contains("example-2", Condition(status, Conditions.Degraded).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Status_WithTwoNeighboursDown_IsNotAvailable()
    {
        var observed = Observed(5, 5).WithRing(ring => ring with { Members = ring.Members.SetItem(2, Member(2, up: false)).SetItem(3, Member(3, up: false)) });
        Assert.Equal(Conditions.Reasons.TooManyNodesDown, Condition(Of(Cluster(5), observed, new ClusterAction.Steady()), Conditions.Available).Reason);
    }

    [Fact]
    public void Status_WhenNothingCouldBeSeen_KeepsTheNumbersAndKnowsNothing()
    {
        var cluster = Cluster();
        cluster.Status = Of(cluster, Observed(3, 3), new ClusterAction.Steady());
        var status = Of(cluster, null, null, "the API server: no");
        Assert.Equal(3, status.ReadyNodes);
        Assert.Equal("Unknown", Condition(status, Conditions.Ready).Status);
        Assert.Equal("the API server: no", Condition(status, Conditions.ReconcileSuccess).Message);
    }

    [Fact]
    public void TransitionTime_MovesOnlyWithTheStatus()
    {
        var cluster = Cluster();
        cluster.Status = Of(cluster, Observed(3, 0), new ClusterAction.CreateRing("example-0", "a"));
        var later = Now.AddHours(1);
        var status = ClusterStatusBuilder.Build(cluster, Observed(3, 1), new ClusterAction.StageJoins([Node(1)]), null, later);
        Assert.Equal(Now, Condition(status, Conditions.Ready).LastTransitionTime);
        Assert.Equal(later, Condition(status, Conditions.RingConverged).LastTransitionTime);
    }

    [Fact]
    public void Operation_KeepsItsBeginning_AndItsProgressTimeWhileNothingMoves()
    {
        var cluster = Cluster();
        cluster.Status = Of(cluster, Observed(3, 0), new ClusterAction.WaitForPods(["example-2"], "x"));
        var status = ClusterStatusBuilder.Build(cluster, Observed(3, 0), new ClusterAction.WaitForPods(["example-2"], "x"), null, Now.AddMinutes(5));
        Assert.Equal(("Create", Now, Now), (status.Operation!.Kind, status.Operation.StartedAt, status.Operation.LastProgressAt));
    }

    [Fact]
    public void Summary_SaysWhatIsGoingOn()
    {
        var cluster = Cluster(5);
        Assert.Equal("all nodes are in the ring and it serves", Of(cluster, Observed(5, 5), new ClusterAction.Steady()).Summary);
        Assert.Equal("creating the ring on example-0; there is no ring yet", Of(cluster, Observed(5, 0), new ClusterAction.CreateRing("example-0", "a")).Summary);
        Assert.Equal("12 partitions are on their way", Of(cluster, Observed(5, 5), new ClusterAction.WaitForTransfers(12)).Summary);
        Assert.Equal("the API server: no", Of(cluster, null, null, "the API server: no").Summary);

        var down = Observed(5, 5).WithRing(ring => ring with { Members = ring.Members.SetItem(2, Member(2, up: false)) });
        Assert.Equal("down as the others see it: example-2", Of(cluster, down, new ClusterAction.Steady()).Summary);
        Assert.Equal("12 partitions are on their way; down as the others see it: example-2", Of(cluster, down, new ClusterAction.WaitForTransfers(12)).Summary);

        cluster.Spec.Paused = true;
        Assert.Equal("spec.paused is true", Of(cluster, Observed(5, 5), new ClusterAction.Paused()).Summary);
    }

    [Fact]
    public void Transitions_BetweenReadyAndNot_AreTold()
    {
        var cluster = Cluster();
        var before = Of(cluster, Observed(3, 0), new ClusterAction.CreateRing("example-0", "a"));
        var after = Of(cluster, Observed(3, 3), new ClusterAction.Steady());
        Assert.Contains(Transition.Between(before.Conditions, after.Conditions), one => one is { IsWarning: false } && one.Message.StartsWith("Ready is True", StringComparison.Ordinal));
        Assert.Contains(Transition.Between(after.Conditions, before.Conditions), one => one is { IsWarning: true } && one.Message.StartsWith("Ready is False", StringComparison.Ordinal));
        Assert.Empty(Transition.Between(after.Conditions, after.Conditions));
    }

    private static ClusterStatus Of(Cluster cluster, ObservedCluster? observed, ClusterAction? action, string? error = null) => ClusterStatusBuilder.Build(cluster, observed, action, error, Now);

    private static Kv.Operator.Api.Entities.Condition Condition(ClusterStatus status, string type) => status.Conditions!.Single(condition => condition.Type == type);
}
