using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

/// <summary>Reads, writes and deletes by several clients while nodes lose power, networks split and messages get lost: no acknowledged write is lost.</summary>
public sealed class RandomWorkloadTests
{
    private static readonly SimNetworkOptions Rough = new() { RequestLoss = 0.01, ReplyLoss = 0.01, Duplication = 0.02, Straggling = 0.02 };

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Workload_WithCrashesCutsAndLoss_LosesNothingAcknowledged(int seed)
    {
        var acknowledged = 0;
        DataCluster.Run(seed, 5, async cluster => acknowledged = await PlayAsync(cluster, withFaults: true), Rough);
        Assert.True(acknowledged > 20, $"seed {seed}: only {acknowledged} writes were acknowledged");
    }

    [Fact]
    public void Workload_OfOneSeed_GoesTheSameWayTwice()
    {
        static ulong TraceOf(int seed)
        {
            ulong hash = 0;
            DataCluster.Run(
                seed,
                5,
                async cluster =>
                {
                    await PlayAsync(cluster, withFaults: true);
                    hash = cluster.Scheduler.TraceHash;
                },
                Rough);
            return hash;
        }

        Assert.Equal(TraceOf(7), TraceOf(7));
        Assert.NotEqual(TraceOf(7), TraceOf(8));
    }

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, SeedCount())];

    private static int SeedCount() => int.TryParse(Environment.GetEnvironmentVariable("KV_SEEDS"), out var seeds) ? seeds : 40;

    private static async Task<int> PlayAsync(DataCluster cluster, bool withFaults)
    {
        var clients = new RandomClients(cluster, DataCluster.Siblings, keyCount: 6, deletesOneIn: 5);
        var end = cluster.Scheduler.Now + TimeSpan.FromSeconds(30).Ticks;
        clients.Start(4, end);
        if (withFaults)
        {
            await FaultsAsync(cluster, end);
        }

        await clients.EndAsync();
        return clients.Acknowledged;
    }

    private static async Task FaultsAsync(DataCluster cluster, long end)
    {
        var (random, time) = (cluster.Scheduler.Random, cluster.Scheduler.World.Time);
        while (cluster.Scheduler.Now < end)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(50, 2500)), time);
            var node = cluster.Nodes[random.Next(cluster.Nodes.Length)];
            var other = cluster.Nodes[random.Next(cluster.Nodes.Length)];
            switch (random.Next(7))
            {
                case 0 when node.IsUp:
                    node.Kill(losesPower: true);
                    break;
                case 1 when node.IsUp:
                    node.Kill(losesPower: false);
                    break;
                case 2 or 3 when !node.IsUp:
                    await node.StartAsync(cluster.Document);
                    break;
                case 4 when node != other:
                    cluster.Network.Cut(node.Id, other.Id);
                    break;
                case 5:
                    cluster.Network.HealAll();
                    break;
                case 6:
                    await cluster.HandBackAsync();
                    break;
            }

            if (random.Next(3) != 0)
            {
                cluster.Detect();
            }
        }
    }
}
