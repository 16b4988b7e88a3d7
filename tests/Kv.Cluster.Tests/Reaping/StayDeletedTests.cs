using Kv.Cluster.Peers;
using Kv.Cluster.Tests.Coordination;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Reaping;

/// <summary>A delete stays deleted, whatever is still on its way when the tombstone is reaped.</summary>
public sealed class StayDeletedTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AReplicateThatIsHeldPastTheReap_BringsNothingBack(bool receiverRestarts) => DataCluster.Run(1, 5, async cluster =>
    {
        HoldOne(cluster, (_, to, request) => to == cluster.Primary(2).Id && request is PeerRequest.VnodePut { Kind: VnodePutKind.Replicate });
        await cluster.Primary(0).StoreAsync("v");
        await DeleteAndReapAsync(cluster);
        if (receiverRestarts)
        {
            cluster.Primary(2).Kill();
            await cluster.Primary(2).StartAsync(cluster.Document);
            cluster.Detect();
        }

        await cluster.WaitAsync(40);
        await AssertGoneAsync(cluster);
    });

    [Fact]
    public void AReadRepairThatIsHeldPastTheReap_BringsNothingBack() => DataCluster.Run(2, 5, async cluster =>
    {
        await PlantAllButAsync(cluster, 2);
        HoldOne(cluster, (_, to, request) => to == cluster.Primary(2).Id && request is PeerRequest.VnodePut { Kind: VnodePutKind.Repair });
        Assert.Equal(["v"], Story.Values(await cluster.Primary(0).AskAsync(Story.Get() with { R = QuorumValue.All })));
        await DeleteAndReapAsync(cluster);
        await cluster.WaitAsync(40);
        await AssertGoneAsync(cluster);
    });

    [Fact]
    public void AReadRepairOfTheReadersOwnReplica_WhoseReadIsHeldPastTheReap_BringsNothingBack() => DataCluster.Run(3, 5, async cluster =>
    {
        await PlantAllButAsync(cluster, 0);
        var isHeld = false;
        cluster.Network.HoldReply = (_, to, reply) =>
        {
            var isValue = to == cluster.Primary(0).Id && reply is PeerReply.Object { Stored: { } stored } && !ObjectCodec.IsHead(stored.Span);
            var holds = isValue && !isHeld;
            isHeld |= holds;
            return holds ? Long : TimeSpan.Zero;
        };
        var reading = cluster.Primary(0).AskAsync(Story.Get() with { Timeout = TimeSpan.FromMinutes(2) });
        await cluster.WaitAsync(0.1);
        Assert.True(isHeld);
        await DeleteAndReapAsync(cluster, by: 1);
        await reading;
        await cluster.WaitAsync(10);
        await AssertGoneAsync(cluster);
    });

    [Fact]
    public void AWriteToAStandInThatIsHeldPastTheReap_LeavesNoHint() => DataCluster.Run(4, 5, async cluster =>
    {
        cluster.Primary(2).Kill();
        cluster.Detect();
        var primaries = cluster.Primaries(Story.Key()).Select(entry => entry.Node).ToHashSet();
        HoldOne(cluster, (_, to, request) => !primaries.Contains(to) && request is PeerRequest.VnodePut);
        await cluster.Primary(0).StoreAsync("v");
        await cluster.Primary(2).StartAsync(cluster.Document);
        cluster.Detect();
        await DeleteAndReapAsync(cluster);
        await cluster.WaitAsync(40);
        await cluster.HandBackAsync();
        await AssertGoneAsync(cluster);
    });

    [Fact]
    public void AWriteWithoutACoordinatorThatIsHeldPastTheReap_BringsNothingBack() => DataCluster.Run(5, 5, async cluster =>
    {
        var sent = AsIs(cluster) with { Timeout = TimeSpan.FromMinutes(2), W = QuorumValue.All };
        HoldOne(cluster, (_, to, request) => to == cluster.Primary(2).Id && request is PeerRequest.VnodePut { Kind: VnodePutKind.Replicate });
        var writing = cluster.Primary(0).AskAsync(sent);
        await cluster.WaitAsync(0.1);
        await DeleteAndReapAsync(cluster);
        Assert.IsType<KvError.Unsatisfied>(Story.Error(await writing));
        await cluster.WaitAsync(10);
        await AssertGoneAsync(cluster);
    });

    [Fact]
    public void AHandoffBatchThatIsHeldPastTheReap_BringsNothingBack() => SimCluster.Run(6, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        var (admin, absent, key) = (cluster.Nodes[0], cluster.Nodes[1], new ObjectKey(ObjectKey.DefaultType, "b", "k"));
        absent.Kill();
        await cluster.UntilAsync(() => cluster.Up.All(n => n.Node.State.Current.Up.Count == 4), 10, "all see that it is gone");
        var keys = Enumerable.Range(0, 40).Select(n => new ObjectKey(ObjectKey.DefaultType, "b", $"k{n}")).ToArray();
        foreach (var written in keys)
        {
            Assert.IsType<KvOutcome.Stored>(await admin.AskAsync(Story.Put("v", key: written)));
        }

        // The first batch is on its way for minutes; the hint is sent once more when it is given up.
        var held = 0;
        cluster.Network.Hold = (_, to, request) =>
            to == absent.Id && request is PeerRequest.HandoffBatch { Entries.Count: > 0 } && held++ == 0 ? TimeSpan.FromMinutes(3) : TimeSpan.Zero;
        await absent.StartAsync();
        await cluster.SettleAsync(150);
        Assert.True(held > 1);
        foreach (var written in keys)
        {
            Assert.IsType<KvOutcome.Deleted>(await admin.AskAsync(new KvRequest.Delete { Key = written }));
        }

        await cluster.UntilAsync(() => cluster.Up.All(n => n.Node.Vnodes.All(vnode => vnode.ApproximateCount == 0)), 20, "all is reaped");
        await cluster.DelayAsync(TimeSpan.FromMinutes(3));
        Assert.All(cluster.Up, n => Assert.All(n.Node.Vnodes, vnode => Assert.Equal(0, vnode.ApproximateCount)));
    });

    [Theory]
    [InlineData("memory", 7)]
    [InlineData("memory", 8)]
    [InlineData("memory", 9)]
    [InlineData("interval", 7)]
    public void ATombstoneThatIsNotOnDisk_IsNotReaped(string durability, int seed) => DataCluster.Run(seed, 5, async cluster =>
    {
        cluster.SetType("soft", BucketProps.NewType with { Durability = durability == "memory" ? Durability.Memory : Durability.Interval });
        var (key, weak) = (Story.Key(type: "soft"), cluster.Primary(2, Story.Key(type: "soft")));
        await cluster.Primary(0, key).StoreAsync("v", key: key);
        await cluster.WaitAsync(1);
        weak.Volume.MostSyncTime = TimeSpan.FromDays(1);
        Assert.IsType<KvOutcome.Deleted>(await cluster.Primary(0, key).AskAsync(new KvRequest.Delete { Key = key }));
        await cluster.WaitAsync(8);
        weak.Volume.MostSyncTime = TimeSpan.FromMilliseconds(2);
        weak.Kill(losesPower: true);
        await weak.StartAsync(cluster.Document);
        cluster.Detect();
        Assert.IsType<KvOutcome.NotFound>(await cluster.Primary(0, key).AskAsync(Story.Get(key) with { R = QuorumValue.All }));
        await cluster.WaitAsync(5);
        await AssertGoneAsync(cluster, key);
    });

    /// <summary>A member, or the reaper itself, dies at each message of a reap and comes back; what was on its way all the time arrives then.</summary>
    [Theory]
    [InlineData("inspect", false)]
    [InlineData("inspect", true)]
    [InlineData("seal", false)]
    [InlineData("seal", true)]
    [InlineData("reap", false)]
    [InlineData("reap", true)]
    public void ARestartAtAnyRoundOfAReap_BringsNothingBack(string round, bool ofReaper)
    {
        for (var nth = 1; nth <= 4; nth++)
        {
            DataCluster.Run(20 + nth, 5, cluster => RestartAtAsync(cluster, round, ofReaper, nth));
        }
    }

    [Fact]
    public void TwoReapersAtOnce_DoNotHinderEachOther() => DataCluster.Run(8, 5, async cluster =>
    {
        Assert.True(DeleteMode.TryParse("immediate", out var mode));
        cluster.SetType("mode", BucketProps.NewType with { DeleteMode = mode });
        for (var number = 0; number < 20; number++)
        {
            var key = Story.Key($"k{number}", "mode");
            await cluster.Primary(0, key).StoreAsync("v", key: key);
            var asked = cluster.Nodes.Select(node => node.AskAsync(Story.Get(key) with { R = QuorumValue.All })).Append(cluster.Primary(1, key).AskAsync(new KvRequest.Delete { Key = key })).ToList();
            asked.AddRange(cluster.Nodes.Select(node => node.AskAsync(Story.Get(key) with { R = QuorumValue.All })));
            await Task.WhenAll(asked);
            await Task.WhenAll(cluster.Nodes.Select(node => node.AskAsync(Story.Get(key) with { R = QuorumValue.All })));
            await cluster.WaitAsync(2);
            await AssertGoneAsync(cluster, key);
        }

        Assert.Equal(60, cluster.Nodes.Sum(node => node.Statistics.Reaps));
    });

    private static async Task RestartAtAsync(DataCluster cluster, string round, bool ofReaper, int nth)
    {
        HoldOne(cluster, (_, to, request) => to == cluster.Primary(2).Id && request is PeerRequest.VnodePut { Kind: VnodePutKind.Replicate });
        await cluster.Primary(0).StoreAsync("v");
        var seen = 0;
        DataNode? victim = null;
        cluster.Network.Drop = (from, to, request) =>
        {
            var isRound = (round, request) is ("inspect", PeerRequest.Inspect) or ("seal", PeerRequest.Seal) or ("reap", PeerRequest.Reap);
            if (isRound && ++seen == nth)
            {
                victim = cluster.Node(ofReaper ? from : to);
                cluster.Scheduler.World.After(TimeSpan.FromTicks(cluster.Scheduler.Random.Next(1, 30_000)), () => victim.Kill());
            }

            return false;
        };
        Assert.IsType<KvOutcome.Deleted>(await cluster.Primary(0).AskAsync(new KvRequest.Delete { Key = Story.Key() }));
        await cluster.WaitAsync(15);
        Assert.True(victim is not null || (round == "reap" && nth > 2));
        if (victim is not null)
        {
            await victim.StartAsync(cluster.Document);
            cluster.Detect();
        }

        // Whatever was left is found by the next reads, and gone after them.
        for (var read = 0; read < 2; read++)
        {
            Assert.IsType<KvOutcome.NotFound>(await cluster.Primary(1).AskAsync(Story.Get() with { R = QuorumValue.All }));
            await cluster.WaitAsync(10);
        }

        await cluster.WaitAsync(20);
        await AssertGoneAsync(cluster);
    }

    /// <summary>The first such message comes half a minute late.</summary>
    private static void HoldOne(DataCluster cluster, Func<NodeId, NodeId, PeerRequest, bool> isIt)
    {
        var isHeld = false;
        cluster.Network.Hold = (from, to, request) =>
        {
            var holds = !isHeld && isIt(from, to, request);
            isHeld |= holds;
            return holds ? Long : TimeSpan.Zero;
        };
    }

    private static async Task PlantAllButAsync(DataCluster cluster, int missing)
    {
        var held = KvObject.AsSent(Story.Value("v"), Clock(cluster));
        foreach (var place in Enumerable.Range(0, 3).Where(place => place != missing))
        {
            await cluster.PlantAsync(place, held);
        }
    }

    private static KvRequest.Put AsIs(DataCluster cluster) => Story.Put("v", Clock(cluster)) with { AsIs = true };

    private static VersionVector Clock(DataCluster cluster) =>
        VersionVector.FromEntries([new ClockEntry(new ActorId(cluster.Outsider().Id, cluster.Partition(0), 1), 1, 1)]);

    private static async Task DeleteAndReapAsync(DataCluster cluster, int by = 0)
    {
        Assert.IsType<KvOutcome.Deleted>(await cluster.Primary(by).AskAsync(new KvRequest.Delete { Key = Story.Key() }));
        await cluster.WaitAsync(8);
        Assert.All(await cluster.HeldByPrimariesAsync(), Assert.Null);
    }

    private static async Task AssertGoneAsync(DataCluster cluster, ObjectKey? key = null)
    {
        var named = key ?? Story.Key();
        var final = Assert.IsType<KvOutcome.NotFound>(await cluster.Primary(1, named).AskAsync(Story.Get(named) with { R = QuorumValue.All }));
        foreach (var node in cluster.Nodes)
        {
            foreach (var partition in node.Volume.Partitions)
            {
                var isHeld = node.Volume.Contents(partition).TryGetValue(named.Encoded.ToArray(), out var stored);
                Assert.True(!isHeld || (final.TombstoneContext is not null && ObjectCodec.Decode(stored!).IsTombstone), $"node {node.Id} holds something in partition {partition}");
            }
        }
    }
}
