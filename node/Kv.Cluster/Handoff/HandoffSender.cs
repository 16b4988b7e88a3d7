using Kv.Cluster.AntiEntropy;
using Kv.Cluster.Peers;
using Kv.Cluster.Reaping;
using Kv.Cluster.Vnodes;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Handoff;

/// <summary>
/// Sends a partition's data to another node: fold, batch, send, wait until the other has it on disk, and go on. One batch is under way at a time, and all together keep to a number of
/// bytes a second. What was folded before the target sealed the partition is read once more, key by key: some of it may have been deleted and reaped.
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

    private static readonly Problem StaleFence = new("the target sealed the partition again and again");
    private static readonly Problem NoVnode = new("the partition's vnode is closed or overloaded");
    private static readonly TimeSpan BusyPause = TimeSpan.FromMilliseconds(50);

    private readonly Pace pace = new(options.HandoffBytesPerSecond, 1, static () => false, time);

    /// <summary>
    /// Why a batch is not with the target; <paramref name="IsRefusal"/> where the target has seen it and would not take it, <paramref name="IsOfObject"/> where it says that this is due to an
    /// object of the batch.
    /// </summary>
    private sealed record Problem(string Text, bool IsRefusal = false, bool IsOfObject = false);

    /// <summary>
    /// Asks whether the target would take the partition. Before writes are passed on to it, this makes sure that it knows itself for the partition's home: else it could take
    /// them for a stand-in's and pass them back. Null for yes, else why not.
    /// </summary>
    public async ValueTask<string?> AskAsync(PartitionId partition, NodeId target, CancellationToken cancel) =>
        (await SendAsync(new PeerRequest.HandoffBatch(partition, []), target, cancel))?.Text;

    /// <summary>Sends all that the vnode holds. Null where the target confirmed every batch, else what went wrong.</summary>
    public ValueTask<string?> SendAllAsync(Vnode vnode, HandoffJob job, CancellationToken cancel)
    {
        job.Begin(vnode.ApproximateCount, time.GetTimestamp());
        return FoldAsync(vnode, job, null, async (entries, fence) => (await SendBatchAsync(vnode, entries, fence, job, cancel)).Problem, cancel);
    }

    /// <summary>
    /// Sends what the vnode holds and is meant, and goes on holding it; the job has begun. An object that the target says it cannot have is counted, and does not hold back the rest: any other
    /// refusal may be over when the batch is sent again.
    /// </summary>
    public ValueTask<string?> SendMeantAsync(Vnode vnode, HandoffJob job, Func<ReadOnlyMemory<byte>, bool> isMeant, CancellationToken cancel) =>
        FoldAsync(
            vnode, job, isMeant, (entries, fence) => SendPartsAsync(vnode, entries, fence, job, static problem => problem.IsOfObject, static _ => default, cancel), cancel);

    /// <summary>
    /// Sends what the vnode holds for the target, and removes what the target has on disk, so that an attempt that breaks off, or a restart of either, leaves what is still to be sent and
    /// no more. Nothing is removed once anything was written here since <see cref="Vnode.Writes"/> was <paramref name="ifWrites"/>. What the target refuses stays, is counted, and
    /// does not hold back the rest.
    /// </summary>
    public ValueTask<string?> ReturnAllAsync(Vnode vnode, HandoffJob job, long ifWrites, CancellationToken cancel)
    {
        job.Begin(vnode.ApproximateCount, time.GetTimestamp());
        return FoldAsync(
            vnode, job, null, (entries, fence) => SendPartsAsync(vnode, entries, fence, job, static problem => problem.IsRefusal, ForgetAsync, cancel), cancel);

        async ValueTask ForgetAsync(List<StoredEntry> sent)
        {
            if (await vnode.ForgetAsync(sent, ifWrites))
            {
                job.Returned(sent.Count, time.GetTimestamp());
                statistics.Returned(sent.Count);
            }
        }
    }

    private async ValueTask<string?> FoldAsync(
        Vnode vnode, HandoffJob job, Func<ReadOnlyMemory<byte>, bool>? isMeant, Func<List<StoredEntry>, Fence, ValueTask<Problem?>> send, CancellationToken cancel)
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

                if (await send(entries, fence) is { } problem)
                {
                    return problem.Text;
                }

                (entries, bytes) = ([], 0);
            }
        }
        catch (Exception failure) when (failure is StoreException or StoreRefusedException or ObjectDisposedException)
        {
            return $"the partition's store could not be read: {failure.Message}";
        }

        return entries.Count == 0 ? null : (await send(entries, fence))?.Text;
    }

    /// <summary>Which objects of a refused batch the target will not have is found by halves: its answer is about the first that it came to.</summary>
    private async ValueTask<Problem?> SendPartsAsync(
        Vnode vnode, List<StoredEntry> batch, Fence fence, HandoffJob job, Func<Problem, bool> mayStay, Func<List<StoredEntry>, ValueTask> whenSent, CancellationToken cancel)
    {
        var parts = new Stack<List<StoredEntry>>([batch]);
        while (parts.TryPop(out var part))
        {
            var (problem, sent) = await SendBatchAsync(vnode, part, fence, job, cancel);
            if (problem is null)
            {
                await whenSent(sent);
            }
            else if (!mayStay(problem))
            {
                return problem;
            }
            else if (part.Count > 1)
            {
                parts.Push(part[(part.Count / 2)..]);
                parts.Push(part[..(part.Count / 2)]);
            }
            else if (job.ObjectsRefused < options.HandoffMaxRefused && await AskAsync(job.Partition, job.Target, cancel) is null)
            {
                job.Refused(part[0].Key, problem.Text);
            }
            else
            {
                return problem;
            }
        }

        return null;
    }

    /// <summary>Gives what went wrong, if anything did, and what was sent in the end.</summary>
    private async ValueTask<(Problem? Problem, List<StoredEntry> Sent)> SendBatchAsync(Vnode vnode, List<StoredEntry> entries, Fence fence, HandoffJob job, CancellationToken cancel)
    {
        var problem = StaleFence;
        for (var attempt = 0; problem == StaleFence && attempt <= MaxRefreshes; attempt++)
        {
            var known = fences.Known.Of(job.Target);
            if (known != fence)
            {
                if (await ReadAnewAsync(vnode, entries) is not { } present)
                {
                    return (NoVnode, entries);
                }

                (entries, fence) = (present, known);
            }

            problem = entries.Count == 0 ? null : await SendAsync(new PeerRequest.HandoffBatch(job.Partition, entries) { Fence = fence }, job.Target, cancel);
        }

        if (problem is null)
        {
            var bytes = entries.Sum(entry => (long)entry.Key.Length + entry.Value.Length);
            job.Sent(entries.Count, bytes, time.GetTimestamp());
            statistics.Sent(entries.Count, bytes);
            await pace.SpendAsync(bytes, TimeSpan.Zero, cancel);
        }

        return (problem, entries);
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

    private async ValueTask<Problem?> SendAsync(PeerRequest.HandoffBatch batch, NodeId target, CancellationToken cancel)
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
                    var isOfObject = refused.Reason.StartsWith(PeerReply.Refused.OfObject, StringComparison.Ordinal);
                    return new Problem($"the target refused: {refused.Reason}", IsRefusal: true, isOfObject);
                case PeerReply.StaleFence:
                    return StaleFence;
                case PeerReply.WrongOwner:
                    return new Problem("the target does not hold the document yet that makes the partition its own, or holds a newer one");
                default:
                    return new Problem($"no answer from the target: {reply.GetType().Name}");
            }
        }
    }
}
