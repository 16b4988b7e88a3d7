using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.AntiEntropy;

/// <summary>Trees stay those of the data whatever happens while they are kept, built and compared, and replicas become alike afterwards.</summary>
public sealed class RandomRepairTests
{
    /// <summary>Trees grow old at once, pages are tiny and four keys fill the smallest tree, so that something is built or compared at any moment, at all depths.</summary>
    private static readonly ClusterOptions Restless = new()
    {
        RequestTimeout = TimeSpan.FromSeconds(5),
        ExchangeInterval = TimeSpan.FromSeconds(2),
        TreeMaxAge = TimeSpan.FromSeconds(4),
        TreeTurnKeys = 3,
        TreePageBytes = 150,
        TreeLeafKeys = 1 / 16384.0,
        ExchangeBytesPerSecond = 64 * 1024,
    };

    [Theory]
    [InlineData(101)]
    [InlineData(102)]
    [InlineData(103)]
    [InlineData(104)]
    public void WritesCrashesAndLostPartitions_WhileTreesAreBuiltAndCompared_EndInEqualReplicas(int seed) => SimCluster.Run(
        seed,
        4,
        async cluster =>
        {
            await cluster.FormAsync(4, ringSize: 8);
            var load = await Load.BeginAsync(cluster);
            var random = new Random(seed);
            for (var round = 0; round < 8; round++)
            {
                await cluster.DelayAsync(TimeSpan.FromMilliseconds(random.Next(200, 4000)));
                var victim = cluster.Nodes[random.Next(4)];
                victim.Kill(losesPower: random.Next(2) == 0);
                var held = victim.Volume.Partitions.ToList();
                if (round % 4 == 3 && held.Count > 0)
                {
                    victim.Volume.Lose(held[random.Next(held.Count)]);
                }

                await cluster.DelayAsync(TimeSpan.FromMilliseconds(random.Next(10, 1500)));
                await victim.StartAsync();
                await cluster.SettleAsync();
            }

            await load.StopClientsAsync();
            await cluster.SettleAsync();
            await cluster.UntilAsync(() => Replicas.AreAllBuilt(cluster) && Replicas.AreAlike(cluster), 240, "all replicas hold the same");
            Replicas.AssertTreesAreOfTheData(cluster);
            await load.VerifyAsync();
        },
        options: Restless);
}
