using Kv.Core.Membership;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Membership;

/// <summary>What is asked before a member is given up.</summary>
public sealed class LossTests
{
    private static readonly NodeId NewId = new(101);

    [Fact]
    public void AMemberThatSomebodyReaches_IsNotGivenUp() => SimCluster.Run(1, 5, async cluster =>
    {
        await cluster.FormAsync(4);
        var (admin, suspect, spare) = (cluster.Nodes[0], cluster.Nodes[2], cluster.Nodes[4]);
        Assert.Equal(RefusalReason.IsUp, await ReplaceAsync(admin, suspect.Id, spare));
        cluster.Network.Cut(admin.Id, suspect.Id);
        await cluster.UntilAsync(() => !admin.Node.State.Current.IsUp(suspect.Id), 20, "the administrator's node does not reach it");
        Assert.Equal(RefusalReason.IsUp, await ReplaceAsync(admin, suspect.Id, spare));
        Assert.Equal(RefusalReason.IsUp, await RemoveAsync(admin, suspect.Id, allowFewerReplicas: true));
        Assert.Equal(RefusalReason.IsUp, await RemoveAsync(admin, admin.Id, allowFewerReplicas: true));
        Assert.Equal(RefusalReason.NotMember, await ReplaceAsync(admin, new NodeId(77), spare));
        Assert.Empty(admin.Document!.Staged);
    });

    [Fact]
    public void AVolumeThatComesBackBeforeTheCommit_CancelsIt() => SimCluster.Run(2, 5, async cluster =>
    {
        await cluster.FormAsync(4);
        var (admin, dead, spare) = (cluster.Nodes[0], cluster.Nodes[2], cluster.Nodes[4]);
        dead.Kill();
        await UntilAllMissAsync(cluster, dead);
        Assert.Null(await ReplaceAsync(admin, dead.Id, spare));
        var plan = admin.Node.Admin.GetPlan().Value!;
        Assert.Equal(admin.Document!.Ring.Owners.Count(o => o == dead.Id), plan.Rebuilding.Length);
        await dead.StartAsync();
        await cluster.UntilAsync(() => admin.Node.State.Current.IsUp(dead.Id), 20, "it is seen again");
        var commit = await admin.InAsync(async () => await admin.Node.Admin.CommitAsync(plan.PlanId, default));
        Assert.Equal(RefusalReason.IsUp, commit.Refusal!.Reason);
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ClearStagedAsync(default)));
        await cluster.SettleAsync();
        Assert.Null(cluster.Document.FindMember(spare.Id));
    });

    [Fact]
    public void ANewVolumeUnderAKnownName_IsOutside_UntilItReplacesTheOld() => SimCluster.Run(3, 4, async cluster =>
    {
        await cluster.FormAsync(4);
        var (admin, lost) = (cluster.Nodes[0], cluster.Nodes[2]);
        var dead = lost.Id;
        lost.Kill();
        lost.LoseVolume(NewId);
        await lost.StartAsync();
        var join = await admin.InAsync(async () => await admin.Node.Admin.StageJoinAsync([lost.Address], default));
        Assert.Equal(RefusalReason.NameTaken, join.Refusal!.Reason);
        Assert.IsType<KvOutcome.Failed>(await lost.AskAsync(new KvRequest.Get { Key = new("default", "b", "k") }));
        await cluster.ReplaceAsync(admin, dead, lost);
        await cluster.SettleAsync();
        Assert.Equal(lost.Name, cluster.Document.FindMember(NewId)!.Name);
        Assert.IsType<KvOutcome.NotFound>(await lost.AskAsync(new KvRequest.Get { Key = new("default", "b", "k") }));
        Assert.Equal(RefusalReason.NotMember, await ReplaceAsync(admin, dead, lost));
    });

    [Fact]
    public void KeysWithoutAnotherReplica_AreLostOnlyIfTheCallerSaysSo() => SimCluster.Run(4, 5, async cluster =>
    {
        await cluster.FormAsync(4);
        var (admin, dead, spare) = (cluster.Nodes[0], cluster.Nodes[2], cluster.Nodes[4]);
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("cache", """{"n_val":1}""", default)));
        dead.Kill();
        await UntilAllMissAsync(cluster, dead);
        Assert.Equal(RefusalReason.DataLoss, await ReplaceAsync(admin, dead.Id, spare));
        Assert.Equal(RefusalReason.DataLoss, await RemoveAsync(admin, dead.Id, allowFewerReplicas: true));
        var forced = await admin.InAsync(async () => await admin.Node.Admin.StageReplaceAsync(dead.Id, spare.Address, allowDataLoss: true, default));
        var lost = Assert.Single(SimCluster.Expect(forced).Lost);
        Assert.Equal(new LostKeys(1, admin.Document!.Ring.Owners.Count(o => o == dead.Id)), lost);
        Assert.Contains(forced.Value!.Warnings, w => w.Contains("1 replicas have none left", StringComparison.Ordinal));
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CommitAsync(forced.Value.PlanId, default)));
        await cluster.SettleAsync();
    });

    [Fact]
    public void TooFewMembersLeft_OrNoRoom_IsRefused() => SimCluster.Run(5, 4, async cluster =>
    {
        await cluster.FormAsync(3);
        var (admin, dead) = (cluster.Nodes[0], cluster.Nodes[2]);
        var load = await Load.BeginAsync(cluster, clientCount: 0);
        await load.WriteAllAsync(admin);
        dead.Kill();
        await UntilAllMissAsync(cluster, dead);
        Assert.Equal(RefusalReason.TooFewMembers, await RemoveAsync(admin, dead.Id, allowFewerReplicas: false));
        cluster.Nodes[1].Volume.FreeBytes = 10;
        Assert.Equal(RefusalReason.NoSpace, await RemoveAsync(admin, dead.Id, allowFewerReplicas: true));
        Assert.Empty(admin.Document!.Staged);
    });

    /// <summary>An empty node of the dead one's size has to do, as long as its disk is not nearly full by it.</summary>
    [Theory]
    [InlineData(6, null)]
    [InlineData(4, RefusalReason.NoSpace)]
    public void Replacement_KeepsATwentiethOfItsDiskFree(int free, string? reason) => SimCluster.Run(6, 4, async cluster =>
    {
        await cluster.FormAsync(3);
        var (admin, dead, fresh) = (cluster.Nodes[0], cluster.Nodes[2], cluster.Nodes[3]);
        dead.Kill();
        await UntilAllMissAsync(cluster, dead);
        (fresh.Volume.FreeBytes, fresh.Volume.UsedBytes) = ((long)free << 30, (100L - free) << 30);
        Assert.Null(await ReplaceAsync(admin, dead.Id, fresh));
        var commit = await admin.InAsync(async () => await admin.Node.Admin.CommitAsync(admin.Node.Admin.GetPlan().Value!.PlanId, default));
        Assert.Equal(reason, commit.Refusal?.Reason);
    });

    private static async Task<string?> ReplaceAsync(SimNode admin, NodeId dead, SimNode node) =>
        (await admin.InAsync(async () => await admin.Node.Admin.StageReplaceAsync(dead, node.Address, allowDataLoss: false, default))).Refusal?.Reason;

    private static async Task<string?> RemoveAsync(SimNode admin, NodeId dead, bool allowFewerReplicas) =>
        (await admin.InAsync(async () => await admin.Node.Admin.StageRemoveAsync(dead, allowFewerReplicas, allowDataLoss: false, default))).Refusal?.Reason;

    private static Task UntilAllMissAsync(SimCluster cluster, SimNode dead) =>
        cluster.UntilAsync(() => cluster.Up.All(n => n.Document is null || !n.Node.State.Current.IsUp(dead.Id)), 20, "all see that it is gone");
}
