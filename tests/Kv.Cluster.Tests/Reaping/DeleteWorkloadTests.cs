using Kv.Cluster.Tests.Coordination;
using Kv.Core.Buckets;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Reaping;

/// <summary>Deletes that are reaped at once, while messages are held for seconds, nodes die for moments and reads repair: what was deleted does not come back.</summary>
public sealed class DeleteWorkloadTests
{
    private const int LeastSeeds = 40;

    /// <summary>One message in thirty comes up to ten seconds late: long after the tombstone is gone.</summary>
    private static readonly SimNetworkOptions Held = new() { RequestLoss = 0.005, ReplyLoss = 0.005, Straggling = 0.03, StraggleFactor = 5000 };

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Workload_WithHeldMessagesAndRestarts_BringsNothingBack(int seed) => DataCluster.Run(
        seed,
        5,
        async cluster =>
        {
            Assert.True(DeleteMode.TryParse(seed % 3 == 0 ? "200" : "immediate", out var mode));
            var durability = (Core.Stores.Durability)(seed % 4 == 0 ? 1 : 0);
            cluster.SetType("reaped", BucketProps.NewType with { DeleteMode = mode, Durability = durability });
            var clients = new RandomClients(cluster, "reaped", keyCount: 8, deletesOneIn: 2);
            var end = cluster.Scheduler.Now + TimeSpan.FromSeconds(40).Ticks;
            clients.Start(4, end);
            var reaps = await FaultsAsync(cluster, end);
            await clients.EndAsync();
            Assert.True(clients.Acknowledged > 20, $"seed {seed}: only {clients.Acknowledged} writes were acknowledged");
            Assert.True(reaps > 0 || seed > LeastSeeds, $"seed {seed}: nothing was reaped");
        },
        Held);

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, SeedCount())];

    private static int SeedCount() => int.TryParse(Environment.GetEnvironmentVariable("KV_SEEDS"), out var seeds) ? seeds : LeastSeeds;

    /// <summary>Gives how many tombstones were removed.</summary>
    private static async Task<long> FaultsAsync(DataCluster cluster, long end)
    {
        var (random, time) = (cluster.Scheduler.Random, cluster.Scheduler.World.Time);
        var reaps = 0L;
        while (cluster.Scheduler.Now < end)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(50, 3000)), time);
            var node = cluster.Nodes[random.Next(cluster.Nodes.Length)];
            switch (random.Next(5))
            {
                case 0 or 1:
                    reaps += node.Statistics.Reaps;
                    node.Kill(losesPower: random.Next(2) == 0);
                    if (random.Next(2) == 0)
                    {
                        cluster.Detect();
                    }

                    await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 1500)), time);
                    await node.StartAsync(cluster.Document);
                    break;
                case 2:
                    await cluster.HandBackAsync();
                    break;
            }

            cluster.Detect();
        }

        return reaps + cluster.Nodes.Sum(node => node.Statistics.Reaps);
    }
}
