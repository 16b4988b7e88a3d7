using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Membership;

/// <summary>Making a cluster, and the administrator's words on the way: stage, plan, commit.</summary>
public sealed class FormationTests
{
    [Fact]
    public void FiveNodes_StagedAsOnePlan_ConvergeOnABalancedRing() => SimCluster.Run(1, 5, async cluster =>
    {
        await cluster.FormAsync(5, ringSize: 64);

        var shares = RingTransition.Count(cluster.Document.Ring.Owners);
        Assert.Equal(5, shares.Count);
        Assert.InRange(shares.Values.Max() - shares.Values.Min(), 0, 1);
        Assert.All(cluster.Document.Members, member => Assert.Equal(MemberState.Valid, member.State));
        await cluster.UntilAsync(() => cluster.Nodes.All(n => n.Node.Admin.GetCluster().Value!.IsConverged), 10, "all know that all hold the document");
    });

    /// <summary>A node's memory is divided for so many stores. The first node of a larger ring owns all of it for a while, and must not make a store of each.</summary>
    [Fact]
    public void ALargeRing_FormsOnNodesThatHaveRoomForTheirShareAlone_AndTakesWrites()
    {
        const int Room = 16; // 13 of 64 partitions are a node's
        var options = new ClusterOptions { RequestTimeout = TimeSpan.FromSeconds(5), AntiEntropy = false, MaxVnodes = Room };
        SimCluster.Run(9, 5, async cluster =>
        {
            var most = 0;
            cluster.OnDocument = (_, _) => most = Math.Max(most, cluster.Up.Max(node => node.Node.Vnodes.Count));
            await cluster.FormAsync(5, ringSize: 64);
            await cluster.UntilAsync(
                () => cluster.Document.Ring.Owners.Select((owner, partition) => cluster.Nodes.Single(node => node.Id == owner).Node.Vnodes.Any(vnode => vnode.Partition.Number == partition)).All(isOpen => isOpen),
                20, "every partition is open at its owner");
            Assert.Equal(Room, most);

            var load = await Load.BeginAsync(cluster);
            await cluster.DelayAsync(TimeSpan.FromSeconds(3));
            await load.EndAsync();
            Assert.Empty(load.Errors);
            await load.VerifyAsync();
        }, options: options);
    }

    [Fact]
    public void Plan_OfFourJoins_IsOnePlan_AndCommittedTwiceChangesOnce() => SimCluster.Run(2, 5, async cluster =>
    {
        await cluster.FormAsync(1);
        var (admin, addresses) = (cluster.Nodes[0], cluster.Nodes[1..].Select(n => n.Address).ToArray());
        var plan = SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.StageJoinAsync(addresses, default)));
        Assert.Equal(4, plan.Document.Staged.Length);
        Assert.Equal(5, plan.Members.Count(m => m.PartitionsAfter > 0));

        var again = SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.StageJoinAsync(addresses, default)));
        Assert.Equal(plan.PlanId, again.PlanId);
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CommitAsync(plan.PlanId, default)));
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CommitAsync(plan.PlanId, default)));
        var other = await cluster.Nodes[3].InAsync(async () => await cluster.Nodes[3].Node.Admin.CommitAsync("0000000000000000", default));

        Assert.Equal(RefusalReason.NothingPlanned, other.Refusal!.Reason);
        await cluster.SettleAsync();
        Assert.Equal(plan.PlanId, cluster.Document.LastCommittedPlanId);
    });

    [Fact]
    public void Commit_OfAnOlderPlan_IsRefused() => SimCluster.Run(3, 3, async cluster =>
    {
        await cluster.FormAsync(1);
        var admin = cluster.Nodes[0];
        var plan = SimCluster.Expect(await StageAsync(admin, cluster.Nodes[1].Address));
        SimCluster.Expect(await StageAsync(admin, cluster.Nodes[2].Address));

        var late = await admin.InAsync(async () => await admin.Node.Admin.CommitAsync(plan.PlanId, default));

        Assert.Equal(RefusalReason.PlanChanged, late.Refusal!.Reason);
    });

    [Fact]
    public void TwoAdministrators_AtOnce_EndInOneDocumentWithBothWishes() => SimCluster.Run(4, 5, async cluster =>
    {
        await cluster.FormAsync(3);
        var (one, two) = (cluster.Nodes[1], cluster.Nodes[2]);
        var first = one.InAsync(async () => await one.Node.Admin.StageJoinAsync([cluster.Nodes[3].Address], default));
        var second = two.InAsync(async () => await two.Node.Admin.StageJoinAsync([cluster.Nodes[4].Address], default));
        SimCluster.Expect(await first);
        SimCluster.Expect(await second);
        await cluster.UntilAsync(() => cluster.Nodes.All(n => n.Document?.Staged.Length == 2), 10, "both joins are staged everywhere");

        var plan = one.Node.Admin.GetPlan().Value!;
        var commits = new[] { one, two }.Select(n => n.InAsync(async () => await n.Node.Admin.CommitAsync(plan.PlanId, default))).ToList();
        foreach (var commit in commits)
        {
            SimCluster.Expect(await commit);
        }

        await cluster.SettleAsync();
        Assert.Equal(5, RingTransition.Count(cluster.Document.Ring.Owners).Count);
    });

    [Fact]
    public void Create_Repeated_ChangesNothing_AndInAnotherCluster_IsRefused() => SimCluster.Run(5, 2, async cluster =>
    {
        await cluster.FormAsync(1);
        var node = cluster.Nodes[0];
        var again = await node.InAsync(async () => await node.Node.Admin.CreateClusterAsync(SimCluster.ClusterId, "sim", 16, default));
        var other = await node.InAsync(async () => await node.Node.Admin.CreateClusterAsync(new Guid(9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9), "other", 16, default));
        var odd = await cluster.Nodes[1].InAsync(async () => await cluster.Nodes[1].Node.Admin.CreateClusterAsync(null, "odd", 17, default));

        Assert.Equal(1, again.Value!.Document.Version);
        Assert.Equal("already_member", other.Refusal!.Reason);
        Assert.Equal(AdminRefusalKind.InvalidArgument, odd.Refusal!.Kind);
        Assert.Null(cluster.Nodes[1].Document);
    });

    [Fact]
    public void Join_OfItselfOfAStrangerAndOfNobody_IsRefused() => SimCluster.Run(6, 3, async cluster =>
    {
        await cluster.FormAsync(1);
        var (admin, stranger) = (cluster.Nodes[0], cluster.Nodes[1]);
        SimCluster.Expect(await stranger.InAsync(async () => await stranger.Node.Admin.CreateClusterAsync(null, "stranger", 16, default)));

        Assert.Equal(RefusalReason.NotSingleNode, (await StageAsync(admin, stranger.Address)).Refusal!.Reason);
        Assert.Equal(RefusalReason.NotReachable, (await StageAsync(admin, "nobody:9081")).Refusal!.Reason);
        Assert.Equal("not_in_cluster", (await StageAsync(cluster.Nodes[2], admin.Address)).Refusal!.Reason);
        Assert.Equal(1, admin.Document!.Version);
    });

    [Fact]
    public void Join_TakenBack_LeavesTheNodeFree() => SimCluster.Run(7, 2, async cluster =>
    {
        await cluster.FormAsync(1);
        var (admin, joining) = (cluster.Nodes[0], cluster.Nodes[1]);
        SimCluster.Expect(await StageAsync(admin, joining.Address));
        await cluster.UntilAsync(() => joining.Document is not null, 5, "the joining node is told");

        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ClearStagedAsync(default)));

        await cluster.UntilAsync(() => joining.Document is null, 5, "the node is free again");
        SimCluster.Expect(await joining.InAsync(async () => await joining.Node.Admin.CreateClusterAsync(null, "own", 16, default)));
    });

    [Fact]
    public void TwoJoins_TakenBack_AreNotTaughtByEachOther() => SimCluster.Run(8, 3, async cluster =>
    {
        await cluster.FormAsync(1);
        var (admin, free, behind) = (cluster.Nodes[0], cluster.Nodes[1], cluster.Nodes[2]);
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.StageJoinAsync([free.Address, behind.Address], default)));
        await cluster.UntilAsync(() => free.Document?.Staged.Length == 2 && behind.Document?.Staged.Length == 2, 5, "both are told");
        cluster.Network.Cut(admin.Id, behind.Id);
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ClearStagedAsync(default)));
        await cluster.UntilAsync(() => free.Document is null, 20, "the one that hears of it is free");
        for (var second = 0; second < 20; second++)
        {
            await cluster.DelayAsync(TimeSpan.FromSeconds(1));
            Assert.Null(free.Document);
        }

        cluster.Network.HealAll();
        await cluster.UntilAsync(() => behind.Document is null, 30, "so is the other");
    });

    [Fact]
    public void JoiningNode_TakesNoRequests() => SimCluster.Run(9, 2, async cluster =>
    {
        await cluster.FormAsync(1);
        SimCluster.Expect(await StageAsync(cluster.Nodes[0], cluster.Nodes[1].Address));
        await cluster.UntilAsync(() => cluster.Nodes[1].Document is not null, 5, "the joining node is told");
        cluster.Network.Cut(cluster.Nodes[0].Id, cluster.Nodes[1].Id);

        var put = new KvRequest.Put { Key = new("default", "b", "k"), Content = new Core.Objects.Sibling { Dot = null, Value = "v"u8.ToArray() } };
        Assert.IsType<KvError.NotReady>(Assert.IsType<KvOutcome.Failed>(await cluster.Nodes[1].AskAsync(put)).Error);
    });

    [Fact]
    public void JoiningNode_ThatMissedTheNews_IsToldAgain() => SimCluster.Run(8, 2, async cluster =>
    {
        await cluster.FormAsync(1);
        var lost = 0;
        cluster.Network.Drop = (_, _, request) => request is Peers.PeerRequest.LearnDocument && lost++ == 0;
        SimCluster.Expect(await StageAsync(cluster.Nodes[0], cluster.Nodes[1].Address));

        await cluster.UntilAsync(() => cluster.Nodes[1].Document is not null, 10, "the joining node is told");
        Assert.True(lost > 1);
    });

    [Fact]
    public void EmptyVolume_UnderAKnownName_DoesNotSneakIn() => SimCluster.Run(9, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        var node = cluster.Nodes[2];
        node.Kill();
        node.LoseVolume(new NodeId(33));
        await node.StartAsync();
        await cluster.DelayAsync(TimeSpan.FromSeconds(10));

        Assert.Null(node.Document);
        Assert.Null(node.Node.Admin.GetNode().ClusterId);
        Assert.Equal(RefusalReason.NameTaken, (await StageAsync(cluster.Nodes[0], node.Address)).Refusal!.Reason);
    });

    [Fact]
    public void Restart_FindsTheDocumentOnDisk_AndLearnsWhatItMissed() => SimCluster.Run(10, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        var node = cluster.Nodes[1];
        await node.StopAsync();
        var admin = cluster.Nodes[0];
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("t", "{}", default)));
        node.Address = "elsewhere:9081";
        await node.StartAsync();

        Assert.Equal(cluster.Document.Version, node.Document!.Version);
        await cluster.UntilAsync(() => admin.Document!.FindMember(node.Id)!.Endpoints["peer"] == "elsewhere:9081", 10, "the document has its new address");
    });

    [Theory]
    [InlineData("ordered")]
    [InlineData("memory")]
    public void ATypeOfABackendThatCameLater_IsActivatedOnceAllMembersCanKeepIt(string backend) => SimCluster.Run(11, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        var (admin, old) = (cluster.Nodes[0], cluster.Nodes[1].Id);
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("t", $$"""{"backend":"{{backend}}"}""", default)));
        await cluster.SettleAsync();
        cluster.Network.Instead = (_, to, request) => to == old && request is PeerRequest.KnowsOrdered or PeerRequest.KnowsMemory ? new PeerReply.Refused(PeerReply.Refused.Unreadable + "code 33") : null;
        var refused = (await admin.InAsync(async () => await admin.Node.Admin.ActivateBucketTypeAsync("t", default))).Refusal!;
        Assert.Equal(RefusalReason.NotReady, refused.Reason);
        Assert.Contains(cluster.Document.FindMember(old)!.Name, refused.Message, StringComparison.Ordinal);
        Assert.Contains($"`{backend}`", refused.Message, StringComparison.Ordinal);
        cluster.Network.Instead = null;
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ActivateBucketTypeAsync("t", default)));
    });

    /// <summary>Members are asked about the type as it was: another one may be in its place by the time they have answered.</summary>
    [Fact]
    public void ATypeThatIsCreatedAnew_WhileItIsActivated_IsNotActiveUnseen() => SimCluster.Run(12, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        var (admin, other) = (cluster.Nodes[0], cluster.Nodes[1]);
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("t", """{"backend":"memory"}""", default)));
        await cluster.SettleAsync();
        cluster.Network.Hold = (_, _, request) => request is PeerRequest.KnowsMemory ? TimeSpan.FromSeconds(2) : TimeSpan.Zero;
        var activating = admin.InAsync(async () => await admin.Node.Admin.ActivateBucketTypeAsync("t", default));
        await cluster.DelayAsync(TimeSpan.FromSeconds(1));
        SimCluster.Expect(await other.InAsync(async () => await other.Node.Admin.CreateBucketTypeAsync("t", """{"backend":"ordered"}""", default)));
        Assert.Equal(RefusalReason.NotReady, (await activating).Refusal?.Reason);
        cluster.Network.Hold = null;
        await cluster.SettleAsync();
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ActivateBucketTypeAsync("t", default)));
    });

    private static async Task<AdminResult<PlanView>> StageAsync(SimNode admin, string address) =>
        await admin.InAsync(async () => await admin.Node.Admin.StageJoinAsync([address], default));
}
