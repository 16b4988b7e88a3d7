using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

/// <summary>
/// Clients that read, write and delete the same few keys at random through any node, and the check that what was acknowledged stands when all is well again.
/// </summary>
internal sealed class RandomClients(DataCluster cluster, string bucketType, int keyCount, int deletesOneIn)
{
    private readonly AcknowledgedWrites ledger = new();
    private readonly ObjectKey[] keys = [.. Enumerable.Range(0, keyCount).Select(number => new ObjectKey(bucketType, "bucket", $"key{number}"))];
    private readonly List<Task> clients = [];

    public int Acknowledged => ledger.Acknowledged;

    public void Start(int count, long end) => clients.AddRange(Enumerable.Range(0, count).Select(_ => RunAsync(end)).ToList());

    /// <summary>Waits for the clients, heals everything, and reads every key.</summary>
    public async Task EndAsync()
    {
        foreach (var client in clients)
        {
            await client;
        }

        await HealAsync();
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
    }

    private async Task RunAsync(long end)
    {
        var (random, time) = (cluster.Scheduler.Random, cluster.Scheduler.World.Time);
        while (cluster.Scheduler.Now < end)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 400)), time);
            var key = keys[random.Next(keys.Length)];
            var node = AnyNode();
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

            var write = ledger.Begin(key, seen, isDelete: seen is not null && random.Next(deletesOneIn) == 0);
            KvRequest request = write.IsDelete
                ? new KvRequest.Delete { Key = key, Context = seen!.Clock }
                : new KvRequest.Put { Key = key, Content = AcknowledgedWrites.ContentOf(write), Context = seen?.Clock ?? Kv.Core.Causality.VersionVector.Empty };
            AcknowledgedWrites.End(write, await AnyNode().AskAsync(request));
        }
    }

    private DataNode AnyNode() => cluster.Nodes[cluster.Scheduler.Random.Next(cluster.Nodes.Length)];

    /// <summary>Everything is up and hears everything; what stand-ins hold goes home, and reads repair the rest.</summary>
    private async Task HealAsync()
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
