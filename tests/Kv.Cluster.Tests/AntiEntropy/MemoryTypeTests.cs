using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Memory;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.AntiEntropy;

/// <summary>Bucket types with `backend: memory`: what a restart takes comes back from the other replicas, and what was acknowledged is not lost by it.</summary>
public sealed class MemoryTypeTests
{
    private const string Props = """{"allow_mult":true,"backend":"memory","delete_mode":"immediate"}""";
    private static readonly ObjectKey Key = new("siblings", "bucket", "k");

    private static readonly ClusterOptions Eager = new() { RequestTimeout = TimeSpan.FromSeconds(5), ExchangeInterval = TimeSpan.FromSeconds(5), TreeTurnKeys = 4, TreePageBytes = 200 };

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void EachNodeInTurn_StartsEmpty_AndIsFilledByTheOthers(int seed, bool isClean) => Run(seed, 1 << 20, Eager, async (cluster, load) =>
    {
        await load.WriteAllAsync(cluster.Nodes[0]);
        await cluster.DelayAsync(TimeSpan.FromSeconds(30));
        foreach (var node in cluster.Nodes)
        {
            var held = Held(node);
            Assert.True(held > 0);
            await RestartAsync(node, isClean);
            Assert.Equal(0, Held(node));
            await cluster.UntilAsync(() => Held(node) == held, 120, "the others have filled it");
        }

        await load.VerifyAsync();
    });

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void OneRestart_UnderLoad_LosesNoAcknowledgedWrite(int seed) => SimCluster.Run(seed, 3, async cluster =>
    {
        var load = await BeginAsync(cluster, 1 << 20, clients: 4);
        await cluster.DelayAsync(TimeSpan.FromSeconds(10));
        await RestartAsync(cluster.Nodes[1], isClean: true);
        await cluster.DelayAsync(TimeSpan.FromSeconds(10));
        await load.EndAsync();
        Assert.True(load.Acknowledged > 100);
    }, options: Eager);

    /// <summary>After a clean stop counters go on; but a vnode that has forgotten what it coordinated must not claim to have seen it.</summary>
    [Fact]
    public void AVnodeThatForgotWhatItCoordinated_IsANewActor() => Run(6, 1 << 20, Eager with { AntiEntropy = false }, async (cluster, _) =>
    {
        var node = cluster.Nodes[0];
        for (var index = 0; index < 100; index++)
        {
            // So that no partition is empty after the restart, which would make it a new actor anyway.
            Assert.IsType<KvOutcome.Stored>(await node.AskAsync(new KvRequest.Put { Key = new ObjectKey("default", "b", $"k{index}"), Content = ContentOf("on disk") }));
        }

        await PutAsync(node, "first");
        await RestartAsync(node, isClean: true);
        await PutAsync(node, "second");
        var found = Assert.IsType<KvOutcome.Found>(await node.AskAsync(new KvRequest.Get { Key = Key, R = QuorumValue.All }));
        Assert.Equal(["first", "second"], found.Object.Siblings.Select(sibling => System.Text.Encoding.UTF8.GetString(sibling.Value.Span)).Order());
    });

    [Fact]
    public void AFullNode_RefusesWhatIsInMemoryAlone_AndDeletesMakeRoom() => Run(7, 100_000, Eager, async (cluster, _) =>
    {
        var node = cluster.Nodes[0];
        var (stored, outcome) = (0, default(KvOutcome));
        for (; stored < 1000; stored++)
        {
            outcome = await node.AskAsync(new KvRequest.Put { Key = KeyOf(stored), Content = ContentOf(new string('v', 1000)) });
            if (outcome is not KvOutcome.Stored)
            {
                break;
            }
        }

        Assert.IsType<KvError.Overload>(Assert.IsType<KvOutcome.Failed>(outcome).Error);
        Assert.InRange(stored, 5, 100);
        Assert.IsType<KvOutcome.Found>(await node.AskAsync(new KvRequest.Get { Key = KeyOf(0) }));
        Assert.IsType<KvOutcome.Stored>(await node.AskAsync(new KvRequest.Put { Key = new ObjectKey("default", "b", "k"), Content = ContentOf(new string('v', 1000)) }));
        for (var index = 0; index < stored; index++)
        {
            var seen = ((KvOutcome.Found)(await node.AskAsync(new KvRequest.Get { Key = KeyOf(index) }))!).Object.Clock;
            Assert.IsNotType<KvOutcome.Failed>(await node.AskAsync(new KvRequest.Delete { Key = KeyOf(index), Context = seen }));
        }

        await cluster.UntilAsync(() => cluster.Up.All(up => up.Node.Vnodes.All(vnode => Held(up) == 0)), 120, "the tombstones are reaped");
        Assert.IsType<KvOutcome.Stored>(await node.AskAsync(new KvRequest.Put { Key = KeyOf(0), Content = ContentOf("again") }));
    });

    /// <summary>A cache at its bound is nothing unusual, and its neighbour's data is no new write.</summary>
    [Fact]
    public void WhatIsHeldForAFullNode_GoesHomeToIt_WithAllElse() => Run(8, nodes: 4, full: 3, async (cluster, load) =>
    {
        var full = cluster.Nodes[3];
        full.Kill();
        await cluster.UntilAsync(() => cluster.Up.All(node => node.Node.State.Current.Up.Count == 3), 20, "all see that it is gone");
        await load.WriteAllAsync(cluster.Nodes[0]);
        await WriteDurablyAsync(cluster.Nodes[0]);
        await full.StartAsync();
        await cluster.SettleAsync();
        await load.VerifyAsync();
    });

    [Fact]
    public void AFullNode_TakesWhatItIsToOwn_AndWhatIsWrittenMeanwhile() => Run(9, nodes: 3, full: 3, async (cluster, load) =>
    {
        await WriteDurablyAsync(cluster.Nodes[0]);
        await cluster.JoinAsync(cluster.Nodes[0], [cluster.Nodes[3]]);
        await cluster.UntilAsync(() => !RingTransition.HasPending(cluster.Document.Ring), 120, "its partitions are with it");
        await load.EndAsync();
    }, clients: 2);

    [Fact]
    public void AFullNode_RebuildsWhatADeadOneHad() => Run(10, nodes: 4, full: 4, async (cluster, load) =>
    {
        await load.WriteAllAsync(cluster.Nodes[0]);
        await WriteDurablyAsync(cluster.Nodes[0]);
        cluster.Nodes[3].Kill();
        await cluster.Nodes[4].StartAsync();
        await cluster.ReplaceAsync(cluster.Nodes[0], cluster.Nodes[3].Id, cluster.Nodes[4]);
        await cluster.SettleAsync();
        await load.VerifyAsync();
    });

    private static async Task WriteDurablyAsync(SimNode by)
    {
        for (var index = 0; index < 50; index++)
        {
            Assert.IsType<KvOutcome.Stored>(await by.AskAsync(new KvRequest.Put { Key = new ObjectKey("default", "b", $"k{index}"), Content = ContentOf("on disk") }));
        }
    }

    private static ObjectKey KeyOf(int number) => new("siblings", "bucket", $"big{number}");

    private static Sibling ContentOf(string value) => new() { Dot = null, Value = System.Text.Encoding.UTF8.GetBytes(value) };

    private static async Task PutAsync(SimNode node, string value) =>
        Assert.IsType<KvOutcome.Stored>(await node.AskAsync(new KvRequest.Put { Key = Key, Content = ContentOf(value), Context = VersionVector.Empty, W = QuorumValue.All }));

    /// <summary>Keys in memory alone.</summary>
    private static long Held(SimNode node) => node.Node.Vnodes.Sum(vnode => vnode.ApproximateCount) - node.Volume.Partitions.Sum(partition => node.Volume.Contents(partition).Count);

    private static async Task RestartAsync(SimNode node, bool isClean)
    {
        if (isClean)
        {
            await node.StopAsync();
        }
        else
        {
            node.Kill();
        }

        await node.StartAsync();
    }

    private static void Run(int seed, long roomBytes, ClusterOptions options, Func<SimCluster, Load, Task> story) => SimCluster.Run(
        seed, 3, async cluster => await story(cluster, await BeginAsync(cluster, roomBytes, clients: 0)), options: options);

    private static async Task<Load> BeginAsync(SimCluster cluster, long roomBytes, int clients)
    {
        cluster.Seams = new WithMemory(roomBytes);
        foreach (var node in cluster.Nodes)
        {
            await RestartAsync(node, isClean: true);
        }

        await cluster.FormAsync(3);
        return await Load.BeginAsync(cluster, clients, props: Props);
    }

    /// <summary>The first <paramref name="nodes"/> are a cluster; the node of that index has no room in memory at all.</summary>
    private static void Run(int seed, int nodes, int full, Func<SimCluster, Load, Task> story, int clients = 0) => SimCluster.Run(
        seed,
        Math.Max(nodes, full + 1),
        async cluster =>
        {
            cluster.Seams = new WithMemory(1 << 20) { Full = cluster.Nodes[full] };
            foreach (var node in cluster.Nodes)
            {
                await RestartAsync(node, isClean: true);
            }

            await cluster.FormAsync(nodes);
            await story(cluster, await Load.BeginAsync(cluster, clients, props: Props));
        },
        options: Eager with { AntiEntropy = false });

    private sealed class WithMemory(long roomBytes) : SimSeams
    {
        public SimNode? Full { get; init; }

        public override IPartitionStores Stores(SimNode node, SimContext context, IPartitionStores real) => new StoresWithMemory(real, new MemoryRoom(node == Full ? 0 : roomBytes));
    }
}
