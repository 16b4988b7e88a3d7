using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.Tests.Stubs;
using Xunit;
using static Kv.Operator.Tests.Stubs.Build;

namespace Kv.Operator.Tests.Clusters;

public sealed class ClusterPlannerTests
{
    [Fact]
    public void Next_WithNothingThere_CreatesTheObjects() =>
        Assert.IsType<ClusterAction.ApplyChildren>(Next(Cluster(), new ObservedCluster { Children = [new ObservedChild("StatefulSet", "example", ChildState.Missing)] }));

    [Fact]
    public void Next_WithAnObjectThatSomebodyChanged_PutsItBack() =>
        Assert.IsType<ClusterAction.ApplyChildren>(Next(Cluster(), Observed(3, 3) with { Children = [new ObservedChild("Service", "example", ChildState.Drifted)] }));

    [Fact]
    public void Next_WithAnObjectOfSomebodyElse_Refuses() =>
        AssertRefused(Conditions.Reasons.NameConflict, Cluster(), Observed(3, 3) with { Children = [new ObservedChild("Service", "example", ChildState.Foreign)] });

    [Fact]
    public void Next_Paused_DoesNothingAtAll() =>
        Assert.IsType<ClusterAction.Paused>(Next(Cluster(5, spec => spec.Paused = true), new ObservedCluster { Children = [new ObservedChild("StatefulSet", "example", ChildState.Missing)] }));

    /// <summary>Drains ask the budget whatever the operator may do itself.</summary>
    [Theory]
    [InlineData("paused", 1, false, 0)]
    [InlineData("paused", 0, true, 1)]
    [InlineData("paused", 0, false, null)]
    [InlineData("invalid", 1, false, 0)]
    [InlineData("invalid", 0, true, 1)]
    public void Next_PausedOrInvalid_KeepsTheBudgetAsTheGateSays(string what, int allowed, bool isOpen, int? budget)
    {
        var cluster = Cluster(5, spec => (spec.Paused, spec.Config) = (what == "paused", what == "invalid" ? new() { ["name"] = "x" } : null));
        var observed = Rollout() with { DisruptionsAllowed = allowed };
        var action = Next(cluster, isOpen ? observed : observed.With(2, node => node with { Ready = false }));
        Assert.Equal(budget, (action as ClusterAction.SetBudget)?.Disruptions);
        Assert.False(action.IsProgress);
    }

    /// <summary>Told, and nothing waits for it: what is broken is mended, and what else is wished for is done.</summary>
    [Fact]
    public void Next_WithASettingThatNoNodeKnows_DoesAllElse_AndSaysSo()
    {
        var cluster = Cluster(3, spec => spec.Config = new() { ["handof-concurrency"] = "4" });
        Assert.IsType<ClusterAction.ApplyChildren>(Next(cluster, Observed(3, 3) with { Children = [new ObservedChild("Service", "example", ChildState.Missing)] }));
        Assert.IsType<ClusterAction.RestartNode>(Next(cluster, Observed(3, 3).With(1, node => node with { Ready = false, Running = false, IsBroken = true, IsOutdated = true })));
        Assert.IsType<ClusterAction.GrowStatefulSets>(Next(Cluster(5, spec => spec.Config = new() { ["handof-concurrency"] = "4" }), Observed(3, 3)));
        AssertRefused(Conditions.Reasons.InvalidSpec, cluster, Observed(3, 3));
    }

    [Fact]
    public void Next_WithMembersThatDoNotTellTheirRing_LetsNoDrainTakeAny()
    {
        var cluster = Cluster();
        cluster.Status.Ring = new RingStatus { Version = 9 };
        Assert.Equal(0, Assert.IsType<ClusterAction.SetBudget>(Next(cluster, Observed(3, 3) with { Ring = null, DisruptionsAllowed = 1 })).Disruptions);
        Assert.IsNotType<ClusterAction.SetBudget>(Next(Cluster(), Observed(3, 0) with { DisruptionsAllowed = 1 }));
    }

    [Fact]
    public void Next_WithOneNodeSilentAndNoRing_WaitsForIt()
    {
        var action = Next(Cluster(), Observed(3, 0).With(2, node => node with { Answer = null }));
        Assert.Equal(["example-2"], Assert.IsType<ClusterAction.WaitForPods>(action).Names);
    }

    [Fact]
    public void Next_WithAllNodesEmpty_CreatesTheRingOnTheFirst() =>
        Assert.Equal("example-0", Assert.IsType<ClusterAction.CreateRing>(Next(Cluster(), Observed(3, 0))).NodeName);

    [Fact]
    public void Next_WithAllNodesEmptyButARingInTheStatus_RefusesToMakeAnother()
    {
        var cluster = Cluster();
        cluster.Status.Ring = new RingStatus { Version = 9 };
        AssertRefused(Conditions.Reasons.RingLost, cluster, Observed(3, 0));
    }

    /// <summary>The first node is empty while the ring lives in the others, of which none says in time what it is.</summary>
    [Theory]
    [InlineData("", false)]
    [InlineData(Uid, false)]
    [InlineData(Uid, true)]
    public void Next_WithMembersThatDoNotTellTheirRing_MakesNoSecondOne(string clusterId, bool isRemoved)
    {
        var mute = Observed(3, 3).With(0, node => node with { Answer = new NodeAnswer("ffffffffffffffff", clusterId, "0.1.0") { IsRemoved = isRemoved } }) with { Ring = null };
        Assert.IsType<ClusterAction.WaitForRing>(Next(Cluster(), mute));

        var cluster = Cluster();
        cluster.Status.Ring = new RingStatus { Version = 9 };
        Assert.IsType<ClusterAction.WaitForRing>(Next(cluster, mute));
    }

    [Fact]
    public void Next_WithARingOfOne_StagesAllOthersAtOnce() =>
        Assert.Equal(["example-1", "example-2"], Assert.IsType<ClusterAction.StageJoins>(Next(Cluster(), Observed(3, 1))).Nodes.Select(node => node.Name));

    [Fact]
    public void Next_WithANewNodeThatIsNotUpYet_WaitsBeforeItStagesAny() =>
        Assert.IsType<ClusterAction.WaitForPods>(Next(Cluster(), Observed(3, 1).With(2, node => node with { Answer = null })));

    [Fact]
    public void Next_WithANewNodeThatStaysAway_JoinsTheOthersAfterAWhile()
    {
        var cluster = Cluster();
        cluster.Status.Operation = new OperationStatus { Kind = "Create", LastProgressAt = Now - MembershipPlanner.JoinPatience };
        Assert.Equal(["example-1"], Assert.IsType<ClusterAction.StageJoins>(Next(cluster, Observed(3, 1).With(2, node => node with { Answer = null }))).Nodes.Select(node => node.Name));
    }

    /// <summary>There may be no room for it for long, and what is newest may be what keeps the others safe.</summary>
    [Fact]
    public void Next_WithANewNodeThatStaysAway_RestartsOutdatedNodesMeanwhile()
    {
        var cluster = Cluster(5);
        cluster.Status.Operation = new OperationStatus { Kind = "ScaleOut", LastProgressAt = Now - MembershipPlanner.JoinPatience };
        var observed = Rollout(1).With(4, node => node with { Running = false, Ready = false, Answer = null }).WithRing(ring => ring with
        {
            Members = ring.Members[..4],
            Owners = [.. ring.Owners.Select((_, partition) => partition % 4)],
            Views = 4,
            HintViews = 4,
        });
        Assert.Equal("example-1", Assert.IsType<ClusterAction.RestartNode>(Next(cluster, observed)).Node.Name);
        Assert.Equal(["example-4"], Assert.IsType<ClusterAction.WaitForPods>(Next(cluster, observed.With(1, node => node with { IsOutdated = false }))).Names);
        cluster.Status.Operation.LastProgressAt = Now;
        Assert.Equal(["example-4"], Assert.IsType<ClusterAction.WaitForPods>(Next(cluster, observed)).Names);

        // A restart is progress too, but not of what is waited for.
        cluster.Status.Operation.Kind = "Rollout";
        Assert.Equal("example-1", Assert.IsType<ClusterAction.RestartNode>(Next(cluster, observed)).Node.Name);
    }

    /// <summary>A plan is made by one node and committed by another: of two versions, each may refuse what the other made, for ever.</summary>
    [Fact]
    public void Next_WithMembersOfTwoVersions_RestartsTheRestBeforeAnyoneJoins()
    {
        var cluster = Cluster(5);
        var mixed = Rollout(1).WithRing(ring => ring with
        {
            Members = ring.Members[..4],
            Owners = [.. ring.Owners.Select((_, partition) => partition % 4)],
            Views = 4,
            HintViews = 4,
        }).With(0, node => node with { Answer = node.Answer! with { Version = "0.2.0" } });
        Assert.Equal("example-1", Assert.IsType<ClusterAction.RestartNode>(Next(cluster, mixed)).Node.Name);

        // With no time to come would the disk be less full; a new node may be what helps.
        var full = mixed.With(0, node => node with { Answer = node.Answer! with { DataBytes = 99, FreeBytes = 1 } });
        Assert.IsType<ClusterAction.StageJoins>(Next(cluster, full));
        cluster.Spec.Rollout.Paused = true;
        Assert.IsType<ClusterAction.StageJoins>(Next(cluster, mixed));
    }

    [Fact]
    public void Next_WithJoinsStaged_CommitsTheirPlan()
    {
        var observed = Observed(3, 3).WithRing(ring => ring with
        {
            Members = [Member(0), Member(1, MemberState.Joining), Member(2, MemberState.Joining)],
            Staged = [new ObservedStaged(true, IdOf(1), "example-1"), new ObservedStaged(true, IdOf(2), "example-2")],
            PlanId = "p1",
        });
        Assert.Equal("p1", Assert.IsType<ClusterAction.CommitPlan>(Next(Cluster(), observed)).PlanId);
    }

    [Fact]
    public void Next_WithJoinsThatTheSpecDoesNotWantAnyMore_TakesThemBack_AndTheirNodesAway()
    {
        var staged = Observed(5, 3).WithRing(ring => ring with
        {
            Members = [.. ring.Members, Member(3, MemberState.Joining), Member(4, MemberState.Joining)],
            Staged = [new ObservedStaged(true, IdOf(3), "example-3"), new ObservedStaged(true, IdOf(4), "example-4")],
            PlanId = "p1",
        });
        Assert.IsType<ClusterAction.CommitPlan>(Next(Cluster(5), staged));
        Assert.IsType<ClusterAction.ClearStaged>(Next(Cluster(3), staged));

        // Of two, one is still wanted: both are taken back, since what is staged is one plan, and that one is staged again.
        Assert.IsType<ClusterAction.ClearStaged>(Next(Cluster(4), staged));
        Assert.Equal(["example-3"], Assert.IsType<ClusterAction.StageJoins>(Next(Cluster(4), Observed(5, 3))).Nodes.Select(node => node.Name));
        Assert.Equal(3, Assert.IsType<ClusterAction.ShrinkStatefulSets>(Next(Cluster(3), Observed(5, 3))).ReplicasByZone[""]);
    }

    [Fact]
    public void Next_WithAStagedLeave_CommitsNothing() =>
        AssertRefused(Conditions.Reasons.ForeignStagedChange, Cluster(), Observed(3, 3).WithRing(ring => ring with { Staged = [new ObservedStaged(false, IdOf(1), "example-1")], PlanId = "p1" }));

    [Fact]
    public void Next_WhilePartitionsMove_NeitherStagesNorGrows() =>
        Assert.IsType<ClusterAction.WaitForTransfers>(Next(Cluster(5), Observed(3, 1).WithRing(ring => ring with { PendingTransfers = 4 })));

    [Fact]
    public void Next_WhileTheRingIsNotAgreed_Waits() =>
        Assert.IsType<ClusterAction.WaitForRing>(Next(Cluster(), Observed(3, 1).WithRing(ring => ring with { Converged = false })));

    [Fact]
    public void Next_WithMoreNodesWanted_Grows() =>
        Assert.Equal(5, Assert.IsType<ClusterAction.GrowStatefulSets>(Next(Cluster(5), Observed(3, 3))).ReplicasByZone[""]);

    /// <summary>Partitions that move wait for the very pods that are gone.</summary>
    [Theory]
    [InlineData("scaled by hand")]
    [InlineData("while partitions move")]
    [InlineData("with a leave that somebody else staged")]
    [InlineData("a member that leaves")]
    public void Next_WithFewerReplicasThanMembers_PutsThemBackAtOnce(string what)
    {
        var observed = ScaledByHand(2).WithRing(ring => what switch
        {
            "while partitions move" => ring with { PendingTransfers = 4 },
            "with a leave that somebody else staged" => ring with { Staged = [new ObservedStaged(false, IdOf(1), "example-1")], PlanId = "p1" },
            "a member that leaves" => ring with { Members = ring.Members.SetItem(2, ring.Members[2] with { State = MemberState.Leaving }), PendingTransfers = 4 },
            _ => ring,
        });
        Assert.Equal(3, Assert.IsType<ClusterAction.GrowStatefulSets>(Next(Cluster(what == "a member that leaves" ? 2 : 3), observed)).ReplicasByZone[""]);
    }

    [Fact]
    public void Next_WithFewerReplicasThanMembers_PutsNoneBackForWhoIsGivenUpOrHasYetToJoin()
    {
        Assert.IsType<ClusterAction.BeginLoss>(Next(Cluster(2, spec => spec.LostNodes = [IdOf(2)]), ScaledByHand(2)));
        var joining = ScaledByHand(2).WithRing(ring => ring with { Members = ring.Members.SetItem(2, ring.Members[2] with { State = MemberState.Joining }) });
        Assert.IsNotType<ClusterAction.GrowStatefulSets>(Next(Cluster(2), joining));
    }

    private static ObservedCluster ScaledByHand(int replicas)
    {
        var observed = Observed(3, 3);
        return observed with { Workloads = [observed.Workloads[0] with { Replicas = replicas }], Nodes = observed.Nodes[..replicas], Volumes = [.. observed.Nodes.Select(node => new ObservedVolume(node.Name, node.Name))] };
    }

    [Fact]
    public void Next_WithReplicasThatTheSpecDoesNotWant_TakesThemAwayAndDoesNotJoinThem() =>
        Assert.Equal(3, Assert.IsType<ClusterAction.ShrinkStatefulSets>(Next(Cluster(3), Observed(5, 3))).ReplicasByZone[""]);

    [Fact]
    public void Next_WithAnotherRingSize_SaysThatItIsFixed() =>
        AssertRefused(Conditions.Reasons.RingSizeImmutable, Cluster(3, spec => spec.RingSize = 128), Observed(3, 3));

    /// <summary>64 partitions are what a node's memory is divided for unless it is told otherwise; one node of several may be away.</summary>
    [Theory]
    [InlineData(256, 4, null, "256 on 4 nodes is 86 partitions for each, if one of its nodes is away, and a node's memory is divided for 64: ask for more nodes, or set spec.config.stores to 86")]
    [InlineData(128, 1, null, "128 on 1 nodes is 128 partitions for each, and")]
    [InlineData(1024, 200, "5", "1024 on 200 nodes is 6 partitions")]
    [InlineData(256, 5, null, null)]
    [InlineData(256, 4, "86", null)]
    [InlineData(64, 1, null, null)]
    public void Next_WithMorePartitionsThanNodesHaveMemoryFor_MakesNoRing(int ringSize, int nodes, string? stores, string? says)
    {
        var cluster = Cluster(nodes, spec => (spec.RingSize, spec.Config) = (ringSize, stores is null ? null : new() { ["stores"] = stores }));
        if (says is null)
        {
            Assert.IsNotType<ClusterAction.Refuse>(Next(cluster, Observed(nodes, 0)));
            return;
        }

        AssertRefused(Conditions.Reasons.TooManyPartitions, cluster, Observed(nodes, 0));
        Assert.Contains(says, Assert.IsType<ClusterAction.Refuse>(Next(cluster, Observed(nodes, 0))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Next_WithARingOfTooManyPartitions_LooksAfterIt_ButMakesItOfNoFewerNodes()
    {
        var observed = Observed(3, 3);
        observed = observed with { Ring = observed.Ring! with { RingSize = 256 } };
        Assert.IsType<ClusterAction.GrowStatefulSets>(Next(Cluster(4, spec => spec.RingSize = 256), observed));
        AssertRefused(Conditions.Reasons.TooManyPartitions, Cluster(2, spec => spec.RingSize = 256), observed);
    }

    [Fact]
    public void Next_WithAVolumeOfAnotherCluster_ChangesNothing() =>
        AssertRefused(Conditions.Reasons.ForeignNode, Cluster(), Observed(3, 1).With(2, node => node with { Answer = node.Answer! with { ClusterId = Guid.NewGuid().ToString() } }));

    [Fact]
    public void Next_WithAVolumeThatWasLost_DoesNotJoinItAnew() =>
        AssertRefused(Conditions.Reasons.IdentityLost, Cluster(), Observed(3, 3).With(2, node => node with { Answer = new NodeAnswer("ffffffffffffffff", "", "0.1.0") }));

    [Fact]
    public void Next_WithTwoNodesDownAfterItWasReady_IsSteady()
    {
        var cluster = Cluster(5);
        cluster.Status.ObservedGeneration = 1;
        cluster.Status.Ring = new RingStatus { Version = 7 };
        var observed = Observed(5, 5).With(0, node => node with { Answer = null, Ready = false, Running = false }).With(3, node => node with { Answer = null, Ready = false, Running = false });
        Assert.IsType<ClusterAction.Steady>(Next(cluster, observed));
    }

    [Fact]
    public void Next_WithEverythingThere_IsSteady() => Assert.IsType<ClusterAction.Steady>(Next(Cluster(), Observed(3, 3)));

    [Fact]
    public void Next_WithOutdatedNodes_RestartsOne()
    {
        var restart = Assert.IsType<ClusterAction.RestartNode>(Next(Cluster(5), Rollout(1, 3)));
        Assert.Equal(("example-1", false, 1), (restart.Node.Name, restart.IsBroken, restart.Left));
    }

    [Fact]
    public void Next_WithOutdatedNodesAndAnotherDown_WaitsAndNamesTheList()
    {
        var observed = Rollout(1).WithRing(ring => ring with { Members = ring.Members.SetItem(2, ring.Members[2] with { Up = false, SeenUpBy = 0, SeenDownBy = 4 }) });
        var wait = Assert.IsType<ClusterAction.WaitForGate>(Next(Cluster(5), observed));
        Assert.Equal(Conditions.Reasons.QuorumAtRisk, wait.Why.Reason);
        var cluster = Cluster(5);
        cluster.Status = ClusterStatusBuilder.Build(cluster, observed, wait, null, Now);
        Assert.Equal("False", cluster.Status.Conditions!.Single(condition => condition.Type == Conditions.Blocked).Status);
        var status = ClusterStatusBuilder.Build(cluster, observed, wait, null, Now + ClusterStatusBuilder.GatePatience);
        Assert.Contains("partition 0", status.Conditions!.Single(condition => condition is { Type: Conditions.Blocked, Status: "True" }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Next_WithAnOutdatedNodeThatDoesNotRun_RestartsItThoughPartitionsMove()
    {
        var observed = Rollout(1, 2).With(2, node => node with { Running = false, IsBroken = true, Ready = false, Answer = null }).WithRing(ring => ring with { PendingTransfers = 3 });
        Assert.Equal(("example-2", true), Assert.IsType<ClusterAction.RestartNode>(Next(Cluster(5), observed)) is var restart ? (restart.Node.Name, restart.IsBroken) : default);
    }

    /// <summary>One that went down for a moment comes back by itself, as what it was; what a member is not ready with is given to no other.</summary>
    [Theory]
    [InlineData("ended once", false)]
    [InlineData("broken", true)]
    [InlineData("pending for a minute", false)]
    [InlineData("pending for longer", true)]
    [InlineData("broken, a member on trial", false)]
    [InlineData("pending for longer, a member on trial", false)]
    [InlineData("broken, a node on trial that is no member", true)]
    [InlineData("broken, a node on trial that leaves", true)]
    public void Next_WithAnOutdatedNodeThatDoesNotRun_RestartsItOnlyIfItIsBroken(string what, bool restarts)
    {
        var observed = Rollout(1, 2)
            .With(2, node => node with
            {
                Running = false,
                Ready = false,
                Answer = null,
                IsBroken = what.StartsWith("broken", StringComparison.Ordinal),
                PendingSince = what.StartsWith("pending", StringComparison.Ordinal) ? Now - ClusterPlanner.StartPatience - (what.Contains("longer", StringComparison.Ordinal) ? TimeSpan.FromSeconds(1) : default) : null,
            })
            .With(0, node => node with { Ready = false, IsOnTrial = what.Contains("on trial", StringComparison.Ordinal) })
            .WithRing(ring => ring with
            {
                Members = what switch
                {
                    "broken, a node on trial that is no member" => ring.Members.SetItem(0, ring.Members[0] with { Name = "another" }),
                    "broken, a node on trial that leaves" => ring.Members.SetItem(0, ring.Members[0] with { State = MemberState.Exiting }),
                    _ => ring.Members,
                },
            });
        Assert.Equal(restarts, Next(Cluster(5), observed) is ClusterAction.RestartNode { IsBroken: true, Node.Name: "example-2" });
        if (!restarts)
        {
            Assert.Equal(Conditions.Reasons.NodesDown, Assert.IsType<ClusterAction.WaitForGate>(Next(Cluster(5), observed)).Why.Reason);
        }
    }

    [Fact]
    public void Next_WithOutdatedNodesAndTheRolloutPaused_IsSteady() =>
        Assert.IsType<ClusterAction.Steady>(Next(Cluster(5, spec => spec.Rollout.Paused = true), Rollout(1, 2)));

    [Fact]
    public void Status_OfARolloutThatDoesNotMove_IsDegraded()
    {
        var cluster = Cluster(5);
        var observed = Rollout(1).With(2, node => node with { Ready = false });
        cluster.Status = ClusterStatusBuilder.Build(cluster, observed, Next(cluster, observed), null, Now);
        Assert.Equal("Rollout", cluster.Status.Operation!.Kind);
        var later = ClusterStatusBuilder.Build(cluster, observed, Next(cluster, observed), null, Now.AddSeconds(cluster.Spec.Rollout.StuckAfterSeconds));
        Assert.Equal(Conditions.Reasons.RolloutStuck, later.Conditions!.Single(condition => condition.Type == Conditions.Degraded).Reason);
    }

    private static ObservedCluster Rollout(params int[] outdated)
    {
        var observed = Observed(5, 5).WithRing(ring => ring with
        {
            Views = 5,
            HintViews = 5,
            Quorums = [new Kv.Operator.Gates.GateQuorum("default", 3, 2)],
            Members = [.. ring.Members.Select(member => member with { SeenUpBy = 4 })],
        });
        return observed with { Nodes = [.. observed.Nodes.Select(node => node with { IsOutdated = outdated.Contains(node.Ordinal), Answer = node.Answer! with { Uptime = TimeSpan.FromHours(1) } })] };
    }

    [Fact]
    public void Next_WithASpecThatMakesNoSense_Refuses() =>
        AssertRefused(Conditions.Reasons.InvalidSpec, Cluster(3, spec => spec.Config = new() { ["name"] = "x" }), Observed(3, 3));

    private static ClusterAction Next(Cluster cluster, ObservedCluster observed) => ClusterPlanner.Next(cluster, observed, Now);

    private static void AssertRefused(string reason, Cluster cluster, ObservedCluster observed)
    {
        Assert.Equal(reason, Assert.IsType<ClusterAction.Refuse>(Next(cluster, observed)).Reason);
        var status = ClusterStatusBuilder.Build(cluster, observed, Next(cluster, observed), null, Now);
        var blocked = status.Conditions!.Single(condition => condition.Type == Conditions.Blocked);
        Assert.Equal(("True", reason), (blocked.Status, blocked.Reason));
        Assert.Equal("False", status.Conditions!.Single(condition => condition.Type == Conditions.Ready).Status);
    }
}
