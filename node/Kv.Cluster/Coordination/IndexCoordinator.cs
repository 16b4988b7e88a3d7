using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Core.Buckets;
using Kv.Core.Indexes;
using Kv.Core.Quorum;
using Kv.Core.Rings;

namespace Kv.Cluster.Coordination;

/// <summary>
/// One query of an index (reference 9.1): a covering set of vnodes, each read in order, page by page, and merged; each key counts only from the vnode that answers for its first
/// partition. A vnode that fails is replaced by others that hold its keys, which go on where it stopped; when none is left, the query ends in an error. Results come always in
/// order (Riak's only where they are paged). Memory is bounded by a page of each vnode.
/// </summary>
internal sealed class IndexCoordinator(
    CoordinatorContext context, IndexQuery query, IndexRange range, BucketProps props, int ringSize, Deadline deadline, CancellationToken cancel)
{
    /// <summary>Before a vnode that had no room, or waits for a document, is asked again.</summary>
    private static readonly TimeSpan RefusalPause = TimeSpan.FromMilliseconds(100);

    /// <summary>How long one vnode may take for a page: others have to have time left to answer in its place.</summary>
    private readonly TimeSpan patience = Shorter(deadline.Left(context.Time), context.Options.RequestTimeout) / 4;
    private readonly List<IndexShare> shares = [];
    private readonly HashSet<PartitionId> refused = [];
    private readonly HashSet<PartitionId> excluded = [];
    private readonly PriorityQueue<IndexShare, ReadOnlyMemory<byte>> merged = new(Comparer<ReadOnlyMemory<byte>>.Create(static (a, b) => a.Span.SequenceCompareTo(b.Span)));

    /// <summary>Begins to read; an error where the query cannot be answered.</summary>
    public async ValueTask<KvError?> BeginAsync()
    {
        if (AddShares(wanted: null, range.From) is { } error)
        {
            return error;
        }

        return await FillAsync([.. shares]);
    }

    /// <summary>The next results, at most so many; fewer, or none, at the end.</summary>
    public async ValueTask<(List<ReadOnlyMemory<byte>> Entries, KvError? Error)> NextAsync(int most)
    {
        var entries = new List<ReadOnlyMemory<byte>>();
        while (entries.Count < most && merged.TryDequeue(out var share, out var entry))
        {
            entries.Add(entry);
            share.Advance();
            if (await QueueAsync(share) is { } error)
            {
                return (entries, error);
            }
        }

        return (entries, null);
    }

    private KvError? AddShares(HashSet<PartitionId>? wanted, ReadOnlyMemory<byte> from)
    {
        var snapshot = context.State.Current;
        if (snapshot.Document is not { Ring: var ring })
        {
            return new KvError.NotReady("the node is in no cluster any more");
        }

        if (CoveragePlan.Create(ring, props.NVal, snapshot.Up, (int)(context.NextTag() % ring.Size), wanted, excluded) is not { } plan)
        {
            return new KvError.InsufficientVnodes(0, wanted?.Count ?? ring.Size);
        }

        shares.AddRange(plan.Select(share => new IndexShare(share, from)));
        return null;
    }

    /// <summary>Puts the share back with its next entry, read if need be; one that has no more is done.</summary>
    private ValueTask<KvError?> QueueAsync(IndexShare share)
    {
        if (!share.HasEntry)
        {
            return share.Next is null ? default : FillAsync([share]);
        }

        merged.Enqueue(share, share.Entry);
        return default;
    }

    /// <summary>Reads the shares' next pages, a few side by side, and puts others in the place of those that fail.</summary>
    private async ValueTask<KvError?> FillAsync(List<IndexShare> empty)
    {
        while (empty.Count > 0)
        {
            if (deadline.HasPassed(context.Time))
            {
                return new KvError.Timeout(Indeterminate: false);
            }

            cancel.ThrowIfCancellationRequested();
            var now = empty.Take(context.Options.IndexConcurrency).ToList();
            empty.RemoveRange(0, now.Count);
            var read = await Task.WhenAll(now.Select(ReadPageAsync));
            for (var index = 0; index < now.Count; index++)
            {
                var isRead = read[index] is PeerReply.ScanPage;
                if (!isRead && await ReplaceAsync(now[index], read[index], empty) is { } error)
                {
                    return error;
                }

                if (isRead && now[index].HasEntry)
                {
                    merged.Enqueue(now[index], now[index].Entry);
                }
                else if (isRead && now[index].Next is not null)
                {
                    empty.Add(now[index]);
                }
            }
        }

        return null;
    }

    /// <summary>Plans anew for what the vnode was asked for; without it, but where it may do after all.</summary>
    private async ValueTask<KvError?> ReplaceAsync(IndexShare failed, PeerReply why, List<IndexShare> empty)
    {
        if (why is PeerReply.Overloaded or PeerReply.WrongOwner && refused.Add(failed.Share.Partition))
        {
            await Task.Delay(RefusalPause, context.Time, CancellationToken.None);
        }
        else
        {
            excluded.Add(failed.Share.Partition);
        }

        var before = shares.Count;
        var error = AddShares([.. failed.Share.FirstPartitions], failed.Next!.Value);
        empty.AddRange(shares.Skip(before));
        return error;
    }

    /// <summary>The answer; anything but a page where the vnode failed and another may do.</summary>
    private async Task<PeerReply> ReadPageAsync(IndexShare share)
    {
        var snapshot = context.State.Current;
        var request = new PeerRequest.VnodeScan(share.Share.Partition, range.Space, share.Next!.Value, range.Until, PageEntries(), query.TermRegex, range.TermAt)
        {
            DocumentVersion = snapshot.DocumentVersion,
        };
        var reply = await SendAsync(snapshot, share.Share.Node, request);
        if (reply is PeerReply.ScanPage page)
        {
            share.Take([.. page.Entries.Where(entry => IsOf(share.Share, entry))], page.Next);
        }

        return reply;
    }

    private async ValueTask<PeerReply> SendAsync(ClusterSnapshot snapshot, NodeId node, PeerRequest.VnodeScan request)
    {
        var limit = Shorter(deadline.Left(context.Time), patience);
        if (node != snapshot.Self)
        {
            return await context.Transport.SendAsync(node, request, PeerLane.Bulk, Deadline.After(context.Time, limit), CancellationToken.None);
        }

        try
        {
            return await context.Gate.ScanAsync(request, CancellationToken.None).AsTask().WaitAsync(limit, context.Time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            return new PeerReply.TimedOut();
        }
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    /// <summary>Of a short page every vnode of the plan has its part, and some to spare.</summary>
    private int PageEntries() => query.MaxResults is { } most
        ? (int)Math.Min(Math.Max(16, 4L * most / Math.Max(1, ringSize / Math.Max(1, props.NVal))), context.Options.ListPageKeys)
        : context.Options.ListPageKeys;

    private bool IsOf(CoveragePlan.Share share, ReadOnlyMemory<byte> entry) =>
        range.MatchOf(entry) is { } match
        && share.FirstPartitions.Contains(
            RingHash.FirstPartition(query.Bucket.BucketType, query.Bucket.Bucket.Span, match.Key.Span, RingHash.IsBucketOnly(props.ChashKeyFun), ringSize));
}
