using Kv.Core.Objects;
using Kv.Core.Quorum;
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
        var ledger = new AcknowledgedWrites();
        ObjectKey[] keys = [.. Enumerable.Range(0, 6).Select(number => new ObjectKey(DataCluster.Siblings, "bucket", $"key{number}"))];
        var end = cluster.Scheduler.Now + TimeSpan.FromSeconds(30).Ticks;
        var clients = Enumerable.Range(0, 4).Select(_ => ClientAsync(cluster, ledger, keys, end)).ToList();
        if (withFaults)
        {
            await FaultsAsync(cluster, end);
        }

        foreach (var client in clients)
        {
            await client;
        }

        await HealAsync(cluster, keys);
        foreach (var node in cluster.Nodes)
        {
            Assert.False(node.Host.Failed.IsCompleted, $"seed {cluster.Scheduler.Seed}: {(node.Host.Failed.IsCompleted ? await node.Host.Failed : null)}");
        }

        foreach (var key in keys)
        {
            var final = await cluster.Nodes[0].AskAsync(new KvRequest.Get { Key = key, R = QuorumValue.All, SloppyQuorum = false });
            var violations = ledger.Violations(key, final!);
            Assert.True(violations.Count == 0, $"seed {cluster.Scheduler.Seed}: {string.Join("; ", violations)}");
        }

        return ledger.Acknowledged;
    }

    private static async Task ClientAsync(DataCluster cluster, AcknowledgedWrites ledger, ObjectKey[] keys, long end)
    {
        var (random, time) = (cluster.Scheduler.Random, cluster.Scheduler.World.Time);
        while (cluster.Scheduler.Now < end)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 400)), time);
            var node = cluster.Nodes[random.Next(cluster.Nodes.Length)];
            var key = keys[random.Next(keys.Length)];
            KvObject? seen = null;
            if (random.Next(4) != 0)
            {
                switch (await node.AskAsync(new KvRequest.Get { Key = key }))
                {
                    case KvOutcome.Found found:
                        seen = found.Object;
                        break;
                    case KvOutcome.NotFound:
                        break;
                    default:
                        continue;
                }
            }

            var write = ledger.Begin(key, seen, isDelete: seen is not null && random.Next(5) == 0);
            KvRequest request = write.IsDelete
                ? new KvRequest.Delete { Key = key, Context = seen!.Clock }
                : new KvRequest.Put { Key = key, Content = AcknowledgedWrites.ContentOf(write), Context = seen?.Clock ?? Kv.Core.Causality.VersionVector.Empty };
            AcknowledgedWrites.End(write, await cluster.Nodes[random.Next(cluster.Nodes.Length)].AskAsync(request));
        }
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

    /// <summary>Everything is up and hears everything; what stand-ins hold goes home, and reads repair the rest.</summary>
    private static async Task HealAsync(DataCluster cluster, ObjectKey[] keys)
    {
        cluster.Network.HealAll();
        cluster.Network.Options = new SimNetworkOptions();
        foreach (var node in cluster.Nodes.Where(node => !node.IsUp))
        {
            await node.StartAsync(cluster.Document);
        }

        cluster.Detect();
        for (var round = 0; round < 2; round++)
        {
            await Task.Delay(TimeSpan.FromSeconds(10), cluster.Scheduler.World.Time);
            await cluster.HandBackAsync();
            foreach (var key in keys)
            {
                await cluster.Nodes[round].AskAsync(new KvRequest.Get { Key = key, R = QuorumValue.All });
            }
        }
    }
}
