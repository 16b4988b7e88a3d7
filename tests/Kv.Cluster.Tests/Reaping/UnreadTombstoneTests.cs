using Kv.Cluster.Peers;
using Kv.Core.Objects;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Reaping;

/// <summary>Disk use returns to live data, though nobody reads what is deleted.</summary>
public sealed class UnreadTombstoneTests
{
    private static readonly ClusterOptions OldTrees = new() { RequestTimeout = TimeSpan.FromSeconds(5), TreeMaxAge = TimeSpan.FromSeconds(10) };

    [Theory]
    [InlineData(0)]
    [InlineData(400)]
    public void TombstonesWhoseReapCameToNothing_AreReapedWhenTreesAreBuiltAnew(int daysThatClocksWereAhead) => SimCluster.Run(
        1,
        4,
        async cluster =>
        {
            Jump(cluster, daysThatClocksWereAhead);
            await cluster.FormAsync(4, ringSize: 8);
            await cluster.DelayAsync(TimeSpan.FromSeconds(20));
            Jump(cluster, -daysThatClocksWereAhead);
            var (asked, away) = (cluster.Nodes[0], cluster.Nodes[3]);
            var keys = Enumerable.Range(0, 20).Select(number => new ObjectKey(ObjectKey.DefaultType, "b", $"k{number}")).ToList();
            foreach (var key in keys)
            {
                Assert.IsType<KvOutcome.Stored>(await asked.AskAsync(new KvRequest.Put { Key = key, Content = new Sibling { Dot = null, Value = "v"u8.ToArray() } }));
            }

            // Nothing is reaped while a member is away.
            away.Kill();
            foreach (var key in keys)
            {
                Assert.IsType<KvOutcome.Deleted>(await asked.AskAsync(new KvRequest.Delete { Key = key }));
            }

            await cluster.DelayAsync(TimeSpan.FromSeconds(10));
            Assert.NotEmpty(Held(asked));
            await away.StartAsync();
            await cluster.SettleAsync();

            await cluster.UntilAsync(() => cluster.Nodes.All(node => Held(node).Count == 0), 120, "no tombstone is left");
        },
        options: OldTrees);

    [Fact]
    public void AReapThatRunsOutOfMemory_IsNotTheLast() => SimCluster.Run(
        2,
        3,
        async cluster =>
        {
            await cluster.FormAsync(3, ringSize: 8);
            var (asked, refused) = (cluster.Nodes[0], 0);
            cluster.Network.Drop = (_, _, request) => request is PeerRequest.Inspect && refused++ < 3 ? throw new InsufficientMemoryException() : false;
            for (var number = 0; number < 20; number++)
            {
                var key = new ObjectKey(ObjectKey.DefaultType, "b", $"k{number}");
                Assert.IsType<KvOutcome.Stored>(await asked.AskAsync(new KvRequest.Put { Key = key, Content = new Sibling { Dot = null, Value = "v"u8.ToArray() } }));
                Assert.IsType<KvOutcome.Deleted>(await asked.AskAsync(new KvRequest.Delete { Key = key }));
                await cluster.DelayAsync(TimeSpan.FromSeconds(1));
            }

            Assert.True(refused > 3);
            await cluster.UntilAsync(() => cluster.Nodes.All(node => Held(node).Count == 0), 120, "no tombstone is left");
        },
        options: OldTrees);

    private static void Jump(SimCluster cluster, int days)
    {
        foreach (var node in cluster.Nodes)
        {
            node.Clock.Jump(TimeSpan.FromDays(days));
        }
    }

    private static List<byte[]> Held(SimNode node) => [.. node.Volume.Partitions.SelectMany(partition => node.Volume.Contents(partition).Keys)];
}
