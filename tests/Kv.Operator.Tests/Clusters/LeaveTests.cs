using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.Gates;
using Kv.Operator.NodeAdmin;
using Kv.Operator.Tests.Stubs;
using Xunit;
using static Kv.Operator.Tests.Stubs.Build;

namespace Kv.Operator.Tests.Clusters;

/// <summary>How nodes leave: who, in which steps, and what stands in the way.</summary>
public sealed class LeaveTests
{
    [Fact]
    public void Next_WithFewerNodesWanted_WritesDownWhoLeaves_BeforeItStagesThem()
    {
        var cluster = Cluster(3);
        var begin = Assert.IsType<ClusterAction.BeginLeave>(Next(cluster, Observed(5, 5)));
        Assert.Equal(["example-4", "example-3"], begin.Members.Select(member => member.Name));
        cluster.Status = ClusterStatusBuilder.Build(cluster, Observed(5, 5), begin, null, Now);
        Assert.Equal(("ScaleIn", 2), (cluster.Status.Operation!.Kind, cluster.Status.Operation.Leaving!.Count));
        Assert.Equal(2, Assert.IsType<ClusterAction.StageLeaves>(Next(cluster, Observed(5, 5))).Members.Length);
    }

    [Fact]
    public void Next_WithLeavesStaged_CommitsThem() =>
        Assert.IsType<ClusterAction.CommitPlan>(Next(Cluster(3), Staged(Observed(5, 5), 3, 4)));

    /// <summary>Zones a and b; the first has nodes 0 and 1, the other node 2.</summary>
    [Theory]
    [InlineData(2, true)]
    [InlineData(1, false)]
    public void Next_WithTheOnlyNodeOfAZoneNamed_StagesItAlthoughTheZoneIsEmptyUntilItsPlaceIsTaken(int named, bool isRefilled)
    {
        var cluster = Cluster(3, spec => (spec.Zones, spec.LeavingNodes) = ([new ClusterZone { Name = "a" }, new ClusterZone { Name = "b" }], [IdOf(named)]));
        cluster.Status.Operation = new OperationStatus { Kind = "ScaleIn", Leaving = [IdOf(named)] };
        var observed = Observed(3, 3) with { Workloads = [new("a", "example-a", 2) { StorageSize = "10Gi" }, new("b", "example-b", 1) { StorageSize = "10Gi" }] };
        observed = observed with { Nodes = [.. observed.Nodes.Select((node, i) => node with { Zone = i < 2 ? "a" : "b", Ordinal = i % 2 })] };
        var leave = Assert.IsType<ClusterAction.StageLeaves>(Next(cluster, observed));
        Assert.Equal((IdOf(named), isRefilled), (Assert.Single(leave.Members).Id, leave.AreZonesRefilled));
    }

    [Fact]
    public void Next_WithALeaveThatTheSpecDoesNotWantAnyMore_TakesItBack()
    {
        var cluster = Cluster(5);
        cluster.Status.Operation = new OperationStatus { Kind = "ScaleIn", Leaving = [IdOf(3), IdOf(4)] };
        Assert.IsType<ClusterAction.ClearStaged>(Next(cluster, Staged(Observed(5, 5), 3, 4)));
    }

    [Fact]
    public void Next_WithALeaveThatSomebodyElseStaged_ChangesNothing() =>
        Assert.Equal(Conditions.Reasons.ForeignStagedChange, Assert.IsType<ClusterAction.Refuse>(Next(Cluster(5), Staged(Observed(5, 5), 2))).Reason);

    [Fact]
    public void Next_WithANamedNodeInTheMiddle_LetsItGoFirst_AndTheLastOneWhenItsPlaceIsTaken()
    {
        var cluster = Cluster(3, spec => spec.LeavingNodes = [IdOf(1)]);
        Assert.Equal(["example-1"], Assert.IsType<ClusterAction.BeginLeave>(Next(cluster, Observed(4, 4))).Members.Select(member => member.Name));

        var left = Observed(4, 4)
            .WithRing(ring => ring with { Members = ring.Members.RemoveAt(1) })
            .With(1, node => node with { Ready = false, Answer = node.Answer! with { IsRemoved = true } });
        Assert.Equal("example-1", Assert.IsType<ClusterAction.RenewVolume>(Next(cluster, left)).Node.Name);

        var renewed = left.With(1, node => node with { Answer = new NodeAnswer("ffffffffffffffff", "", "0.1.0") });
        Assert.Equal(["example-1"], Assert.IsType<ClusterAction.StageJoins>(Next(cluster, renewed)).Nodes.Select(node => node.Name));

        var joining = renewed.WithRing(ring => ring with
        {
            Members = ring.Members.Add(new ObservedMember("ffffffffffffffff", "example-1", MemberState.Joining, 0, 0, true)),
            Staged = [new ObservedStaged(true, "ffffffffffffffff", "example-1")],
            PlanId = "p1",
        });
        Assert.Equal(["example-3"], Assert.IsType<ClusterAction.BeginLeave>(Next(cluster, joining)).Members.Select(member => member.Name));
    }

    [Fact]
    public void Next_WithTwoNamedNodesWhosePlacesAreWanted_LetsThemGoOneAfterTheOther() =>
        Assert.Single(Assert.IsType<ClusterAction.BeginLeave>(Next(Cluster(5, spec => spec.LeavingNodes = [IdOf(1), IdOf(2)]), Observed(5, 5))).Members);

    [Theory]
    [InlineData(3, typeof(ClusterAction.WaitForExit))]
    [InlineData(0, typeof(ClusterAction.ConfirmExit))]
    public void Next_WithAnExitingMember_ConfirmsItsExitOnlyWhenItHoldsNothing(int held, Type expected)
    {
        var observed = Observed(5, 5)
            .WithRing(ring => ring with { Members = ring.Members.SetItem(4, Member(4, MemberState.Exiting)) })
            .With(4, node => node with { Answer = node.Answer! with { HeldPartitions = held } });
        Assert.IsType(expected, Next(Cluster(4), observed));
    }

    [Fact]
    public void Next_WithAnExitingMemberThatIsSilent_Waits()
    {
        var observed = Observed(5, 5).WithRing(ring => ring with { Members = ring.Members.SetItem(4, Member(4, MemberState.Exiting)) }).With(4, node => node with { Answer = null });
        Assert.Null(Assert.IsType<ClusterAction.WaitForExit>(Next(Cluster(4), observed)).Held);
    }

    [Fact]
    public void Next_WithAMemberThatIsStillThere_TakesNoPodAway() =>
        Assert.IsNotType<ClusterAction.ShrinkStatefulSets>(Next(Cluster(4), Observed(5, 5).With(4, node => node with { Answer = null, Running = false, Ready = false })));

    [Fact]
    public void Next_WithANodeThatLeft_TakesItsPodAway_AndMarksItsVolume()
    {
        var observed = Gone(5) with { Volumes = [new ObservedVolume("example-3", "v3"), new ObservedVolume("example-4", "v4") { IsUsed = true }] };
        var shrink = Assert.IsType<ClusterAction.ShrinkStatefulSets>(Next(Cluster(4), observed));
        Assert.Equal((4, "example-4"), (shrink.ReplicasByZone[""], Assert.Single(shrink.Released).NodeName));
    }

    [Theory]
    [InlineData(RetentionPolicy.Delete, true, typeof(ClusterAction.DeleteVolumes))]
    [InlineData(RetentionPolicy.Delete, false, typeof(ClusterAction.Steady))]
    [InlineData(RetentionPolicy.Retain, true, typeof(ClusterAction.Steady))]
    public void Next_WithAVolumeThatNobodyUses_DeletesItIfItWasMarkedAndTheSpecSaysSo(RetentionPolicy policy, bool isReleased, Type expected)
    {
        var observed = Observed(4, 4) with { Volumes = [new ObservedVolume("example-4", "v4") { IsReleased = isReleased }] };
        Assert.IsType(expected, Next(Cluster(4, spec => spec.Storage.Retention.WhenScaled = policy), observed));
    }

    [Fact]
    public void Next_WithAMarkedVolumeOfAMember_DeletesNothing()
    {
        var observed = Observed(4, 5) with { Volumes = [new ObservedVolume("example-4", "v4") { IsReleased = true }] };
        Assert.IsType<ClusterAction.Steady>(Next(Cluster(5, spec => spec.Storage.Retention.WhenScaled = RetentionPolicy.Delete), observed with { Workloads = [observed.Workloads[0] with { Replicas = 5 }] }));
    }

    [Fact]
    public void Next_BeforeThereWasARing_TakesAwayWhatNeverBegan() =>
        Assert.Equal(3, Assert.IsType<ClusterAction.ShrinkStatefulSets>(Next(Cluster(3), Observed(50, 0))).ReplicasByZone[""]);

    [Theory]
    [InlineData("no_space: example-1 has 10 bytes free", Conditions.Reasons.NoSpace, true)]
    [InlineData("too_few_members: 2 would stay", Conditions.Reasons.TooFewMembers, true)]
    [InlineData("too_few_zones: 2 would stay", Conditions.Reasons.TooFewZones, true)]
    [InlineData("member_down: example-2 is away", Conditions.Reasons.NodesDown, true)]
    [InlineData("ring_not_ready: version 7 is not seen", Conditions.Reasons.RingConverging, false)]
    [InlineData("document_changed: this node holds version 8", Conditions.Reasons.RingConverging, false)]
    public void Status_OfALeaveThatTheNodesRefuse_SaysWhy(string refusal, string reason, bool isBlocked)
    {
        var why = Refusals.Why(new NodeRefusedException(Grpc.Core.StatusCode.FailedPrecondition, refusal))!;
        var cluster = Cluster(3);
        var action = new ClusterAction.Postponed(new ClusterAction.StageLeaves([Member(4)]), why);
        var status = ClusterStatusBuilder.Build(cluster, Observed(5, 5), action, null, Now);
        var blocked = status.Conditions!.Single(condition => condition.Type == Conditions.Blocked);
        Assert.Equal((isBlocked ? "True" : "False", isBlocked ? reason : Conditions.Reasons.AsExpected), (blocked.Status, blocked.Reason));
        Assert.Equal(reason, status.Operation!.Phase);
        Assert.Equal("False", status.Conditions!.Single(condition => condition.Type == Conditions.Ready).Status);
    }

    [Fact]
    public void Status_OfAHandoffThatDoesNotMove_IsDegraded_AndNothingIsForced()
    {
        var cluster = Cluster(4);
        var observed = Observed(5, 5)
            .WithRing(ring => ring with { Members = ring.Members.SetItem(4, Member(4, MemberState.Exiting)) })
            .With(4, node => node with { Answer = node.Answer! with { HeldPartitions = 2 } });
        cluster.Status = ClusterStatusBuilder.Build(cluster, observed, Next(cluster, observed), null, Now);
        var later = ClusterStatusBuilder.Build(cluster, observed, Next(cluster, observed), null, Now + ClusterStatusBuilder.StalledAfter);
        Assert.Equal(Conditions.Reasons.HandoffStalled, later.Conditions!.Single(condition => condition.Type == Conditions.Degraded).Reason);
        Assert.IsType<ClusterAction.WaitForExit>(Next(cluster, observed));
    }

    [Fact]
    public void Next_WithTheGateShut_LetsNobodyEvict_AndTellsOfWhatItIsOnTheWayTo()
    {
        var observed = Observed(5, 5) with { DisruptionsAllowed = 1 };
        var shut = Assert.IsType<ClusterAction.SetBudget>(Next(Cluster(5), observed));
        Assert.Equal((0, Conditions.Reasons.AsExpected, false), (shut.Disruptions, shut.Phase, shut.IsProgress));
        var open = Watched(observed with { DisruptionsAllowed = 0 });
        Assert.Equal(1, Assert.IsType<ClusterAction.SetBudget>(Next(Cluster(5), open)).Disruptions);
        Assert.IsType<ClusterAction.Steady>(Next(Cluster(5), open with { DisruptionsAllowed = 1 }));
    }

    private static ObservedCluster Watched(ObservedCluster observed) => observed.WithRing(ring => ring with
    {
        Views = 5,
        Quorums = [new GateQuorum("bucket type default", 3, 2)],
        Members = [.. ring.Members.Select(member => member with { SeenUpBy = 4 })],
    }) with
    { Nodes = [.. observed.Nodes.Select(node => node with { Answer = node.Answer! with { Uptime = TimeSpan.FromHours(1) } })] };

    private static ObservedCluster Staged(ObservedCluster observed, params int[] leaving) => observed.WithRing(ring => ring with
    {
        Staged = [.. leaving.Select(ordinal => new ObservedStaged(false, IdOf(ordinal), $"example-{ordinal}"))],
        PlanId = "p1",
    });

    /// <summary>The last node is no member any more.</summary>
    private static ObservedCluster Gone(int nodes) => Observed(nodes, nodes)
        .WithRing(ring => ring with { Members = ring.Members.RemoveAt(nodes - 1) })
        .With(nodes - 1, node => node with { Ready = false, Answer = node.Answer! with { IsRemoved = true } });

    private static ClusterAction Next(Cluster cluster, ObservedCluster observed) => ClusterPlanner.Next(cluster, observed, Now);
}
