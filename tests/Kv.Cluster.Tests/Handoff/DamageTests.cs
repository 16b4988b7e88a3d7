using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Core.Buckets;
using Kv.Core.Membership;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Handoff;

/// <summary>A partition whose data on a living node is damaged: not served, reported, and rebuilt from the other replicas when an administrator says so.</summary>
public sealed class DamageTests
{
    [Theory]
    [InlineData(71)]
    [InlineData(72)]
    [InlineData(73)]
    public void ADamagedPartition_IsRebuiltUnderLoad_ByAnotherActor(int seed) => Run(seed, async (cluster, node, load) =>
    {
        var rotten = await RotAsync(cluster, node);
        var before = ActorsOf(node, rotten);
        Assert.Equal("not_damaged", (await RebuildAsync(node, Other(cluster, node, rotten))).Refusal?.Reason);
        Assert.True((await RebuildAsync(node, rotten)).IsOk);
        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty && node.Node.Vnodes.Any(vnode => vnode.Partition == rotten), 120, "the partition is rebuilt");
        await load.EndAsync();
        load.VerifyHeldBy(node, [rotten]);
        Assert.Empty(node.Node.Admin.GetNode().Damaged);
        Assert.True(node.Volume.Contents(rotten).Count > 0);

        // Said again, when all is done: there is nothing to do.
        Assert.Equal("not_damaged", (await RebuildAsync(node, rotten)).Refusal?.Reason);
        Assert.DoesNotContain(ActorsOf(node, rotten).Where(actor => actor.Epoch > before.Max(known => known.Epoch)), actor => before.Contains(actor));
    });

    [Fact]
    public void WhatIsMetWhileItIsRead_ClosesThePartition_AndTheNodeGoesOn() => Run(74, async (cluster, node, load) =>
    {
        await cluster.UntilAsync(() => node.Volume.Rot(), 20, "something is on the disk");
        var rotten = Assert.Single(node.Volume.Rotten);
        await cluster.UntilAsync(() => node.Node.Admin.GetNode().Damaged.Count > 0, 60, "somebody reads it");
        Assert.Equal([rotten], node.Node.Admin.GetNode().Damaged.Keys);
        await cluster.UntilAsync(() => node.Node.Vnodes.All(vnode => vnode.Partition != rotten), 20, "its vnode closes");
        Assert.NotEmpty(node.Node.Vnodes);
        Assert.True((await RebuildAsync(node, rotten)).IsOk);
        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty && node.Node.Vnodes.Any(vnode => vnode.Partition == rotten), 120, "the partition is rebuilt");
        await load.EndAsync();
        load.VerifyHeldBy(node, [rotten]);
        Assert.False(node.Node.Failed.IsCompleted);
    });

    [Fact]
    public void AnOrderThatWasDecided_IsCarriedOutByTheNextStart() => Run(75, async (cluster, node, load) =>
    {
        var rotten = await RotAsync(cluster, node);
        var ordered = RebuildAsync(node, rotten);
        await cluster.UntilAsync(() => cluster.Document.Ring.IsRebuilding(rotten), 20, "the order is decided");
        node.Kill(losesPower: true);
        await ordered;
        await node.StartAsync();
        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty && node.Node.Vnodes.Any(vnode => vnode.Partition == rotten), 120, "the partition is rebuilt");
        await load.EndAsync();
        load.VerifyHeldBy(node, [rotten]);
    });

    [Fact]
    public void ARebuild_WhoseStoreIsDamagedInItsMidst_BeginsAnew() => Run(82, async (cluster, node, load) =>
    {
        await load.StopClientsAsync();
        var rotten = await RotAsync(cluster, node);
        var late = cluster.Nodes[3].Id;
        cluster.Network.Drop = (_, to, request) => to == late && request is PeerRequest.Rebuild { Step: RebuildStep.Send };
        Assert.True((await RebuildAsync(node, rotten)).IsOk);
        await cluster.UntilAsync(() => node.Volume.Contents(rotten).Count > 0, 60, "others have sent what they hold");
        await cluster.DelayAsync(TimeSpan.FromSeconds(5));
        var first = node.Node.Vnodes.Single(vnode => vnode.Partition == rotten);
        Assert.True(node.Volume.Rot(rotten));
        await load.WriteAllAsync(node);
        await cluster.UntilAsync(() => node.Node.Vnodes.Any(vnode => vnode.Partition == rotten && vnode != first), 60, "the damage is met, and another store is there");
        cluster.Network.Drop = null;
        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty, 120, "the partition is rebuilt");
        load.VerifyHeldBy(node, [rotten]);
    });

    [Theory]
    [InlineData(83, false)]
    [InlineData(84, true)]
    public void ARebuild_WhoseStoreIsDamagedWhileItsEndIsDecided_IsNotTakenForDone(int seed, bool restarts) => Run(seed, async (cluster, node, load) =>
    {
        await load.StopClientsAsync();
        var rotten = await RotAsync(cluster, node);
        var isDeciding = false;
        cluster.Network.Hold = (_, _, request) =>
        {
            var isEnd = request is PeerRequest.Accept { Document.Ring.Rebuilding.IsEmpty: true } && cluster.Document.Ring.IsRebuilding(rotten);
            isDeciding |= isEnd;
            return isEnd ? TimeSpan.FromSeconds(2) : TimeSpan.Zero;
        };
        Assert.True((await RebuildAsync(node, rotten)).IsOk);
        await cluster.UntilAsync(() => isDeciding, 60, "the owner says that it has all");
        if (restarts)
        {
            node.Kill(losesPower: false);
        }

        Assert.True(node.Volume.Rot(rotten));
        if (restarts)
        {
            await node.StartAsync();
        }
        else
        {
            await ReadAllAsync(node, rotten);
        }

        await cluster.DelayAsync(TimeSpan.FromSeconds(5));
        if (node.Node.Admin.GetNode().Damaged.ContainsKey(rotten) && cluster.Document.Ring.Rebuilding.IsEmpty)
        {
            Assert.True((await RebuildAsync(node, rotten)).IsOk);
        }

        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty && node.Node.Vnodes.Any(vnode => vnode.Partition == rotten), 120, "the partition is rebuilt");
        load.VerifyHeldBy(node, [rotten]);
        Assert.NotEmpty(node.Volume.Contents(rotten));
    });

    [Fact]
    public void ARebuildThatAnotherPlanReplaces_KeepsItsPlaceUntilItsBatchIsAnswered() => Run(
        85,
        async (cluster, node, load) =>
        {
            await load.StopClientsAsync();
            node.Kill(losesPower: false);
            var rotten = node.Volume.Partitions.Where(partition => cluster.Document.Ring.Owner(partition) == node.Id && node.Volume.Rot(partition)).Take(2).ToList();
            await node.StartAsync();
            await cluster.UntilAsync(() => node.Node.Admin.GetNode().Damaged.Count == 2, 20, "both are known to be damaged");
            var (answer, sent) = (TimeSpan.FromSeconds(5), new List<(NodeId From, TimeSpan At)>());
            cluster.Network.Hold = (from, to, request) =>
            {
                if (request is not PeerRequest.HandoffBatch { Entries.Count: > 0 })
                {
                    return TimeSpan.Zero;
                }

                sent.Add((from, TimeSpan.FromTicks(cluster.Scheduler.Now)));
                return answer;
            };
            Assert.True((await RebuildAsync(node, rotten[0])).IsOk);
            await cluster.UntilAsync(() => sent.Count > 0, 20, "something is on its way");
            Assert.True((await RebuildAsync(node, rotten[1])).IsOk);
            await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty, 300, "both are rebuilt");
            load.VerifyHeldBy(node, [.. rotten]);
            foreach (var batches in sent.GroupBy(batch => batch.From, batch => batch.At))
            {
                Assert.All(batches.Zip(batches.Skip(1)), pair => Assert.True(pair.Second - pair.First >= answer, $"node {batches.Key} sends at {pair.First} and at {pair.Second}"));
            }
        },
        new ClusterOptions { RequestTimeout = TimeSpan.FromSeconds(5), AntiEntropy = false, RebuildConcurrency = 1 });

    [Fact]
    public void KeysWithNoReplicaLeft_TakeTheCallersWord() => Run(76, async (cluster, node, load) =>
    {
        var admin = cluster.Nodes[3];
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("single", """{"n_val":1}""", default)));
        await cluster.UntilAsync(() => cluster.Up.All(n => n.Document!.Version == cluster.Document.Version), 20, "all know");
        var rotten = await RotAsync(cluster, node);
        Assert.Equal(RefusalReason.DataLoss, (await RebuildAsync(node, rotten)).Refusal?.Reason);
        Assert.Contains(rotten, node.Node.Admin.GetNode().Damaged.Keys);
        Assert.True((await RebuildAsync(node, rotten, allowDataLoss: true)).IsOk);
        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty && node.Node.Vnodes.Any(vnode => vnode.Partition == rotten), 120, "the partition is rebuilt");
        await load.EndAsync();
    });

    [Fact]
    public void WhatAStandInHeld_AndIsDamaged_HoldsBackARebuildUntilItIsGivenUp() => Run(77, async (cluster, node, load) =>
    {
        await load.StopClientsAsync();
        var hints = await DamageHintsAsync(cluster, node, load);
        Assert.Equal([hints], node.Node.Admin.GetNode().Damaged.Keys);
        Assert.Equal(RefusalReason.DataLoss, (await RebuildAsync(node, hints)).Refusal?.Reason);
        Assert.True((await RebuildAsync(node, hints, allowDataLoss: true)).IsOk);
        Assert.Empty(node.Node.Admin.GetNode().Damaged);
        await cluster.SettleAsync();
        await load.VerifyAsync();
    });

    [Fact]
    public void BeforeItIsRebuilt_ADamagedPartitionAnswersNothing_AndOthersServeItsKeys() => Run(78, async (cluster, node, load) =>
    {
        await load.StopClientsAsync();
        await load.WriteAllAsync(node);
        var rotten = await RotAsync(cluster, node);
        foreach (var key in load.Keys)
        {
            Assert.IsType<KvOutcome.Found>(await cluster.Nodes[3].AskAsync(new KvRequest.Get { Key = key }));
            var all = await cluster.Nodes[3].AskAsync(new KvRequest.Get { Key = key, R = QuorumValue.All, SloppyQuorum = false });
            var isRotten = PreferenceList.Primaries(cluster.Document.Ring, RingHash.FirstPartition(key, BucketProps.NewType.ChashKeyFun, 16), 3).Any(entry => entry.Partition == rotten);
            Assert.Equal(isRotten, all is KvOutcome.Failed);
        }

        await load.WriteAllAsync(node);
        Assert.Contains(rotten, node.Node.Admin.GetNode().Damaged.Keys);
        Assert.True((await RebuildAsync(node, rotten)).IsOk);
        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty && node.Node.Vnodes.Any(vnode => vnode.Partition == rotten), 120, "the partition is rebuilt");
        await cluster.SettleAsync();
        await load.VerifyAsync();
    });

    [Fact]
    public void BeforeItIsRebuilt_WritesOfItsKeysGoThroughAnyNode() => Run(79, async (cluster, node, load) =>
    {
        await load.StopClientsAsync();
        var rotten = await RotAsync(cluster, node);
        var asked = 0;
        for (var number = 0; number < 200; number++)
        {
            var key = new Core.Objects.ObjectKey("default", "damage", $"key-{number}");
            if (PreferenceList.Primaries(cluster.Document.Ring, RingHash.FirstPartition(key, BucketProps.NewType.ChashKeyFun, 16), 3)[0].Partition != rotten)
            {
                continue;
            }

            asked++;
            foreach (var through in cluster.Nodes)
            {
                Assert.IsType<KvOutcome.Stored>(await through.AskAsync(new KvRequest.Put { Key = key, Content = new Core.Objects.Sibling { Dot = null, Value = "v"u8.ToArray() } }));
            }
        }

        Assert.True(asked > 2, $"{asked} keys");
        Assert.True((await RebuildAsync(node, rotten)).IsOk);
        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty && node.Node.Vnodes.Any(vnode => vnode.Partition == rotten), 120, "the partition is rebuilt");
    });

    [Fact]
    public void ADamagedReplica_IsNone_WhenAnotherMemberIsGivenUp() => Run(80, async (cluster, node, load) =>
    {
        await load.StopClientsAsync();
        var admin = cluster.Nodes[3];
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("twice", """{"n_val":2}""", default)));
        await cluster.UntilAsync(() => cluster.Up.All(n => n.Document!.Version == cluster.Document.Version), 20, "all know");
        var rotten = await RotAsync(cluster, node);
        var dead = cluster.Nodes.Single(n => n.Id == cluster.Document.Ring.Owners[(rotten.Number + 1) % cluster.Document.Ring.Size]);
        var asker = cluster.Nodes.First(n => n != node && n != dead);
        dead.Kill();
        await cluster.UntilAsync(() => cluster.Up.All(n => n.Node.State.Current.Up.Count == 3), 20, "all see that it is gone");
        Assert.Equal(RefusalReason.DataLoss, (await asker.InAsync(async () => await asker.Node.Admin.StageRemoveAsync(dead.Id, true, allowDataLoss: false, default))).Refusal?.Reason);
        await dead.StartAsync();
        await cluster.UntilAsync(() => cluster.Up.All(n => n.Node.State.Current.Up.Count == 4), 20, "all see that it is back");
        Assert.True((await RebuildAsync(node, rotten)).IsOk);
        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty && node.Node.Vnodes.Any(vnode => vnode.Partition == rotten), 120, "the partition is rebuilt");
        dead.Kill();
        await cluster.UntilAsync(() => cluster.Up.All(n => n.Node.State.Current.Up.Count == 3), 20, "all see that it is gone");
        Assert.Null((await asker.InAsync(async () => await asker.Node.Admin.StageRemoveAsync(dead.Id, true, allowDataLoss: false, default))).Refusal);
    });

    [Fact]
    public void AMemberThatLosesWhatItHeldForAnother_DoesNotLeave() => Run(81, async (cluster, node, load) =>
    {
        await load.StopClientsAsync();
        var hints = await DamageHintsAsync(cluster, node, load);
        var admin = cluster.Nodes[3];
        var plan = SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.StageLeaveAsync([node.Id], false, allowFewerZones: false, default)));
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CommitAsync(plan.PlanId, default)));
        await cluster.UntilAsync(() => cluster.Document.FindMember(node.Id) is { State: MemberState.Exiting } && !node.Node.Vnodes.Any(), 300, "all else has left");
        await cluster.DelayAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(RefusalReason.HoldsData, (await admin.InAsync(async () => await admin.Node.Admin.ConfirmExitAsync(node.Id, default))).Refusal?.Reason);
        Assert.Equal(1, node.Node.Admin.GetNode().Held);
        Assert.True((await RebuildAsync(node, hints, allowDataLoss: true)).IsOk);
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ConfirmExitAsync(node.Id, default)));
    });

    /// <summary>No request does while the partition is rebuilt.</summary>
    private static Task<bool> ReadAllAsync(SimNode node, PartitionId partition) => node.InAsync(async () =>
    {
        var vnode = node.Node.Vnodes.Single(vnode => vnode.Partition == partition);
        foreach (var key in node.Volume.Contents(partition).Keys)
        {
            await vnode.GetAsync(key, headOnly: false);
        }

        return true;
    });

    private static void Run(int seed, Func<SimCluster, SimNode, Load, Task> story, ClusterOptions? options = null) => SimCluster.Run(
        seed,
        4,
        async cluster =>
        {
            await cluster.FormAsync(4);
            var load = await Load.BeginAsync(cluster);
            await load.WriteAllAsync(cluster.Nodes[1]);
            await cluster.DelayAsync(TimeSpan.FromSeconds(2));
            await story(cluster, cluster.Nodes[0], load);
        },
        options: options);

    /// <summary>Has the node hold hints for another, loses them on its disk, and brings the other back; gives their partition.</summary>
    private static async Task<PartitionId> DamageHintsAsync(SimCluster cluster, SimNode node, Load load)
    {
        var absent = cluster.Nodes[2];
        absent.Kill();
        await cluster.UntilAsync(() => cluster.Up.All(n => n.Node.State.Current.Up.Count == 3), 20, "all see that it is gone");
        await load.WriteAllAsync(node);
        await cluster.DelayAsync(TimeSpan.FromSeconds(2));
        var hints = node.Node.Vnodes.First(vnode => cluster.Document.Ring.Owner(vnode.Partition) == absent.Id).Partition;
        node.Kill(losesPower: false);
        node.Volume.Damaged = hints;
        await node.StartAsync();
        await absent.StartAsync();
        await cluster.DelayAsync(TimeSpan.FromSeconds(5));
        return hints;
    }

    /// <summary>An entry of the node's disk goes bad while it is down; its next start finds it.</summary>
    private static async Task<PartitionId> RotAsync(SimCluster cluster, SimNode node)
    {
        node.Kill(losesPower: false);
        Assert.True(node.Volume.Rot());
        var rotten = Assert.Single(node.Volume.Rotten);
        await node.StartAsync();
        await cluster.DelayAsync(TimeSpan.FromSeconds(5));
        Assert.Equal([rotten], node.Node.Admin.GetNode().Damaged.Keys);
        Assert.Equal(node.Id, cluster.Document.Ring.Owner(rotten));
        return rotten;
    }

    private static async Task<AdminResult<ClusterView>> RebuildAsync(SimNode node, PartitionId partition, bool allowDataLoss = false) =>
        await node.InAsync(async () => await node.Node.Admin.RebuildPartitionAsync(partition, allowDataLoss, CancellationToken.None));

    private static PartitionId Other(SimCluster cluster, SimNode node, PartitionId rotten) =>
        node.Node.Vnodes.First(vnode => vnode.Partition != rotten && cluster.Document.Ring.Owner(vnode.Partition) == node.Id).Partition;

    /// <summary>Actors of the node's partition in the clocks of what all nodes hold.</summary>
    private static HashSet<Core.Causality.ActorId> ActorsOf(SimNode node, PartitionId partition) =>
    [
        .. node.Volume.Contents(partition).Values.Select(held => Core.Objects.ObjectCodec.Decode(held)).SelectMany(held => held.Clock.Entries)
            .Where(entry => entry.Actor.Node == node.Id && entry.Actor.Partition == partition).Select(entry => entry.Actor),
    ];
}
