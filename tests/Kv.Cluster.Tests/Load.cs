using System.Collections.Immutable;
using Kv.Core.Causality;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests;

/// <summary>Clients that read and write while a story goes on, and the check that nothing acknowledged was lost.</summary>
internal sealed class Load
{
    /// <summary>The bucket type of the load, made by <see cref="BeginAsync"/>: siblings are kept, so that a lost write cannot hide behind a newer one.</summary>
    private const string Type = "siblings";

    private readonly SimCluster cluster;
    private readonly AcknowledgedWrites ledger = new();
    private readonly ObjectKey[] keys;
    private readonly List<Task> clients = [];
    private bool isEnding;

    private Load(SimCluster cluster, int keyCount)
    {
        this.cluster = cluster;
        keys = [.. Enumerable.Range(0, keyCount).Select(n => new ObjectKey(Type, "bucket", $"key{n}"))];
    }

    /// <summary>What the requests that did not succeed ended with; not those whose node died beneath them.</summary>
    public List<KvError> Errors { get; } = [];

    public IReadOnlyList<ObjectKey> Keys => keys;

    public int Acknowledged => ledger.Acknowledged;

    public ObjectKey KeyOf(int number) => keys[number];

    public static async Task<Load> BeginAsync(SimCluster cluster, int clientCount = 3, int keyCount = 24, string props = """{"allow_mult":true}""")
    {
        var admin = cluster.Up.First();
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync(Type, props, default)));
        await cluster.UntilAsync(() => admin.Node.Admin.GetBucketType(Type).Value!.MissingOn.IsEmpty, 20, "the load's bucket type is ready");
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ActivateBucketTypeAsync(Type, default)));
        await cluster.SettleAsync();
        var load = new Load(cluster, keyCount);
        load.clients.AddRange(Enumerable.Range(0, clientCount).Select(_ => load.RunClientAsync()));
        return load;
    }

    /// <summary>Writes every key once and waits for it.</summary>
    public async Task WriteAllAsync(SimNode by)
    {
        foreach (var key in keys)
        {
            var write = ledger.Begin(key, null);
            AcknowledgedWrites.End(write, await by.AskAsync(new KvRequest.Put { Key = key, Content = AcknowledgedWrites.ContentOf(write) }));
        }
    }

    /// <summary>Ends the clients, waits until the cluster is at rest, and reads every key from every primary.</summary>
    public async Task EndAsync()
    {
        await StopClientsAsync();
        await cluster.SettleAsync();
        await VerifyAsync();
    }

    public async Task StopClientsAsync()
    {
        isEnding = true;
        foreach (var client in clients)
        {
            await client;
        }
    }

    /// <summary>Every acknowledged write is there, asked of any node.</summary>
    public async Task VerifyAsync()
    {
        var up = cluster.Up.Where(node => node.Document is not null).ToList();
        foreach (var key in keys)
        {
            var node = up[cluster.Scheduler.Random.Next(up.Count)];
            var final = await node.AskAsync(new KvRequest.Get { Key = key, R = QuorumValue.All, Pr = QuorumValue.All, SloppyQuorum = false });
            var violations = ledger.Violations(key, final!);
            Assert.True(violations.Count == 0, $"seed {cluster.Scheduler.Seed}: {string.Join("; ", violations)}");
        }
    }

    /// <summary>
    /// Every acknowledged write is in the store of each partition of its key that the node owns, or of those that are named, without anybody's help.
    /// </summary>
    public void VerifyHeldBy(SimNode node, ImmutableArray<PartitionId> partitions = default)
    {
        var document = cluster.Document;
        foreach (var key in keys)
        {
            var props = document.EffectiveProps(new BucketName(key.BucketType, key.Bucket))!;
            foreach (var entry in PreferenceList.Primaries(document.Ring, RingHash.FirstPartition(key, props.ChashKeyFun, document.Ring.Size), props.NVal)
                .Where(e => e.Node == node.Id && (partitions.IsDefault || partitions.Contains(e.Partition))))
            {
                KvOutcome held = node.Volume.Contents(entry.Partition).TryGetValue(key.Encoded.ToArray(), out var stored)
                    ? new KvOutcome.Found(ObjectCodec.Decode(stored))
                    : new KvOutcome.NotFound(null);
                var violations = ledger.Violations(key, held);
                Assert.True(violations.Count == 0, $"seed {cluster.Scheduler.Seed}: partition {entry.Partition} on {node.Name}: {string.Join("; ", violations)}");
            }
        }
    }

    private async Task RunClientAsync()
    {
        var random = cluster.Scheduler.Random;
        while (!isEnding)
        {
            await cluster.DelayAsync(TimeSpan.FromMilliseconds(random.Next(1, 60)));
            // A node whose join is not committed is not ready, and nobody sends it requests.
            var up = cluster.Up.Where(n => n.Document?.FindMember(n.Id) is not (null or { State: MemberState.Joining }) && !n.IsPaused).ToList();
            if (up.Count == 0)
            {
                continue;
            }

            var node = up[random.Next(up.Count)];
            var key = keys[random.Next(keys.Length)];
            var read = await node.AskAsync(new KvRequest.Get { Key = key });
            if (read is not (KvOutcome.Found or KvOutcome.NotFound))
            {
                Note(read);
                continue;
            }

            var seen = (read as KvOutcome.Found)?.Object;
            var write = ledger.Begin(key, seen);
            var outcome = await node.AskAsync(new KvRequest.Put { Key = key, Content = AcknowledgedWrites.ContentOf(write), Context = seen?.Clock ?? VersionVector.Empty });
            AcknowledgedWrites.End(write, outcome);
            Note(outcome);
        }
    }

    private void Note(KvOutcome? outcome)
    {
        if (outcome is KvOutcome.Failed failed)
        {
            Errors.Add(failed.Error);
        }
    }
}
