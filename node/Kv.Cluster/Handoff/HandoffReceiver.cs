using Kv.Cluster.Async;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Handoff;

/// <summary>
/// Takes in objects that are handed over: merges them through the vnode, never overwrites, and answers when all are on disk. Only for partitions that this
/// node owns or is to own by its own document, so that what it has confirmed is never passed back and dropped here as somebody else's.
/// </summary>
internal sealed class HandoffReceiver(ClusterOptions options, ClusterState state, VnodeHost host, HandoffStatistics statistics)
{
    /// <summary>The reason given while as many batches as allowed are being merged: try again soon, nothing is wrong.</summary>
    public const string Busy = "busy: as many batches as allowed are being merged";

    private int merging;

    /// <summary>Batches that are being merged.</summary>
    public int Merging => Volatile.Read(ref merging);

    /// <summary>An empty batch asks whether this node would take the partition.</summary>
    public async ValueTask<PeerReply> HandleAsync(PeerRequest.HandoffBatch batch, CancellationToken cancel)
    {
        var snapshot = state.Current;
        if (!IsHome(snapshot, batch.Partition) || batch.Entries.Any(entry => ObjectKeyCodec.TryDecode(entry.Key, out var key) && snapshot.IsTypeAwaited(key.BucketType, batch.DocumentVersion)))
        {
            return new PeerReply.WrongOwner();
        }

        if (!Places.TryTake(ref merging, options.HandoffConcurrency))
        {
            return new PeerReply.Refused(Busy);
        }

        try
        {
            return batch.Entries.Count == 0 ? new PeerReply.Done() : await CountAsync(batch, cancel);
        }
        catch (Exception failure) when (failure is StoreException or StoreRefusedException or InvalidOperationException)
        {
            return new PeerReply.Refused(failure.Message);
        }
        finally
        {
            Interlocked.Decrement(ref merging);
        }
    }

    /// <summary>Whether the node owns the partition or is to own it: where its data belongs.</summary>
    public static bool IsHome(ClusterSnapshot snapshot, PartitionId partition) =>
        snapshot.Document is { Ring: var ring }
        && partition.Number >= 0
        && partition.Number < ring.Size
        && (ring.Owner(partition) == snapshot.Self || ring.NextOwner(partition) == snapshot.Self);

    private async ValueTask<PeerReply> CountAsync(PeerRequest.HandoffBatch batch, CancellationToken cancel)
    {
        var reply = await MergeAsync(batch, cancel);
        if (reply is PeerReply.Done)
        {
            statistics.Received(batch.Entries.Count, batch.Entries.Sum(entry => (long)entry.Key.Length + entry.Value.Length));
        }

        return reply;
    }

    private async ValueTask<PeerReply> MergeAsync(PeerRequest.HandoffBatch batch, CancellationToken cancel)
    {
        var vnode = await host.OpenAsync(batch.Partition, cancel);
        var reply = await vnode.MergeBatchAsync(batch.Entries, batch.Fence, cancel);
        if (!vnode.IsClosed || reply is PeerReply.Done)
        {
            return reply;
        }

        // It was being dropped as a stand-in's data while the node became the partition's home: begin anew.
        await host.WhenForgottenAsync(vnode);
        vnode = await host.OpenAsync(batch.Partition, cancel);
        return await vnode.MergeBatchAsync(batch.Entries, batch.Fence, cancel);
    }
}
