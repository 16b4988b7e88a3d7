using Kv.Cluster.Tests.Coordination;
using Kv.Cluster.Vnodes;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Storage.Memory;
using Kv.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Kv.Cluster.Tests.Vnodes;

/// <summary>A node's vnodes over stores that have keys in memory beside those on disk.</summary>
public sealed class MemoryVnodeTests
{
    private const string Type = "cache";
    private static readonly PartitionId First = new(0); // A stop closes it first.
    private static readonly BucketProps InMemory = BucketProps.NewType with { Backend = BucketProps.MemoryBackend };

    /// <summary>Requests may be under way when a stop's time is over: what they coordinated is forgotten with the rest.</summary>
    [Fact]
    public void AWriteThatAStopFindsWaiting_IsNotOfTheActorThatComesAfterIt() => Run(1, async (cluster, node, volume) =>
    {
        cluster.SetType(Type, InMemory);
        var (host, vnode) = await OpenAsync(cluster, node, volume);
        await PutAsync(vnode, Story.Key(), cluster.Props());
        await PutAsync(vnode, CacheKey(0), InMemory);
        var waiting = PutAsync(vnode, CacheKey(1), InMemory);
        await host.StopAsync();
        var last = await waiting;
        var (again, reopened) = await OpenAsync(cluster, node, volume);
        var next = await PutAsync(reopened, CacheKey(1), InMemory);
        Assert.NotEqual(last.Actor, next.Actor);
        await again.StopAsync();
    });

    [Fact]
    public void KeysWrittenByHash_ThatMoveToMemoryInATurnThatBuildsTrees_AreOnDiskNoMore() => Run(2, async (cluster, node, volume) =>
    {
        var (host, vnode) = await OpenAsync(cluster, node, volume);
        var keys = Enumerable.Range(0, 20).Select(CacheKey).ToList();
        await Task.WhenAll(keys.Select(key => PutAsync(vnode, key, BucketProps.NewType)));
        Assert.Equal(keys.Count, volume.Contents(First).Count);
        cluster.SetType(Type, InMemory);
        var moves = keys.Select(key => PutAsync(vnode, key, InMemory)).ToList();
        var step = await vnode.BuildTreesAsync(host.Layouts.Current!, isFirst: true);
        await Task.WhenAll(moves);
        Assert.False(step.IsWhole);
        Assert.Empty(volume.Contents(First));
        Assert.Equal(keys.Count, vnode.ApproximateCount);
        await host.StopAsync();
    });

    private static ObjectKey CacheKey(int number) => Story.Key($"c{number}", Type);

    private static async Task<Dot> PutAsync(Vnode vnode, ObjectKey key, BucketProps props)
    {
        var reply = await vnode.CoordinateAsync(key.Encoded, Story.Value("v"), VersionVector.Empty, props, null);
        return reply.Object!.Siblings.Select(sibling => sibling.Dot!.Value).MaxBy(dot => (dot.Actor.Epoch, dot.Counter));
    }

    private static async Task<(VnodeHost Host, Vnode Vnode)> OpenAsync(DataCluster cluster, DataNode node, SimVolume volume)
    {
        var stores = new StoresWithMemory(volume.OpenStores(node.Context), new MemoryRoom(1 << 20));
        var transport = cluster.Network.TransportOf(node.Id, node.Context);
        var host = new VnodeHost(
            node.State, stores, volume.OpenState(node.Context), transport, new(node.Id), node.Context.Time, cluster.Options, node.Statistics, NullLogger.Instance);
        await host.StartAsync(CancellationToken.None);
        return (host, await host.OpenAsync(First, CancellationToken.None));
    }

    private static void Run(int seed, Func<DataCluster, DataNode, SimVolume, Task> story) => DataCluster.Run(
        seed,
        1,
        cluster => cluster.Nodes[0].Context.Enter(() => story(cluster, cluster.Nodes[0], new SimVolume(cluster.Scheduler))),
        options: new ClusterOptions { TreeTurnKeys = 1 });
}
