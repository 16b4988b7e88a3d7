using Kv.Cluster.AntiEntropy;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.AntiEntropy;
using Kv.Core.Buckets;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Reaping;

/// <summary>
/// Finds objects whose `ttl` is over in the data of the node's own vnodes and has them deleted, so that their room comes back: one vnode at a time, at the pace of background work. The first replica
/// that is up sees to a key; where replicas do not compare what they hold, each of them does.
/// </summary>
internal sealed class ExpirySweeper(ClusterOptions options, ClusterState state, VnodeHost host, KvClient client, MemberClocks clocks, Pace pace, TimeProvider time)
{
    private const int AtOnce = 64;

    private static readonly TimeSpan BusyPause = TimeSpan.FromMilliseconds(100);

    /// <summary>What a delete counts at the pace of the reading.</summary>
    private const int DeleteBytes = 8 * 1024;

    public async Task RunAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            await Task.Delay(options.ExpirySweepInterval, time, cancel);
            foreach (var vnode in host.Open)
            {
                if (state.Current is { Document: { } document } snapshot && ClockWatcher.HasExpiring(document) && IsOwn(snapshot, document, vnode.Partition))
                {
                    await TrySweepAsync(vnode, cancel);
                }
            }
        }
    }

    private static bool IsOwn(ClusterSnapshot snapshot, ClusterDocument document, PartitionId partition) =>
        partition.Number < document.Ring.Size && document.Ring.Owner(partition) == snapshot.Self;

    private async Task TrySweepAsync(Vnode vnode, CancellationToken cancel)
    {
        try
        {
            await SweepAsync(vnode, cancel);
        }
        catch (Exception exception) when (exception is StoreException or StoreRefusedException or ObjectDisposedException or InvalidOperationException)
        {
            // The vnode ends, its keys are being learned, or there is no memory for that: whoever serves the partition next looks again.
        }
    }

    /// <summary>By segment: a fold, and with it all that compaction would free, would be open for as long as this waits.</summary>
    private async Task SweepAsync(Vnode vnode, CancellationToken cancel)
    {
        if (vnode.NeedsIndex)
        {
            await vnode.IndexAsync(cancel);
        }

        for (var segment = 0; segment < HashTree.Segments;)
        {
            var page = await vnode.ReadSegmentsAsync(segment);
            if (page.Pending.Reply is PeerReply.Overloaded)
            {
                await Task.Delay(BusyPause, time, cancel);
                continue;
            }

            if (page.Pending.Reply is not PeerReply.Done)
            {
                // Another sweep comes.
                return;
            }

            foreach (var keys in page.Keys.Chunk(AtOnce))
            {
                await ExpireAsync(await FindOverAsync(vnode, keys, cancel), cancel);
            }

            segment = page.Next;
        }
    }

    /// <summary>Those whose objects are to be deleted. One value at a time is held; keys of other types are not read.</summary>
    private async Task<List<ObjectKey>> FindOverAsync(Vnode vnode, ReadOnlyMemory<byte>[] keys, CancellationToken cancel)
    {
        var found = new List<ObjectKey>();
        foreach (var encoded in keys)
        {
            var began = time.GetTimestamp();
            var bytes = encoded.Length;
            if (ObjectKeyCodec.TryDecode(encoded, out var key) && PropsOf(vnode.Partition, key) is { } props
                && (await vnode.GetAsync(encoded, headOnly: false)).Reply is PeerReply.Object { Stored: { } stored })
            {
                bytes += stored.Length;
                var held = StoredForm.Decode(stored);
                if (held.IsTombstone)
                {
                    // Its reap may have come to nothing while a member was away.
                    client.Reap(key);
                }
                else if (clocks.Certain is { } now && Expiry.IsOver(held, props, now))
                {
                    found.Add(key);
                }
            }

            await pace.SpendAsync(bytes, time.GetElapsedTime(began), cancel);
        }

        return found;
    }

    /// <summary>The properties of a key whose objects have an end, and which this vnode is to see to; null of any other.</summary>
    private BucketProps? PropsOf(PartitionId partition, ObjectKey key)
    {
        var snapshot = state.Current;
        if (snapshot.Document?.EffectiveProps(new BucketName(key.BucketType, key.Bucket)) is not { TtlSeconds: not null } props)
        {
            return null;
        }

        var first = RingHash.FirstPartition(key, props.ChashKeyFun, snapshot.Document.Ring.Size);
        return !props.Aae || (snapshot.PreferenceList(first, props.NVal, sloppy: false) is [var one, ..] && one.Partition == partition) ? props : null;
    }

    private async Task ExpireAsync(List<ObjectKey> keys, CancellationToken cancel)
    {
        await pace.SpendAsync((long)keys.Count * DeleteBytes, TimeSpan.Zero, cancel);
        await Task.WhenAll(keys.Select(key => client.ExpireAsync(key, Deadline.After(time, options.RequestTimeout))));
    }
}
