using System.Text;
using Kv.Cluster.Handoff;
using Kv.Cluster.Peers;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Handoff;

/// <summary>What is held for an absent owner goes back to it once, oldest first, at a bounded rate, and what the owner does not take keeps nothing else back.</summary>
public sealed class HintTests
{
    private static readonly ClusterOptions Small = new()
    {
        RequestTimeout = TimeSpan.FromSeconds(5),
        AntiEntropy = false,
        HandoffBatchObjects = 2,
        HandoffConcurrency = 1,
    };

    [Theory]
    [InlineData(61, true, true)]
    [InlineData(62, true, false)]
    [InlineData(63, false, true)]
    [InlineData(64, false, false)]
    public void AnEndThatDies_LeavesWhatIsStillToBeSent(int seed, bool senderDies, bool losesPower) => Run(seed, async (cluster, load, absent) =>
    {
        var confirmed = new Dictionary<string, int>();
        var batches = 0;
        SimNode? victim = null;
        cluster.Network.Drop = (from, to, request) =>
        {
            if (request is PeerRequest.HandoffBatch { Entries.Count: > 0 } batch)
            {
                foreach (var entry in batch.Entries)
                {
                    var key = Convert.ToHexString(entry.Key.Span) + from + batch.Partition;
                    confirmed[key] = confirmed.GetValueOrDefault(key) + 1;
                }

                if (victim is null && ++batches == 40)
                {
                    victim = cluster.Nodes.Single(node => node.Id == (senderDies ? from : to));
                    cluster.Scheduler.World.After(TimeSpan.FromMilliseconds(200), () => victim.Kill(losesPower));
                    return true;
                }
            }

            return false;
        };
        await absent.StartAsync();
        await cluster.UntilAsync(() => victim is { IsUp: false }, 60, "one of the two is gone");
        await cluster.DelayAsync(TimeSpan.FromSeconds(5));
        await victim!.StartAsync();
        await cluster.SettleAsync();
        await load.VerifyAsync();

        // A batch of each of the three nodes that hold hints and each of the two partitions, where the owner sealed it; the one that was lost above, and the one that was under way at the death; and what was removed within a second of a
        // loss of power.
        Assert.InRange(confirmed.Values.Count(times => times > 1), 0, losesPower && senderDies ? 30 : ((3 * 2) + 2) * Small.HandoffBatchObjects);
        Assert.True(confirmed.Count > 100, $"only {confirmed.Count} hints");
    });

    [Fact]
    public void AnObjectThatItsOwnerRefuses_StaysAndIsReported_AndTheOthersGo() => Run(65, async (cluster, load, absent) =>
    {
        var key = Enumerable.Range(0, 100).Select(number => new ObjectKey(load.Keys[0].BucketType, "large", $"large{number}")).First(key => IsOf(cluster, key, absent.Id));
        var large = new Sibling { Dot = null, Value = new byte[5000] };
        Assert.IsType<KvOutcome.Stored>(await cluster.Nodes[0].AskAsync(new KvRequest.Put { Key = key, Content = large }));
        absent.Volume.MostValueBytes = 4000;
        await absent.StartAsync();
        var holder = await FindStuckAsync(cluster);
        var stuck = Assert.Single(holder.Node.Admin.GetTransfers(), transfer => transfer.Kind == TransferKind.Hinted && transfer.LastError.Length > 0);
        Assert.Contains("1 objects stay here", stuck.LastError, StringComparison.Ordinal);
        Assert.Contains(Encoding.UTF8.GetString(key.Key.Span), stuck.LastError, StringComparison.Ordinal);
        Assert.Contains("beyond the store's 4000", stuck.LastError, StringComparison.Ordinal);
        Assert.Equal([key.Encoded.ToArray()], holder.Volume.Contents(stuck.Partition).Keys);
        Assert.Equal(1, holder.Node.Statistics.Handoff.RefusedHints!());

        // Every other partition, and all else of this one, is with its owner.
        await cluster.UntilAsync(() => cluster.Up.Sum(node => node.Node.Vnodes.Count(vnode => cluster.Document.Ring.Owner(vnode.Partition) != node.Id)) == 1, 60, "the rest went");
        absent.Volume.MostValueBytes = 1 << 20;
        await cluster.SettleAsync();
        Assert.Equal(0, holder.Node.Statistics.Handoff.RefusedHints!());
        await load.VerifyAsync();
    });

    [Theory]
    [InlineData(68, false)]
    [InlineData(69, true)]
    public void AnObjectThatItsOwnerRefuses_HoldsBackNoRebuild(int seed, bool isRefusedThereToo) => Run(seed, async (cluster, load, absent) =>
    {
        var key = Enumerable.Range(0, 100).Select(number => new ObjectKey(load.Keys[0].BucketType, "large", $"large{number}")).First(key => IsOf(cluster, key, absent.Id));
        Assert.IsType<KvOutcome.Stored>(await cluster.Nodes[0].AskAsync(new KvRequest.Put { Key = key, Content = new Sibling { Dot = null, Value = new byte[5000] } }));
        absent.Volume.MostValueBytes = 4000;
        await absent.StartAsync();
        var holder = await FindStuckAsync(cluster);
        var stuck = holder.Node.Admin.GetTransfers().Single(transfer => transfer.Kind == TransferKind.Hinted && transfer.LastError.Length > 0).Partition;

        // Another owner of the key loses what it has, and may not take it back.
        var lost = PrimariesOf(cluster, key).First(entry => entry.Node != absent.Id && entry.Node != holder.Id);
        var owner = cluster.Nodes.Single(node => node.Id == lost.Node);
        owner.Kill(losesPower: false);
        Assert.True(owner.Volume.Rot(lost.Partition));
        owner.Volume.MostValueBytes = isRefusedThereToo ? 4000 : owner.Volume.MostValueBytes;
        await owner.StartAsync();
        await cluster.UntilAsync(() => owner.Node.Admin.GetNode().Damaged.ContainsKey(lost.Partition), 20, "the loss is known");
        SimCluster.Expect((await owner.InAsync(async () => await owner.Node.Admin.RebuildPartitionAsync(lost.Partition, allowDataLoss: false, default)))!);
        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty && owner.Node.Vnodes.Any(vnode => vnode.Partition == lost.Partition), 120, "the partition is rebuilt");
        load.VerifyHeldBy(owner, [lost.Partition]);
        Assert.Equal(!isRefusedThereToo, owner.Volume.Contents(lost.Partition).ContainsKey(key.Encoded.ToArray()));
        Assert.True(holder.Volume.Contents(stuck).ContainsKey(key.Encoded.ToArray()));
        Assert.IsType<KvOutcome.Found>(await cluster.Nodes[0].AskAsync(new KvRequest.Get { Key = key }));
        absent.Volume.MostValueBytes = owner.Volume.MostValueBytes = 1 << 20;
        await cluster.SettleAsync();
        await load.VerifyAsync();
    });

    [Fact]
    public void OldestHints_GoFirst_OverARestartToo() => SimCluster.Run(
        66,
        4,
        async cluster =>
        {
            await cluster.FormAsync(4);
            var load = await Load.BeginAsync(cluster, clientCount: 0, keyCount: 200);
            var absent = cluster.Nodes[1];
            absent.Kill();
            await cluster.UntilAsync(() => cluster.Up.All(node => node.Node.State.Current.Up.Count == 3), 20, "all see that it is gone");
            await load.WriteAllAsync(cluster.Nodes[0]);
            var holder = cluster.Up.MaxBy(node => Held(cluster, node).Count)!;
            var before = Held(cluster, holder);
            Assert.True(before.Count > 1, "it holds hints of several partitions");
            holder.Kill(losesPower: false);
            await holder.StartAsync();
            Assert.Equal(before, Held(cluster, holder));
            var order = new List<PartitionId>();
            cluster.Network.Drop = (from, _, request) =>
            {
                if (from == holder.Id && request is PeerRequest.HandoffBatch batch && !order.Contains(batch.Partition))
                {
                    order.Add(batch.Partition);
                }

                return false;
            };
            await absent.StartAsync();
            await cluster.SettleAsync();
            Assert.Equal(before, order);
        },
        options: Small);

    [Fact]
    public void Hints_KeepToTheirRate() => Run(
        67,
        async (cluster, load, absent) =>
        {
            var held = cluster.Up.SelectMany(node => Held(cluster, node).Select(node.Volume.Contents)).ToList();
            var bytes = held.Sum(contents => contents.Sum(entry => (long)entry.Key.Length + entry.Value.Length));
            Assert.True(bytes > 3000, $"only {bytes} bytes of hints");
            await absent.StartAsync();
            var began = cluster.Scheduler.Now;
            await cluster.SettleAsync();

            // Three nodes, each with a second's worth in advance, and what it holds is spread over them.
            var least = held.Max(contents => contents.Sum(entry => (long)entry.Key.Length + entry.Value.Length)) / 100;
            Assert.InRange(TimeSpan.FromTicks(cluster.Scheduler.Now - began).TotalSeconds, least - 2, 120);
            Assert.True(least > 5, $"{least} s");
            await load.VerifyAsync();
        },
        Small with { HandoffBytesPerSecond = 100 });

    /// <summary>Four nodes, of which one is down while every key is written.</summary>
    private static void Run(int seed, Func<SimCluster, Load, SimNode, Task> story, ClusterOptions? options = null) => SimCluster.Run(
        seed,
        4,
        async cluster =>
        {
            await cluster.FormAsync(4, ringSize: 8);
            var load = await Load.BeginAsync(cluster, clientCount: 0, keyCount: 200);
            var absent = cluster.Nodes[1];
            absent.Kill();
            await cluster.UntilAsync(() => cluster.Up.All(node => node.Node.State.Current.Up.Count == 3), 20, "all see that it is gone");
            await load.WriteAllAsync(cluster.Nodes[0]);
            await cluster.DelayAsync(TimeSpan.FromSeconds(2));
            await story(cluster, load, absent);
        },
        options: options ?? Small);

    private static async Task<SimNode> FindStuckAsync(SimCluster cluster)
    {
        SimNode? holder = null;
        await cluster.UntilAsync(
            () => (holder = cluster.Up.FirstOrDefault(node => node.Node.Admin.GetTransfers().Any(transfer => transfer.Kind == TransferKind.Hinted && transfer.LastError.Contains("stay here", StringComparison.Ordinal)))) is not null,
            60,
            "an object is refused");
        return holder!;
    }

    private static bool IsOf(SimCluster cluster, ObjectKey key, NodeId node) => PrimariesOf(cluster, key).Any(entry => entry.Node == node);

    private static PreflistEntry[] PrimariesOf(SimCluster cluster, ObjectKey key)
    {
        var props = cluster.Document.EffectiveProps(new BucketName(key.BucketType, key.Bucket))!;
        return PreferenceList.Primaries(cluster.Document.Ring, RingHash.FirstPartition(key, props.ChashKeyFun, cluster.Document.Ring.Size), props.NVal);
    }

    /// <summary>Partitions of others that the node has data of, those first that it has had longest.</summary>
    private static List<PartitionId> Held(SimCluster cluster, SimNode node) =>
    [
        .. node.Node.Vnodes.Where(vnode => cluster.Document.Ring.Owner(vnode.Partition) != node.Id).OrderBy(vnode => vnode.Birth).Select(vnode => vnode.Partition),
    ];
}
