using Kv.Cluster.AntiEntropy;
using Kv.Cluster.Membership;
using Kv.Cluster.Vnodes;
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
internal sealed class ExpirySweeper(ClusterOptions options, ClusterState state, VnodeHost host, KvClient client, Pace pace, TimeProvider time)
{
    private const int AtOnce = 64;

    /// <summary>What a delete counts at the pace of the reading.</summary>
    private const int DeleteBytes = 8 * 1024;

    public async Task RunAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            await Task.Delay(options.ExpirySweepInterval, time, cancel);
            foreach (var vnode in host.Open)
            {
                if (state.Current is { Document: { } document } snapshot && HasExpiring(document) && IsOwn(snapshot, document, vnode.Partition))
                {
                    await TrySweepAsync(vnode, cancel);
                }
            }
        }
    }

    private static bool HasExpiring(ClusterDocument document) => document.BucketTypes.Values.Any(type => type.Props.TtlSeconds is not null);

    private static bool IsOwn(ClusterSnapshot snapshot, ClusterDocument document, PartitionId partition) =>
        partition.Number < document.Ring.Size && document.Ring.Owner(partition) == snapshot.Self;

    private async Task TrySweepAsync(Vnode vnode, CancellationToken cancel)
    {
        try
        {
            await SweepAsync(vnode, cancel);
        }
        catch (Exception exception) when (exception is StoreException or StoreRefusedException or ObjectDisposedException)
        {
            // The vnode ends, or there is no memory to read by: whoever serves the partition next looks again.
        }
    }

    private async Task SweepAsync(Vnode vnode, CancellationToken cancel)
    {
        var found = new List<ObjectKey>();
        await foreach (var entry in vnode.FoldAsync(cancel))
        {
            await pace.SpendAsync(entry.Key.Length + entry.Value.Length, TimeSpan.Zero, cancel);
            if (ObjectKeyCodec.TryDecode(entry.Key, out var key) && PropsOf(vnode.Partition, key) is { } props)
            {
                var held = StoredForm.Decode(entry.Value);
                if (held.IsTombstone)
                {
                    // Its reap may have come to nothing while a member was away.
                    client.Reap(key);
                }
                else if (Expiry.IsOver(held, props, time.GetUtcNow()))
                {
                    found.Add(key);
                }
            }

            if (found.Count == AtOnce)
            {
                await ExpireAsync(found, cancel);
            }
        }

        await ExpireAsync(found, cancel);
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
        keys.Clear();
    }
}
