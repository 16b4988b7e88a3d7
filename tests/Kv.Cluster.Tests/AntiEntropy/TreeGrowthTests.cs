using Kv.Cluster.Peers;
using Kv.Core.AntiEntropy;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.AntiEntropy;

/// <summary>Trees get as fine as their keys are many, and are compared whatever their depths.</summary>
public sealed class TreeGrowthTests
{
    /// <summary>Two keys are too many for the smallest tree.</summary>
    private static readonly ClusterOptions Growing = new()
    {
        RequestTimeout = TimeSpan.FromSeconds(5),
        ExchangeInterval = TimeSpan.FromSeconds(5),
        TreeTurnKeys = 4,
        TreePageBytes = 200,
        TreeLeafKeys = 0.25 / HashTree.Segments,
    };

    [Fact]
    public void TreesThatTheKeysHaveOutgrown_AreBuiltDeeper_WhileWritesGoOn() => Run(21, async (cluster, load) =>
    {
        await cluster.UntilAsync(() => Replicas.AreAllBuilt(cluster), 60, "the trees are built");
        Assert.Equal(0, DeepestTree(cluster));
        for (var round = 0; DeepestTree(cluster) == 0; round++)
        {
            Assert.True(round < 50, "the trees were not built deeper");
            await load.WriteAllAsync(cluster.Nodes[round % 3]);
        }

        Replicas.AssertTreesAreOfTheData(cluster);
        var victim = cluster.Nodes[1];
        victim.Kill(losesPower: false);
        var lost = victim.Volume.Partitions.First(partition => victim.Volume.Contents(partition).Count > 0);
        victim.Volume.Lose(lost);
        await victim.StartAsync();
        await UntilAlikeAsync(cluster);
        await load.VerifyAsync();
    });

    [Theory]
    [InlineData(22, 0)]
    [InlineData(23, 1)]
    [InlineData(24, 2)]
    public void NodeOfAnOlderProgram_IsAskedForSegments(int seed, int which) => Run(seed, async (cluster, load) =>
    {
        await load.WriteAllAsync(cluster.Nodes[0]);
        await cluster.UntilAsync(() => DeepestTree(cluster) > 0, 60, "trees are built deeper");
        var (old, refused) = (cluster.Nodes[which].Id, 0);
        cluster.Network.Instead = (_, to, request) =>
        {
            if (to != old || request is not (PeerRequest.TreeLeaves or PeerRequest.TreeLeafEntries))
            {
                return null;
            }

            Assert.IsType<PeerRequest.TreeLeaves>(request);
            refused++;
            return new PeerReply.Refused(PeerReply.Refused.Unreadable + "unknown request code 25");
        };
        var layout = TreeLayout.Of(cluster.Document);
        foreach (var (half, victim) in cluster.Nodes.Where(node => node.Id != old).Index())
        {
            victim.Kill(losesPower: false);
            foreach (var partition in victim.Volume.Partitions.Where(partition => cluster.Document.Ring.Owner(partition) == victim.Id).ToList())
            {
                foreach (var key in victim.Volume.Contents(partition).Keys.Where(key => (int)(EntryHash.OfKey(key) % 2) == half).ToList())
                {
                    victim.Volume.Miss(partition, key, RangeOf(layout, partition, key));
                }
            }

            await victim.StartAsync();
        }

        Assert.NotNull(Replicas.FirstDifference(cluster));
        await UntilAlikeAsync(cluster);
        Assert.True(refused > 0, "the older node was never asked");
        await load.VerifyAsync();
    });

    private static void Run(int seed, Func<SimCluster, Load, Task> story) => SimCluster.Run(
        seed,
        3,
        async cluster =>
        {
            await cluster.FormAsync(3);
            await story(cluster, await Load.BeginAsync(cluster, clientCount: 0));
            Replicas.AssertTreesAreOfTheData(cluster);
        },
        options: Growing);

    private static async Task UntilAlikeAsync(SimCluster cluster) =>
        await cluster.UntilAsync(() => Replicas.AreAlike(cluster), 180, $"all replicas hold the same, as they did not in {Replicas.FirstDifference(cluster)}");

    private static int DeepestTree(SimCluster cluster) =>
        cluster.Up.SelectMany(node => node.Node.Vnodes).SelectMany(vnode => vnode.Trees.Ranges.Select(range => vnode.Trees.Find(range)!.Depth)).DefaultIfEmpty().Max();

    private static TreeRange RangeOf(TreeLayout layout, PartitionId partition, byte[] key) =>
        ObjectKeyCodec.TryDecode(key, out var name) && layout.RangeAt(partition, name) is { } range ? range : throw new ArgumentException("a key of no tree", nameof(key));
}
