using System.Text.Json;
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

    /// <summary>What is wrong with the data, and what is said of it.</summary>
    public static TheoryData<string, string, string, string> Replicas => new()
    {
        { "as it should be", "False", Conditions.Reasons.AsExpected, "" },
        { "damaged", "True", Conditions.Reasons.DataDamaged, "example-1 (2 partitions); it is rebuilt from the other copies" },
        { "damaged, and paused", "True", Conditions.Reasons.DataDamaged, "example-1 (2 partitions); spec.paused is true, and kv cluster rebuild has it made anew" },
        { "damaged, held for another", "True", Conditions.Reasons.DataDamaged, "example-1 (1 partitions); what example-1 held of it for others is given up at a person's word: kv cluster rebuild" },
        { "damaged everywhere", "True", Conditions.Reasons.DataDamaged, "example-1 (1 partitions); of the 3 copies from partition 0 on 0 are whole, and it takes 2 to be certain of all that was acknowledged: what is damaged is given up at a person's word: kv cluster rebuild" },
        { "an empty volume", "True", Conditions.Reasons.NodesLost, "example-2" },
        { "given up", "True", Conditions.Reasons.NodesLost, "example-2" },
        { "rebuilding", "True", Conditions.Reasons.Rebuilding, "partitions are rebuilt" },
        { "silent", "Unknown", Conditions.Reasons.NodesUnreachable, "example-2" },
        { "no ring", "Unknown", Conditions.Reasons.NoRing, "no ring" },
    };

    [Theory]
    [MemberData(nameof(Replicas))]
    public void UnderReplicated_IsWhereCopiesAreGone_AndNotWhereANodeIsAway(string what, string expected, string reason, string message)
    {
        var cluster = Cluster(3, spec => (spec.LostNodes, spec.Paused) = (what == "given up" ? [IdOf(2)] : null, what == "damaged, and paused"));
        var observed = what switch
        {
            "damaged, held for another" => Observed(3, 3).With(1, node => node with { Answer = node.Answer! with { Damaged = [2] } }),
            "damaged everywhere" => Observed(3, 3).With(1, node => node with { Answer = node.Answer! with { Damaged = [1] } }).WithRing(ring => ring with { Missing = [0, 1, 2] }),
            "damaged" or "damaged, and paused" => Observed(3, 3).With(1, node => node with { Answer = node.Answer! with { Damaged = [1, 4] } }),
            "an empty volume" => Observed(3, 3).With(2, node => node with { Answer = new NodeAnswer("ffffffffffffffff", "", "0.1.0") }),
            "given up" or "silent" => Observed(3, 3).With(2, node => node with { Answer = null }),
            "rebuilding" => Observed(3, 3).WithRing(ring => ring with { PendingTransfers = 5, Rebuilding = [1, 2, 3, 4] }),
            "no ring" => Observed(3, 0),
            _ => Observed(3, 3),
        };
        var status = Of(cluster, observed, new ClusterAction.Steady());
        var told = Condition(status, Conditions.UnderReplicated);
        Assert.Equal((expected, reason), (told.Status, told.Reason));
        Assert.Contains(message, told.Message ?? "", StringComparison.Ordinal);
        Assert.Equal(expected == "True", Condition(status, Conditions.Degraded).Reason == reason && reason != Conditions.Reasons.AsExpected);
    }

    [Fact]
    public void DiskPressure_BeginsBelowATwentieth_AndEndsOnlyAtATenth()
    {
        var cluster = Cluster();
        foreach (var (free, expected) in new[] { (6, "False"), (5, "False"), (4, "True"), (5, "True"), (9, "True"), (10, "False"), (9, "False"), (0, "True") })
        {
            cluster.Status = Of(cluster, Observed(3, 3).With(1, node => node with { Answer = node.Answer! with { DataBytes = 100 - free, FreeBytes = free } }), new ClusterAction.Steady());
            Assert.Equal((free, expected), (free, Condition(cluster.Status, Conditions.DiskPressure).Status));
            Assert.Equal(expected == "True", cluster.Status.Summary == "nearly full: the disk of example-1");
        }
    }

    [Fact]
    public void DiskPressure_OfANode_EndsWithItsOwnDisk_AndIsNotAnothers()
    {
        var cluster = Cluster();
        foreach (var (first, second, expected) in new[] { (4, 8, "example-0"), (8, 8, "example-0"), (20, 8, ""), (20, 4, "example-1"), (4, 9, "example-0, example-1"), (20, 20, "") })
        {
            var observed = Observed(3, 3).With(0, node => WithFree(node, first)).With(1, node => WithFree(node, second));
            cluster.Status = Of(cluster, observed, new ClusterAction.Steady());
            var told = Condition(cluster.Status, Conditions.DiskPressure);
            Assert.Equal((first, second, expected.Length > 0 ? "True" : "False"), (first, second, told.Status));
            Assert.Equal(expected.Length > 0 ? $"nearly full: the disk of {expected}" : "", told.Message ?? "");
        }
    }

    [Fact]
    public void DiskPressure_OfANodeThatDoesNotAnswer_StaysWhatItWas()
    {
        var cluster = Cluster();
        foreach (var (free, expected) in new (int?, string)[] { (null, "False"), (4, "True"), (null, "True"), (7, "True"), (null, "True"), (12, "False"), (null, "False"), (7, "False") })
        {
            cluster.Status = Of(cluster, Observed(3, 3).With(1, node => free is { } percent ? WithFree(node, percent) : node with { Answer = null }), new ClusterAction.Steady());
            Assert.Equal((free, expected), (free, Condition(cluster.Status, Conditions.DiskPressure).Status));
        }

        // Nor does a pass in which nothing was seen make it forgotten.
        cluster.Status = Of(cluster, Observed(3, 3).With(1, node => WithFree(node, 4)), new ClusterAction.Steady());
        cluster.Status = ClusterStatusBuilder.Build(cluster, null, null, "no", Now);
        cluster.Status = Of(cluster, Observed(3, 3).With(1, node => WithFree(node, 7)), new ClusterAction.Steady());
        Assert.Equal("True", Condition(cluster.Status, Conditions.DiskPressure).Status);
    }

    [Fact]
    public void WhatDegradesTheCluster_IsToldOnce()
    {
        var cluster = Cluster();
        var before = Of(cluster, Observed(3, 3), new ClusterAction.Steady());
        var after = Of(cluster, Observed(3, 3).WithRing(ring => ring with { Rebuilding = [1, 2, 3, 4] }), new ClusterAction.Steady());
        Assert.Equal(["UnderReplicated is True: partitions are rebuilt from their other copies"], Transition.Between(before.Conditions, after.Conditions).Select(one => one.Message));
        Assert.Equal("True", Condition(after, Conditions.Degraded).Status);
    }

    /// <summary>Of a node's certificate, in days from now, and what is said.</summary>
    public static TheoryData<int?, int, string?, string> Certificates => new()
    {
        { null, 0, null, "" },
        { -30, 60, "True", Conditions.Reasons.AsExpected },
        { -80, 10, "True", Conditions.Reasons.AsExpected },
        { -80, 8, "False", Conditions.Reasons.CertificatesExpiring },
        { -3000, 15, "True", Conditions.Reasons.AsExpected },
        { -3000, 13, "False", Conditions.Reasons.CertificatesExpiring },
        { -80, 0, "False", Conditions.Reasons.CertificatesInvalid },
        { 1, 90, "False", Conditions.Reasons.CertificatesInvalid },
    };

    [Theory]
    [MemberData(nameof(Certificates))]
    public void CertificatesValid_IsWhatNodesTell_AndNotThereWhereNoneHasOne(int? from, int until, string? expected, string reason)
    {
        var observed = Observed(3, 3).With(0, node => WithCertificate(node, from is null ? null : -1, 3650)).With(1, node => WithCertificate(node, from, until));
        var status = Of(Cluster(), observed, new ClusterAction.Steady());
        var told = status.Conditions!.SingleOrDefault(condition => condition.Type == Conditions.CertificatesValid);
        Assert.Equal(expected, told?.Status);
        Assert.Equal(reason, told?.Reason ?? "");
        Assert.Equal(expected == "False" ? ("True", reason) : ("False", Conditions.Reasons.AsExpected), (Condition(status, Conditions.Degraded).Status, Condition(status, Conditions.Degraded).Reason));
        Assert.Contains(expected is null ? "" : "example-1 (", told?.Message ?? "", StringComparison.Ordinal);
        Assert.Equal("True", Condition(status, Conditions.Ready).Status);
    }

    [Fact]
    public void CertificatesValid_IsUnknownWhereThoseThatHaveOneAreSilent_AndGoesWhereNoneHasOneAnyMore()
    {
        var cluster = Cluster();
        cluster.Status = Of(cluster, Observed(3, 3).With(1, node => WithCertificate(node, -1, 60)), new ClusterAction.Steady());
        var silent = Of(cluster, Observed(3, 3).With(1, node => node with { Answer = null }), new ClusterAction.Steady());
        Assert.Equal(("Unknown", Conditions.Reasons.NodesUnreachable), (Condition(silent, Conditions.CertificatesValid).Status, Condition(silent, Conditions.CertificatesValid).Reason));
        Assert.Equal("Unknown", Condition(Of(cluster, null, null, "no answer"), Conditions.CertificatesValid).Status);
        Assert.DoesNotContain(Of(cluster, Observed(3, 3), new ClusterAction.Steady()).Conditions!, condition => condition.Type == Conditions.CertificatesValid);
    }

    [Fact]
    public void UpgradeInProgress_WhileNodesRestartOneByOne_WithTheVersionThatTheyAreToRun()
    {
        var cluster = Cluster();
        var old = Observed(3, 3) with { Nodes = [.. Observed(3, 3).Nodes.Select(node => node with { IsOutdated = true })] };
        var status = Of(cluster, old, new ClusterAction.RestartNode(old.Nodes[0], false, 2, null));
        Assert.Equal("True", Condition(status, Conditions.UpgradeInProgress).Status);
        Assert.Equal(("0.1.0", null), (status.Version, status.TargetVersion));

        var half = old.With(0, node => node with { IsOutdated = false, Answer = node.Answer! with { Version = "0.2.0" } });
        status = Of(cluster, half, new ClusterAction.RestartNode(half.Nodes[1], false, 1, null));
        Assert.Equal("2 of 3 nodes have yet to restart", Condition(status, Conditions.UpgradeInProgress).Message);
        Assert.Equal((null, "0.2.0"), (status.Version, status.TargetVersion));

        status = Of(cluster, Observed(3, 3), new ClusterAction.Steady());
        Assert.Equal("False", Condition(status, Conditions.UpgradeInProgress).Status);
        Assert.Null(status.TargetVersion);
    }

    [Fact]
    public void Operation_TellsHowMuchOfTheTransfersIsDone_AndOfARolloutHowManyNodes()
    {
        var cluster = Cluster(5);
        foreach (var (pending, percent, most) in new (int, int?, int?)[] { (0, null, null), (30, 0, 30), (40, 0, 40), (10, 75, 40), (1, 97, 40), (0, null, null), (8, 0, 8) })
        {
            var moving = Observed(5, 5).WithRing(ring => ring with { PendingTransfers = pending });
            cluster.Status = Of(cluster, moving, new ClusterAction.WaitForTransfers(pending));
            Assert.Equal((percent, most, null), (cluster.Status.Operation!.ProgressPercent, cluster.Status.Operation.Transfers, cluster.Status.Operation.Node));
        }

        var outdated = Observed(5, 5).With(3, node => node with { IsOutdated = true }).With(4, node => node with { IsOutdated = true });
        var status = Of(cluster, outdated, new ClusterAction.RestartNode(outdated.Nodes[3], false, 1, null));
        Assert.Equal((60, "example-3"), (status.Operation!.ProgressPercent, status.Operation.Node));
    }

    [Fact]
    public void Effective_IsTheImageOfAllZones_AndWhatADrainMayTake()
    {
        var cluster = Cluster();
        Assert.Null(Of(cluster, Observed(3, 3), new ClusterAction.Steady()).Effective);
        var zones = Observed(3, 3) with { DisruptionsAllowed = 0, Workloads = [new("a", "example-a", 2) { Image = "kv:1" }, new("b", "example-b", 1) { Image = "kv:1" }] };
        cluster.Status = Of(cluster, zones, new ClusterAction.Steady());
        Assert.Equal(("kv:1", 0), (cluster.Status.Effective!.Image, cluster.Status.Effective.MaxUnavailable));
        Assert.Equal("kv:1", ClusterStatusBuilder.Build(cluster, null, null, "no", Now).Effective!.Image);

        var changing = zones with { DisruptionsAllowed = 1, Workloads = zones.Workloads.SetItem(1, zones.Workloads[1] with { Image = "kv:2" }) };
        var status = Of(cluster, changing, new ClusterAction.Steady());
        Assert.Equal((null, 1), (status.Effective!.Image, status.Effective.MaxUnavailable));
    }

    [Fact]
    public void Ring_CountsItsOwnersApartFromThoseThatJoin()
    {
        var observed = Observed(4, 4).WithRing(ring => ring with { Members = ring.Members.SetItem(3, ring.Members[3] with { State = MemberState.Joining, Partitions = 0 }) });
        var status = Of(Cluster(4), observed, new ClusterAction.Steady());
        Assert.Equal((4, 3), (status.Ring!.Members, status.Ring.Owners));
    }

    [Fact]
    public void DataBytes_FollowWhatIsKept_ButNotEveryByte()
    {
        const long Gi = 1024 * 1024 * 1024;
        var cluster = Cluster();
        foreach (var (kept, expected) in new[] { (0L, 0L), (1000, 0), (Gi, Gi), (Gi + (Gi / 11), Gi), (Gi - (Gi / 11), Gi), (Gi / 2, Gi / 2) })
        {
            cluster.Status = Of(cluster, Observed(3, 3).With(1, node => node with { Answer = node.Answer! with { DataBytes = kept, FreeBytes = 100 * Gi } }), new ClusterAction.Steady());
            Assert.Equal(expected, cluster.Status.NodeStatuses![1].DataBytes);
        }
    }

    /// <summary>What is seen again is told again in the same words, or a quiet cluster would be written for ever.</summary>
    [Fact]
    public void Status_OfTheSameAgain_IsTheSame()
    {
        var cluster = Cluster();
        var observed = Observed(3, 3)
            .With(0, node => node with { Answer = node.Answer! with { Damaged = [0, 3], DataBytes = 99, FreeBytes = 1 } })
            .With(1, node => node with { IsOutdated = true, Answer = node.Answer! with { Version = "0.0.9", FreeBytes = 1 << 30, Uptime = TimeSpan.FromHours(1) } });
        var action = new ClusterAction.RestartNode(observed.Nodes[1], false, 0, null);
        cluster.Status = Of(cluster, observed, action);
        observed = observed.With(1, node => node with { Answer = node.Answer! with { DataBytes = 1000, Uptime = TimeSpan.FromHours(2) } });
        var again = ClusterStatusBuilder.Build(cluster, observed, action, null, Now.AddSeconds(30));
        Assert.Equal(JsonSerializer.Serialize(cluster.Status, KvJson.Options), JsonSerializer.Serialize(again, KvJson.Options));
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

    private static ObservedNode WithCertificate(ObservedNode node, int? from, int until) =>
        node with { Answer = node.Answer! with { Certificate = from is { } days ? new ObservedCertificate(Now.AddDays(days), Now.AddDays(until)) : null } };

    private static ObservedNode WithFree(ObservedNode node, int percent) => node with { Answer = node.Answer! with { DataBytes = 100 - percent, FreeBytes = percent } };

    private static ClusterStatus Of(Cluster cluster, ObservedCluster? observed, ClusterAction? action, string? error = null) => ClusterStatusBuilder.Build(cluster, observed, action, error, Now);

    private static Kv.Operator.Api.Entities.Condition Condition(ClusterStatus status, string type) => status.Conditions!.Single(condition => condition.Type == type);
}
