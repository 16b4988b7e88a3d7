using Kv.Cluster.Peers;
using Kv.Cluster.Reaping;
using Kv.Cluster.Vnodes;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Handoff;

/// <summary>
/// Sends a partition's data to another node: fold, batch, send, wait until the other has it on disk, and go on. One batch is under way at a time. What was folded before
/// the target sealed the partition is read once more, key by key: some of it may have been deleted and reaped.
/// </summary>
internal sealed class HandoffSender(
    ClusterOptions options,
    NodeId self,
    HandoffReceiver receiver,
    IPeerTransport transport,
    Fences fences,
    HandoffStatistics statistics,
    TimeProvider time,
    Random random)
{
    private const int MaxRefreshes = 8;
    private const string StaleFence = "the target sealed the partition again and again";

    private static readonly TimeSpan BusyPause = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Asks whether the target would take the partition. Before writes are passed on to it, this makes sure that it knows itself for the partition's home: else it could take
    /// them for a stand-in's and pass them back. Null for yes, else why not.
    /// </summary>
    public ValueTask<string?> AskAsync(PartitionId partition, NodeId target, CancellationToken cancel) =>
        SendAsync(new PeerRequest.HandoffBatch(partition, []), target, cancel);

    /// <summary>Sends all that the vnode holds. Null where the target confirmed every batch, else what went wrong.</summary>
    public ValueTask<string?> SendAllAsync(Vnode vnode, HandoffJob job, CancellationToken cancel)
    {
        job.Begin(vnode.ApproximateCount, time.GetTimestamp());
        return SendAsync(vnode, job, null, cancel);
    }

    /// <summary>Sends what the vnode holds and is meant, all of it where <paramref name="isMeant"/> is null; the job has begun.</summary>
    public async ValueTask<string?> SendAsync(Vnode vnode, HandoffJob job, Func<ReadOnlyMemory<byte>, bool>? isMeant, CancellationToken cancel)
    {
        // A fold may show what was there when it began.
        var fence = fences.Known.Of(job.Target);
        var entries = new List<StoredEntry>();
        var bytes = 0L;
        try
        {
            await foreach (var entry in vnode.FoldAsync(cancel))
            {
                if (job.IsStopped)
                {
                    return "nobody waits for it any more";
                }

                if (isMeant?.Invoke(entry.Key) == false)
                {
                    continue;
                }

                entries.Add(entry);
                bytes += entry.Key.Length + entry.Value.Length;
                if (bytes < options.HandoffBatchBytes && entries.Count < options.HandoffBatchObjects)
                {
                    continue;
                }

                if (await SendBatchAsync(vnode, entries, bytes, fence, job, cancel) is { } problem)
                {
                    return problem;
                }

                (entries, bytes) = ([], 0);
            }
        }
        catch (Exception failure) when (failure is StoreException or ObjectDisposedException)
        {
            return $"the partition's store could not be read: {failure.Message}";
        }

        return entries.Count == 0 ? null : await SendBatchAsync(vnode, entries, bytes, fence, job, cancel);
    }

    private async ValueTask<string?> SendBatchAsync(
        Vnode vnode, List<StoredEntry> entries, long bytes, Fence fence, HandoffJob job, CancellationToken cancel)
    {
        var problem = StaleFence;
        for (var attempt = 0; problem == StaleFence && attempt <= MaxRefreshes; attempt++)
        {
            var known = fences.Known.Of(job.Target);
            if (known != fence)
            {
                if (await ReadAnewAsync(vnode, entries) is not { } present)
                {
                    return "the partition's vnode is closed or overloaded";
                }

                (entries, fence) = (present, known);
            }

            problem = entries.Count == 0 ? null : await SendAsync(new PeerRequest.HandoffBatch(job.Partition, entries) { Fence = fence }, job.Target, cancel);
        }

        if (problem is null)
        {
            job.Sent(entries.Count, bytes, time.GetTimestamp());
            statistics.Sent(entries.Count, bytes);
        }

        return problem;
    }

    /// <summary>What the vnode holds of these keys now; null where it does not say.</summary>
    private static async ValueTask<List<StoredEntry>?> ReadAnewAsync(Vnode vnode, List<StoredEntry> entries)
    {
        var reads = entries.Select(entry => vnode.GetAsync(entry.Key, headOnly: false)).ToList();
        var present = new List<StoredEntry>(entries.Count);
        var isWhole = true;
        for (var i = 0; i < reads.Count; i++)
        {
            var reply = (await reads[i]).Reply as PeerReply.Object;
            isWhole &= reply is not null;
            if (reply is { Stored: { } stored })
            {
                present.Add(new StoredEntry(entries[i].Key, stored));
            }
        }

        return isWhole ? present : null;
    }

    private async ValueTask<string?> SendAsync(PeerRequest.HandoffBatch batch, NodeId target, CancellationToken cancel)
    {
        var deadline = Deadline.After(time, options.HandoffBatchTimeout);
        while (true)
        {
            var reply = target == self ? await receiver.HandleAsync(batch, cancel) : await transport.SendAsync(target, batch, PeerLane.Bulk, deadline, cancel);
            switch (reply)
            {
                case PeerReply.Done:
                    return null;
                case PeerReply.Overloaded or PeerReply.Refused { Reason: HandoffReceiver.Busy } when !deadline.HasPassed(time):
                    await Task.Delay(BusyPause * (0.5 + random.NextDouble()), time, cancel);
                    break;
                case PeerReply.Refused refused:
                    return $"the target refused: {refused.Reason}";
                case PeerReply.StaleFence:
                    return StaleFence;
                case PeerReply.WrongOwner:
                    return "the target does not hold the document yet that makes the partition its own, or holds a newer one";
                default:
                    return $"no answer from the target: {reply.GetType().Name}";
            }
        }
    }
}
