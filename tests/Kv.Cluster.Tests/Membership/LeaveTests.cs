using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Membership;

/// <summary>Members that leave: refused while anything is amiss, all handed over, forgotten only when others know and nothing is left.</summary>
public sealed class LeaveTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Leave_UnderLoad_WithTheLeaverRestarted_LosesNothing_AndTheNodeKnowsThatItIsGone(int seed) => SimCluster.Run(seed, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        var (admin, leaver) = (cluster.Nodes[0], cluster.Nodes[4]);
        var load = await Load.BeginAsync(cluster);
        await load.WriteAllAsync(admin);
        await LeaveAsync(admin, leaver);
        var early = await admin.InAsync(async () => await admin.Node.Admin.ConfirmExitAsync(leaver.Id, default));
        Assert.Equal(RefusalReason.NotExiting, early.Refusal!.Reason);
        leaver.Kill();
        await cluster.DelayAsync(TimeSpan.FromSeconds(4));
        await leaver.StartAsync();

        await cluster.UntilAsync(() => admin.Document!.FindMember(leaver.Id)?.State == MemberState.Exiting, 240, "the leaver owns nothing");
        await cluster.UntilAsync(() => leaver.Node.Admin.GetNode().Held == 0, 120, "the leaver holds nothing");
        await cluster.UntilAsync(() => cluster.Nodes.All(n => n.Document!.Version == cluster.Document.Version), 20, "all know");
        await ConfirmAsync(cluster, admin, leaver);
        await cluster.UntilAsync(() => leaver.Node.Admin.GetNode().IsRemoved, 20, "the leaver knows");
        await load.EndAsync();

        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ConfirmExitAsync(leaver.Id, default)));
        leaver.Kill();
        await leaver.StartAsync();
        Assert.True(leaver.Node.Admin.GetNode().IsRemoved);
        var again = await admin.InAsync(async () => await admin.Node.Admin.StageJoinAsync([leaver.Address], default));
        Assert.Equal(RefusalReason.NotSingleNode, again.Refusal!.Reason);
    });

    [Fact]
    public void Leaver_ThatDecidesItsOwnRemovalAsTheClaimant_TellsEverybodyButItself() => SimCluster.Run(7, 4, async cluster =>
    {
        await cluster.FormAsync(4);
        var leaver = cluster.Nodes.MinBy(n => n.Id)!;
        var admin = cluster.Nodes.First(n => n != leaver);
        await LeaveAsync(admin, leaver);
        await cluster.UntilAsync(() => admin.Document!.FindMember(leaver.Id)?.State == MemberState.Exiting, 240, "the leaver owns nothing");
        await ConfirmAsync(cluster, admin, leaver);
        await cluster.UntilAsync(() => leaver.Node.Admin.GetNode().IsRemoved, 20, "the leaver knows");
        Assert.Equal(0, cluster.Network.SentToSelf);
    });

    [Fact]
    public void Leave_WhileAMemberIsAway_OrWithTooFewLeft_IsRefused() => SimCluster.Run(4, 4, async cluster =>
    {
        await cluster.FormAsync(4);
        var admin = cluster.Nodes[0];
        var few = await admin.InAsync(async () => await admin.Node.Admin.StageLeaveAsync([cluster.Nodes[2].Id, cluster.Nodes[3].Id], false, false, default));
        Assert.Equal(RefusalReason.TooFewMembers, few.Refusal!.Reason);
        cluster.Nodes[1].Kill();
        await cluster.UntilAsync(() => !admin.Node.State.Current.IsUp(cluster.Nodes[1].Id), 20, "the failure is seen");
        var away = await admin.InAsync(async () => await admin.Node.Admin.StageLeaveAsync([cluster.Nodes[3].Id], false, false, default));
        Assert.Equal(RefusalReason.MemberDown, away.Refusal!.Reason);
        Assert.Empty(admin.Document!.Staged);
        var up = await admin.InAsync(async () => await admin.Node.Admin.MarkDownAsync(cluster.Nodes[2].Id, default));
        Assert.Equal(RefusalReason.IsUp, up.Refusal!.Reason);
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.MarkDownAsync(cluster.Nodes[1].Id, default)));
        Assert.NotEmpty(admin.Node.Admin.GetPreflists(2).Value!.Lists);
        await cluster.Nodes[1].StartAsync();
        await cluster.UntilAsync(() => admin.Document!.FindMember(cluster.Nodes[1].Id)!.State == MemberState.Valid, 20, "the member says that it is back");
        await cluster.UntilAsync(() => admin.Node.Admin.GetPreflists(2).Value!.Lists.IsEmpty, 20, "no preference list is short");
    });

    [Fact]
    public void Leave_WithoutRoom_OrWhilePartitionsMove_IsRefused() => SimCluster.Run(8, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        var (admin, leaver) = (cluster.Nodes[0], cluster.Nodes[4]);
        var load = await Load.BeginAsync(cluster, clientCount: 0);
        await load.WriteAllAsync(admin);
        cluster.Nodes[1].Volume.FreeBytes = 10;
        Assert.Equal(RefusalReason.NoSpace, await StageAsync(admin, leaver));
        Assert.Empty(admin.Document!.Staged);

        cluster.Nodes[1].Volume.FreeBytes = long.MaxValue;
        await LeaveAsync(admin, leaver);
        Assert.Equal(RefusalReason.PendingTransfers, await StageAsync(admin, cluster.Nodes[3]));
    });

    /// <summary>By the disk, and not by what comes: 12 GiB free of 100 are room for 10, and would leave a disk that is nearly full.</summary>
    [Theory]
    [InlineData(20L << 30, 0, null)]
    [InlineData((20L << 30) - 4096, 0, RefusalReason.NoSpace)]
    [InlineData(2L << 30, 0, RefusalReason.NoSpace)]
    [InlineData(30L << 30, 31L << 30, RefusalReason.NoSpace)]
    public void Leave_ThatLeavesAMemberLessThanAFifthOfItsDisk_OrThanItsStoresNeed_IsRefused(long freeAfter, long reserved, string? reason) => SimCluster.Run(11, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        var (admin, taker, leaver) = (cluster.Nodes[0], cluster.Nodes[1], cluster.Nodes[4]);
        ClaimAGibibyteEach(cluster);
        var comes = await GainAsync(admin, taker, leaver) << 30;
        Assert.InRange(comes, 1L << 30, 50L << 30);

        taker.Volume.FreeBytes = freeAfter + comes;
        taker.Volume.UsedBytes = (100L << 30) - taker.Volume.FreeBytes;
        taker.Volume.ReservedBytes = reserved;
        Assert.Equal(reason, await StageAsync(admin, leaver));
        Assert.Equal(reason is null, !admin.Document!.Staged.IsEmpty);
    });

    [Theory]
    [InlineData(1, RefusalReason.NoSpace)]
    [InlineData(99, null)]
    public void Leave_WithAMemberThatDoesNotKnowTheQuestion_GoesByWhatItHolds(long gibibytesAfter, string? reason) => SimCluster.Run(12, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        var (admin, taker, leaver) = (cluster.Nodes[0], cluster.Nodes[1], cluster.Nodes[4]);
        ClaimAGibibyteEach(cluster, request => request is PeerRequest.GetVolume ? new PeerReply.Refused(PeerReply.Refused.Unreadable + "code 37") : null);
        taker.Volume.FreeBytes = (await GainAsync(admin, taker, leaver) + gibibytesAfter) << 30;
        Assert.Equal(reason, await StageAsync(admin, leaver));
    });

    [Fact]
    public void Leave_WithAMemberThatDoesNotSayWhatRoomItHas_IsRefused() => SimCluster.Run(13, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        cluster.Network.Instead = (_, _, request) => request is PeerRequest.GetVolume ? new PeerReply.Overloaded() : null;
        Assert.Equal(RefusalReason.NotReachable, await StageAsync(cluster.Nodes[0], cluster.Nodes[4]));
    });

    [Fact]
    public void Leave_WhileAMemberHoldsAnOlderDocument_IsRefused() => SimCluster.Run(9, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        var (admin, behind) = (cluster.Nodes[0], cluster.Nodes[3]);
        var held = behind.Document!.Version;
        cluster.Network.Drop = (from, to, request) => (to == behind.Id && request is PeerRequest.LearnDocument) || (from == behind.Id && request is PeerRequest.GetDocument);
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("t", "{}", default)));
        Assert.Equal(held, behind.Document!.Version);
        Assert.Equal(RefusalReason.RingNotReady, await StageAsync(admin, cluster.Nodes[4]));
    });

    [Fact]
    public void Leave_ThatTakesAZoneAway_IsRefused_UnlessInsistedOn() => SimCluster.Run(
        10,
        5,
        async cluster =>
        {
            // Two zones have two members each, and the third has one.
            await cluster.FormAsync(5);
            var admin = cluster.Nodes[0];
            var alone = cluster.Nodes.Single(node => cluster.Nodes.Count(other => other.Zone == node.Zone) == 1);
            var asker = alone == admin ? cluster.Nodes[1] : admin;
            Assert.Equal(RefusalReason.TooFewZones, await StageAsync(asker, alone));
            Assert.Empty(asker.Document!.Staged);

            var other = cluster.Nodes.First(node => node.Zone != alone.Zone && node != asker);
            Assert.Null(await StageAsync(asker, other));
            SimCluster.Expect(await asker.InAsync(async () => await asker.Node.Admin.ClearStagedAsync(default)));
            SimCluster.Expect(await asker.InAsync(async () => await asker.Node.Admin.StageLeaveAsync([alone.Id], allowFewerReplicas: true, allowFewerZones: false, default)));
            SimCluster.Expect(await asker.InAsync(async () => await asker.Node.Admin.ClearStagedAsync(default)));

            SimCluster.Expect(await asker.InAsync(async () => await asker.Node.Admin.StageLeaveAsync([alone.Id], allowFewerReplicas: false, allowFewerZones: true, default)));
            SimCluster.Expect(await asker.InAsync(async () => await asker.Node.Admin.ClearStagedAsync(default)));
            var few = await asker.InAsync(async () => await asker.Node.Admin.StageLeaveAsync(
                [.. cluster.Nodes.Where(node => node != asker).Take(3).Select(node => node.Id)], allowFewerReplicas: false, allowFewerZones: true, default));
            Assert.Equal(RefusalReason.TooFewMembers, few.Refusal!.Reason);
        },
        zones: 3);

    /// <summary>An exit that was refused by the document that its administrator's node holds must not be confirmed by a newer one, with nobody asked.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Exit_AskedForAgainAndAgain_IsNotConfirmedBeforeTheLeaverHoldsNothing(int seed) => SimCluster.Run(seed, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        var (admin, leaver) = (cluster.Nodes[0], cluster.Nodes[4]);
        var load = await Load.BeginAsync(cluster, clientCount: 0);
        await load.WriteAllAsync(admin);
        await LeaveAsync(admin, leaver);
        var left = -1;
        cluster.OnDocument = (_, document) => left = left < 0 && document.FindMember(leaver.Id) is null ? leaver.Volume.Partitions.Count(p => leaver.Volume.Contents(p).Count > 0) : left;
        for (var attempt = 0; attempt < 20_000 && left < 0; attempt++)
        {
            _ = admin.InAsync(async () => await admin.Node.Admin.ConfirmExitAsync(leaver.Id, default));
            await cluster.DelayAsync(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(0, left);
    });

    [Fact]
    public void Exit_OfAMemberThatTheNodeHasNotHeardOfYet_IsNotConfirmed() => SimCluster.Run(11, 4, async cluster =>
    {
        await cluster.FormAsync(3);
        var (admin, behind, joiner) = (cluster.Nodes[0], cluster.Nodes[1], cluster.Nodes[3]);
        cluster.Network.Drop = (from, to, request) => (to == behind.Id && request is PeerRequest.LearnDocument) || (from == behind.Id && request is PeerRequest.GetDocument);
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.StageJoinAsync([joiner.Address], default)));
        Assert.Null(behind.Document!.FindMember(joiner.Id));

        // Nobody tells it: it does not know, and says so.
        var blind = await behind.InAsync(async () => await behind.Node.Admin.ConfirmExitAsync(joiner.Id, default));
        Assert.Equal(RefusalReason.NotReachable, blind.Refusal!.Reason);
        cluster.Network.Drop = (_, to, request) => to == behind.Id && request is PeerRequest.LearnDocument;
        var told = await behind.InAsync(async () => await behind.Node.Admin.ConfirmExitAsync(joiner.Id, default));
        Assert.Equal(RefusalReason.NotExiting, told.Refusal!.Reason);
        Assert.NotNull(behind.Document!.FindMember(joiner.Id));
    });

    [Fact]
    public void Leave_TakenBackBeforeTheCommit_MovesNothing() => SimCluster.Run(5, 4, async cluster =>
    {
        await cluster.FormAsync(4);
        var admin = cluster.Nodes[0];
        var before = admin.Document!.Ring.Owners;
        var plan = SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.StageLeaveAsync([cluster.Nodes[3].Id], false, false, default)));
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ClearStagedAsync(default)));
        var late = await admin.InAsync(async () => await admin.Node.Admin.CommitAsync(plan.PlanId, default));
        Assert.Equal(RefusalReason.NothingPlanned, late.Refusal!.Reason);
        await cluster.SettleAsync();
        Assert.Equal(before, cluster.Document.Ring.Owners);
    });

    [Fact]
    public void Drain_SendsClientsElsewhere_AndIsUndone() => SimCluster.Run(6, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        var node = cluster.Nodes[1];
        var drained = await node.InAsync(async () => await node.Node.Admin.DrainAsync(TimeSpan.FromSeconds(20), default));
        Assert.True(drained!.IsDone);
        var refused = await node.AskAsync(new KvRequest.Get { Key = new("default", "b", "k") });
        Assert.IsType<KvError.NotReady>(Assert.IsType<KvOutcome.Failed>(refused).Error);
        node.Node.Admin.Undrain();
        Assert.IsType<KvOutcome.NotFound>(await node.AskAsync(new KvRequest.Get { Key = new("default", "b", "k") }));
    });

    /// <summary>Every node that is asked says so of each of its partitions.</summary>
    private static void ClaimAGibibyteEach(SimCluster cluster, Func<PeerRequest, PeerReply?>? instead = null) => cluster.Network.Instead = (_, to, request) => request is PeerRequest.GetHoldings
        && cluster.Nodes.Single(node => node.Id == to).Node.Admin.GetHoldings() is { } held
        ? held with { Partitions = [.. held.Partitions.Select(one => one with { Bytes = 1L << 30 })] }
        : instead?.Invoke(request);

    /// <summary>How many partitions a leave would bring a member.</summary>
    private static async Task<long> GainAsync(SimNode admin, SimNode taker, SimNode leaver)
    {
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.StageLeaveAsync([leaver.Id], false, false, default)));
        var gain = ClusterPlan.Compute(admin.Document!)!.Transfers.Count(transfer => transfer.To == taker.Id);
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ClearStagedAsync(default)));
        return gain;
    }

    private static async Task<string?> StageAsync(SimNode admin, SimNode leaver) =>
        (await admin.InAsync(async () => await admin.Node.Admin.StageLeaveAsync([leaver.Id], allowFewerReplicas: false, allowFewerZones: false, default))).Refusal?.Reason;

    private static async Task LeaveAsync(SimNode admin, SimNode leaver)
    {
        var plan = SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.StageLeaveAsync([leaver.Id], false, allowFewerZones: false, default)));
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CommitAsync(plan.PlanId, default)));
    }

    private static async Task ConfirmAsync(SimCluster cluster, SimNode admin, SimNode leaver)
    {
        for (var attempt = 0; attempt < 20; attempt++)
        {
            var answer = await admin.InAsync(async () => await admin.Node.Admin.ConfirmExitAsync(leaver.Id, default));
            if (answer.IsOk)
            {
                return;
            }

            await cluster.DelayAsync(TimeSpan.FromSeconds(1));
        }

        Assert.Fail("the exit was not confirmed");
    }
}
