using Kv.Cluster.AntiEntropy;
using Kv.Cluster.Peers;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.AntiEntropy;

/// <summary>Replicas that differ become alike, with no client touching a key.</summary>
public sealed class AntiEntropyTests
{
    private static readonly ClusterOptions Eager = new()
    {
        RequestTimeout = TimeSpan.FromSeconds(5),
        ExchangeInterval = TimeSpan.FromSeconds(5),
        TreeTurnKeys = 4,
        TreePageBytes = 200,
    };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void PartitionWhoseDataIsLost_IsWholeAgain(int seed) => Run(seed, 3, async (cluster, load) =>
    {
        var victim = cluster.Nodes[1];
        await load.WriteAllAsync(cluster.Nodes[0]);
        victim.Kill();
        var lost = victim.Volume.Partitions.First(partition => victim.Volume.Contents(partition).Count > 0);
        victim.Volume.Lose(lost);
        await victim.StartAsync();
        Assert.NotNull(Replicas.FirstDifference(cluster));
        await UntilAlikeAsync(cluster);
        Assert.True(cluster.Up.Sum(node => node.Node.Statistics.AntiEntropy.Repaired) > 0);
        await load.VerifyAsync();
    });

    [Fact]
    public void AllOfANodesDataLost_IsWholeAgain() => Run(4, 4, async (cluster, load) =>
    {
        var victim = cluster.Nodes[1];
        await load.WriteAllAsync(cluster.Nodes[0]);
        victim.Kill();
        foreach (var partition in victim.Volume.Partitions.ToList())
        {
            victim.Volume.Lose(partition);
        }

        await victim.StartAsync();
        await UntilAlikeAsync(cluster, 600);
        await load.VerifyAsync();
    });

    [Fact]
    public void WriteThatAReplicaMissed_AndWhoseHintIsLost_GetsThere() => Run(5, 4, async (cluster, load) =>
    {
        await load.WriteAllAsync(cluster.Nodes[0]);
        await UntilAlikeAsync(cluster);
        var absent = cluster.Nodes[1];
        absent.Kill();
        await cluster.UntilAsync(() => cluster.Up.All(node => node.Node.State.Current.Up.Count == 3), 20, "all see that it is gone");
        await load.WriteAllAsync(cluster.Nodes[0]);
        foreach (var holder in cluster.Up.ToList())
        {
            // Whatever is held for the absent node goes.
            holder.Kill(losesPower: false);
            foreach (var partition in holder.Volume.Partitions.Where(partition => cluster.Nodes[0].Id != default && OwnerOf(cluster, partition) == absent.Id).ToList())
            {
                holder.Volume.Lose(partition);
            }

            await holder.StartAsync();
        }

        await absent.StartAsync();
        await UntilAlikeAsync(cluster);
        await load.VerifyAsync();
    });

    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    public void ReplicaBehindALongPartition_CatchesUp(int seed) => Run(seed, 4, async (cluster, load) =>
    {
        await load.WriteAllAsync(cluster.Nodes[0]);
        var cut = cluster.Nodes[3];
        foreach (var other in cluster.Nodes.Where(node => node != cut))
        {
            cluster.Network.Cut(cut.Id, other.Id);
        }

        await cluster.DelayAsync(TimeSpan.FromSeconds(30));
        await load.WriteAllAsync(cluster.Nodes[0]);
        await load.WriteAllAsync(cut);
        cluster.Network.HealAll();
        await cluster.SettleAsync();
        await UntilAlikeAsync(cluster);
        await load.VerifyAsync();
    });

    [Fact]
    public void EntryThatRots_IsLostWithItsPartition_AndComesBack() => Run(8, 3, async (cluster, load) =>
    {
        await load.WriteAllAsync(cluster.Nodes[0]);
        await cluster.DelayAsync(TimeSpan.FromSeconds(1));
        var victim = cluster.Nodes[2];
        victim.Kill(losesPower: false);
        Assert.True(victim.Volume.Rot());
        var rotten = Assert.Single(victim.Volume.Rotten);
        victim.Volume.Lose(rotten);
        await victim.StartAsync();
        await UntilAlikeAsync(cluster);
        await load.VerifyAsync();
    });

    [Theory]
    [InlineData("""{"allow_mult":true}""", "damaged v:1")]
    [InlineData("""{"allow_mult":true}""", "zamaged")]
    [InlineData("""{"allow_mult":true,"dvv_enabled":false}""", "zamaged")]
    [InlineData("""{"allow_mult":false}""", "zamaged")]
    [InlineData("""{"allow_mult":false}""", "damaged")]
    [InlineData("""{"last_write_wins":true,"allow_mult":false,"dvv_enabled":false}""", "zamaged")]
    [InlineData("""{"write_once":true}""", "zamaged")]
    public void OneClockWithTwoValues_IsOneObjectEverywhereInTheEnd(string props, string damage) => Run(17, 3, async (cluster, _) =>
    {
        await MakeTypeAsync(cluster, "damaged", props);
        var key = new ObjectKey("damaged", "b", "k");
        const string written = "written";
        Assert.IsType<KvOutcome.Stored>(await cluster.Nodes[0].AskAsync(new KvRequest.Put { Key = key, Content = ContentOf(written), W = Core.Quorum.QuorumValue.All }));
        var victim = cluster.Nodes[1];
        victim.Kill(losesPower: false);
        var partition = victim.Volume.Partitions.First(held => victim.Volume.Contents(held).ContainsKey(key.Encoded.ToArray()));
        var held = ObjectCodec.Decode(victim.Volume.Contents(partition)[key.Encoded.ToArray()]);
        var damaged = KvObject.Create(held.Clock, held.Siblings.Select(sibling => sibling with { Value = System.Text.Encoding.UTF8.GetBytes(damage) }));
        victim.Volume.Replace(partition, key.Encoded.ToArray(), ObjectCodec.Encode(damaged));
        await victim.StartAsync();
        Assert.NotNull(Replicas.FirstDifference(cluster));
        await UntilAlikeAsync(cluster);
        var found = Assert.IsType<KvOutcome.Found>(await cluster.Nodes[2].AskAsync(new KvRequest.Get { Key = key })).Object;
        var values = found.Siblings.Select(sibling => System.Text.Encoding.UTF8.GetString(sibling.Value.Span)).Order(StringComparer.Ordinal).ToList();

        // Nobody can tell which of the two was written: where siblings are kept, both stay.
        string[] both = [damage, written];
        Assert.Equal(props.Contains("\"allow_mult\":true", StringComparison.Ordinal) ? both.Order(StringComparer.Ordinal) : [values.Single()], values);
        Assert.All(values, value => Assert.Contains(value, both));
    });

    [Fact]
    public void OneHistoryWithTwoTimes_IsOneObjectEverywhereInTheEnd() => Run(18, 3, async (cluster, load) =>
    {
        await load.WriteAllAsync(cluster.Nodes[0]);
        var victim = cluster.Nodes[1];
        victim.Kill(losesPower: false);
        var partition = victim.Volume.Partitions.First(held => victim.Volume.Contents(held).Count > 0);
        var (key, stored) = victim.Volume.Contents(partition).First();
        var held = ObjectCodec.Decode(stored);
        var later = VersionVector.FromEntries(held.Clock.Entries.Select(entry => entry with { UnixSeconds = entry.UnixSeconds + 5 }));
        victim.Volume.Replace(partition, key, ObjectCodec.Encode(KvObject.Create(later, held.Siblings)));
        await victim.StartAsync();
        Assert.NotNull(Replicas.FirstDifference(cluster));
        await UntilAlikeAsync(cluster);
        await load.VerifyAsync();
    });

    [Theory]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    public void DeletedKeys_DoNotComeBack(int seed) => Run(seed, 4, async (cluster, load) =>
    {
        await load.WriteAllAsync(cluster.Nodes[0]);
        await UntilAlikeAsync(cluster);
        var absent = cluster.Nodes[2];
        absent.Kill();
        await cluster.UntilAsync(() => cluster.Up.All(node => node.Node.State.Current.Up.Count == 3), 20, "all see that it is gone");
        for (var key = 0; key < 12; key++)
        {
            Assert.IsType<KvOutcome.Deleted>(await cluster.Nodes[0].AskAsync(new KvRequest.Delete { Key = load.KeyOf(key) }));
        }

        await cluster.DelayAsync(TimeSpan.FromSeconds(10));
        await absent.StartAsync();
        await cluster.SettleAsync();
        await UntilAlikeAsync(cluster);
        await cluster.DelayAsync(TimeSpan.FromSeconds(60));
        await UntilAlikeAsync(cluster);
        for (var key = 0; key < 12; key++)
        {
            Assert.IsType<KvOutcome.NotFound>(await cluster.Nodes[2].AskAsync(new KvRequest.Get { Key = load.KeyOf(key) }));
        }
    });

    [Fact]
    public void TypeThatTakesNoPart_IsLeftAlone() => Run(12, 3, async (cluster, _) =>
    {
        await MakeTypeAsync(cluster, "cache", """{"aae":false}""");
        var key = new ObjectKey("cache", "b", "k");
        Assert.IsType<KvOutcome.Stored>(await cluster.Nodes[0].AskAsync(new KvRequest.Put { Key = key, Content = ContentOf("v"), W = Core.Quorum.QuorumValue.All }));
        var victim = cluster.Nodes[1];
        victim.Kill();
        foreach (var partition in victim.Volume.Partitions.ToList())
        {
            victim.Volume.Lose(partition);
        }

        await victim.StartAsync();
        await cluster.SettleAsync();
        await cluster.UntilAsync(() => Replicas.AreAllBuilt(cluster), 120, "the trees are built");
        await cluster.DelayAsync(TimeSpan.FromSeconds(60));
        Assert.All(victim.Volume.Partitions, partition => Assert.Empty(victim.Volume.Contents(partition)));
    });

    [Fact]
    public void OtherNVal_MakesOtherTrees() => Run(13, 4, async (cluster, load) =>
    {
        await load.WriteAllAsync(cluster.Nodes[0]);
        await cluster.UntilAsync(() => Replicas.AreAllBuilt(cluster), 60, "the trees are built");
        await MakeTypeAsync(cluster, "two", """{"n_val":2}""");
        for (var key = 0; key < 20; key++)
        {
            Assert.IsType<KvOutcome.Stored>(await cluster.Nodes[0].AskAsync(new KvRequest.Put { Key = new ObjectKey("two", "b", $"k{key}"), Content = ContentOf("v") }));
        }

        await cluster.UntilAsync(() => Replicas.AreAllBuilt(cluster), 60, "the trees are built anew");
        await UntilAlikeAsync(cluster);
    });

    [Fact]
    public void RepairOnDemand_DoesNotWaitForItsTurn() => Run(
        14,
        3,
        async (cluster, load) =>
        {
            await load.WriteAllAsync(cluster.Nodes[0]);
            await UntilAlikeAsync(cluster);
            await cluster.DelayAsync(TimeSpan.FromSeconds(60));
            var victim = cluster.Nodes[1];
            victim.Kill(losesPower: false);
            var lost = victim.Volume.Partitions.First(partition => victim.Volume.Contents(partition).Count > 0);
            victim.Volume.Lose(lost);
            await victim.StartAsync();
            await cluster.UntilAsync(() => Replicas.AreAllBuilt(cluster), 60, "the trees are built");

            // What it asks for by itself at its start is over, and did not reach all.
            await cluster.DelayAsync(TimeSpan.FromSeconds(30));
            var view = SimCluster.Expect(victim.Node.Admin.RepairPartition(lost));
            Assert.Contains(view.Exchanges, exchange => exchange.Partition == lost);
            Assert.All(view.Exchanges.Where(exchange => exchange.Partition == lost), exchange => Assert.True(exchange.IsWanted));
            await cluster.UntilAsync(() => !victim.Node.Admin.GetAntiEntropy().Exchanges.Any(exchange => exchange.IsWanted), 20, "what was asked for has ended");
            await UntilAlikeAsync(cluster, 20);
            var refusal = cluster.Nodes[0].Node.Admin.RepairPartition(lost).Refusal;
            Assert.Contains("n2's: ask that node", refusal!.Message, StringComparison.Ordinal);
        },
        Eager with { ExchangeInterval = TimeSpan.FromDays(1) });

    [Fact]
    public void KeysOfABucket_AreRepairedOnDemand_WithoutTrees() => Run(
        19,
        3,
        async (cluster, load) =>
        {
            await load.WriteAllAsync(cluster.Nodes[0]);
            await cluster.DelayAsync(TimeSpan.FromSeconds(2));
            var victim = cluster.Nodes[1];
            victim.Kill(losesPower: false);
            foreach (var partition in victim.Volume.Partitions.ToList())
            {
                victim.Volume.Lose(partition);
            }

            await victim.StartAsync();
            await cluster.SettleAsync();
            var bucket = new BucketName(load.KeyOf(0).BucketType, load.KeyOf(0).Bucket);
            var admin = cluster.Nodes[2].Node.Admin;
            Assert.True(SimCluster.Expect(admin.RepairKeys(bucket, "key1"u8.ToArray(), "key1\uffff"u8.ToArray())).KeyRepair!.IsRunning);
            Assert.Equal("repair_running", admin.RepairKeys(bucket, default, default).Refusal?.Reason);
            await cluster.UntilAsync(() => !admin.GetAntiEntropy().KeyRepair!.IsRunning, 60, "the keys are repaired");
            var named = load.Keys.Count(key => key.ToString().Contains("/key1", StringComparison.Ordinal));
            var view = admin.GetAntiEntropy().KeyRepair!;
            Assert.Equal((16, named, ""), (view.Vnodes, view.KeysFound, view.LastError));
            Assert.InRange(view.KeysRepaired, 1, named);
            Assert.Contains("/key", Replicas.FirstDifference(cluster)!, StringComparison.Ordinal);
            SimCluster.Expect(admin.RepairKeys(bucket, default, default));
            await cluster.UntilAsync(() => !admin.GetAntiEntropy().KeyRepair!.IsRunning, 60, "the keys are repaired");
            Assert.Equal(load.Keys.Count, admin.GetAntiEntropy().KeyRepair!.KeysFound);
            Assert.InRange(admin.GetAntiEntropy().KeyRepair!.KeysRepaired, 1, load.Keys.Count - named);
            Assert.True(Replicas.AreAlike(cluster), Replicas.FirstDifference(cluster));
            await load.VerifyAsync();
        },
        Eager with { AntiEntropy = false });

    [Fact]
    public void KeysOnAPartitionThatIsDown_AreRepairedFromTheOthers_AndItIsNamed() => Run(
        20,
        3,
        async (cluster, load) =>
        {
            await load.WriteAllAsync(cluster.Nodes[0]);
            cluster.Nodes[1].Kill();
            await cluster.UntilAsync(() => cluster.Up.All(node => node.Node.State.Current.Up.Count == 2), 20, "all see that it is gone");
            var admin = cluster.Nodes[2].Node.Admin;
            var bucket = new BucketName(load.KeyOf(0).BucketType, load.KeyOf(0).Bucket);
            SimCluster.Expect(admin.RepairKeys(bucket, default, default));
            await cluster.UntilAsync(() => !admin.GetAntiEntropy().KeyRepair!.IsRunning, 200, "the repair ends");
            var view = admin.GetAntiEntropy().KeyRepair!;
            Assert.Equal(load.Keys.Count, view.KeysFound);
            Assert.InRange(view.Vnodes, 1, view.AllVnodes - 1);
            Assert.Contains("n2 is down", view.LastError, StringComparison.Ordinal);
            Assert.Equal("invalid_argument", admin.RepairKeys(bucket, "b"u8.ToArray(), "a"u8.ToArray()).Refusal?.Reason);
            Assert.Equal("invalid_argument", admin.RepairKeys(new BucketName("unknown", "b"), default, default).Refusal?.Reason);
        },
        Eager with { AntiEntropy = false });

    /// <summary>Each key has one replica, on a node that dies when it has shown its keys.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void KeysWhoseReplicasAreGoneWhenTheyAreRead_AreTriedAgain_AndCountedWhereThatIsInVain(bool isBack) => SimCluster.Run(
        21,
        3,
        async cluster =>
        {
            await cluster.FormAsync(3);
            var (asked, gone) = (cluster.Nodes[0], cluster.Nodes[1]);
            var bucket = new BucketName("one", "b");
            SimCluster.Expect(await asked.InAsync(async () => await asked.Node.Admin.CreateBucketTypeAsync("one", """{"n_val":1}""", default)));
            await cluster.UntilAsync(() => asked.Node.Admin.GetBucketType("one").Value!.MissingOn.IsEmpty, 20, "the bucket type is ready");
            SimCluster.Expect(await asked.InAsync(async () => await asked.Node.Admin.ActivateBucketTypeAsync("one", default)));
            await cluster.SettleAsync();
            for (var key = 0; key < 40; key++)
            {
                var content = new Sibling { Dot = null, Value = "v"u8.ToArray() };
                Assert.IsType<KvOutcome.Stored>(await asked.AskAsync(new KvRequest.Put { Key = new ObjectKey("one", "b", $"k{key}"), Content = content }));
            }

            var shown = 0;
            cluster.Network.HoldReply = (from, _, reply) => from == gone.Id && reply is PeerReply.ListPage { Names.Count: > 0 } && shown++ == 0 ? TimeSpan.FromSeconds(4) : TimeSpan.Zero;
            SimCluster.Expect(asked.Node.Admin.RepairKeys(bucket, default, default));
            await cluster.UntilAsync(() => shown > 0, 60, "the keys are shown");
            gone.Kill();
            await cluster.UntilAsync(() => asked.Node.Admin.GetAntiEntropy().KeyRepair!.KeysNotRepaired > 0, 60, "keys cannot be read");
            if (isBack)
            {
                await gone.StartAsync();
            }

            await cluster.UntilAsync(() => !asked.Node.Admin.GetAntiEntropy().KeyRepair!.IsRunning, 200, "the repair ends");
            var view = asked.Node.Admin.GetAntiEntropy().KeyRepair!;
            Assert.Equal(isBack, view.KeysNotRepaired == 0);
            Assert.Equal(!isBack, view.LastError.EndsWith($"{view.KeysNotRepaired} keys are not repaired: a replica did not show them, or did not take them", StringComparison.Ordinal));
        },
        options: Eager with { AntiEntropy = false });

    [Fact]
    public void SwitchedOff_KeepsNoTrees() => Run(
        15,
        3,
        async (cluster, load) =>
        {
            await load.WriteAllAsync(cluster.Nodes[0]);
            await cluster.DelayAsync(TimeSpan.FromSeconds(30));
            Assert.All(cluster.Up, node => Assert.False(node.Node.Admin.GetAntiEntropy().IsOn));
            Assert.All(cluster.Up.SelectMany(node => node.Node.Vnodes), vnode => Assert.Equal(0UL, vnode.Trees.Layout));
            Assert.Equal("anti_entropy_off", cluster.Nodes[0].Node.Admin.RepairPartition(cluster.Nodes[0].Node.Vnodes[0].Partition).Refusal?.Reason);
        },
        Eager with { AntiEntropy = false });

    [Fact]
    public void EqualReplicas_ExchangeRootsAlone_AndSayHowItStands() => Run(16, 3, async (cluster, load) =>
    {
        await load.WriteAllAsync(cluster.Nodes[0]);
        await UntilAlikeAsync(cluster);
        await cluster.DelayAsync(TimeSpan.FromSeconds(30));
        var others = 0;
        cluster.Network.Drop = (_, _, request) =>
        {
            others += request is Peers.PeerRequest.TreeBranches or Peers.PeerRequest.TreeSegments or Peers.PeerRequest.TreeEntries or Peers.PeerRequest.TreeLeaves ? 1 : 0;
            return false;
        };
        await cluster.DelayAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(0, others);
        foreach (var node in cluster.Up)
        {
            var view = node.Node.Admin.GetAntiEntropy();
            Assert.All(view.Trees, tree => Assert.Equal(TreeState.Built, tree.State));
            Assert.All(view.Exchanges, exchange => Assert.InRange(exchange.SinceEnd!.Value.TotalSeconds, 0, 10));
            Assert.All(view.Exchanges, exchange => Assert.Equal("", exchange.LastError));
        }

        // Every pair of a range's three replicas, once in the cluster.
        Assert.Equal(16 * 3, cluster.Up.Sum(node => node.Node.Admin.GetAntiEntropy().Exchanges.Length));
    });

    private static void Run(int seed, int nodes, Func<SimCluster, Load, Task> story, ClusterOptions? options = null) => SimCluster.Run(
        seed,
        nodes,
        async cluster =>
        {
            await cluster.FormAsync(nodes);
            await story(cluster, await Load.BeginAsync(cluster, clientCount: 0));
            Replicas.AssertTreesAreOfTheData(cluster);
        },
        options: options ?? Eager);

    private static async Task UntilAlikeAsync(SimCluster cluster, int seconds = 180) =>
        await cluster.UntilAsync(() => Replicas.AreAlike(cluster), seconds, $"all replicas hold the same, as they did not in {Replicas.FirstDifference(cluster)}");

    private static async Task MakeTypeAsync(SimCluster cluster, string name, string props)
    {
        var admin = cluster.Up.First();
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync(name, props, default)));
        await cluster.UntilAsync(() => admin.Node.Admin.GetBucketType(name).Value!.MissingOn.IsEmpty, 20, "the type is ready");
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ActivateBucketTypeAsync(name, default)));
        await cluster.SettleAsync();
    }

    private static Sibling ContentOf(string value) => new() { Dot = null, Value = System.Text.Encoding.UTF8.GetBytes(value) };

    private static NodeId OwnerOf(SimCluster cluster, PartitionId partition) => cluster.Document.Ring.Owner(partition);
}
