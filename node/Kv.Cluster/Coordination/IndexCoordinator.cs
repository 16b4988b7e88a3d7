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
    private readonly List<IndexShare> shares = [];
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
                if (!read[index] && Replace(now[index], empty) is { } error)
                {
                    return error;
                }

                if (read[index] && now[index].HasEntry)
                {
                    merged.Enqueue(now[index], now[index].Entry);
                }
                else if (read[index] && now[index].Next is not null)
                {
                    empty.Add(now[index]);
                }
            }
        }

        return null;
    }

    private KvError? Replace(IndexShare failed, List<IndexShare> empty)
    {
        excluded.Add(failed.Share.Partition);
        var before = shares.Count;
        var error = AddShares([.. failed.Share.FirstPartitions], failed.Next!.Value);
        empty.AddRange(shares.Skip(before));
        return error;
    }

    /// <summary>False where the vnode failed and another may do.</summary>
    private async Task<bool> ReadPageAsync(IndexShare share)
    {
        var snapshot = context.State.Current;
        var request = new PeerRequest.VnodeScan(share.Share.Partition, range.Space, share.Next!.Value, range.Until, PageEntries(), query.TermRegex, range.TermAt)
        {
            DocumentVersion = snapshot.DocumentVersion,
        };
        if (await SendAsync(snapshot, share.Share.Node, request) is not PeerReply.ScanPage page)
        {
            return false;
        }

        share.Take([.. page.Entries.Where(entry => IsOf(share.Share, entry))], page.Next);
        return true;
    }

    private ValueTask<PeerReply> SendAsync(ClusterSnapshot snapshot, NodeId node, PeerRequest.VnodeScan request) =>
        node == snapshot.Self
            ? context.Gate.ScanAsync(request, CancellationToken.None)
            : context.Transport.SendAsync(node, request, PeerLane.Bulk, deadline, CancellationToken.None);

    /// <summary>Of a short page every vnode of the plan has its part, and some to spare.</summary>
    private int PageEntries() => query.MaxResults is { } most
        ? (int)Math.Min(Math.Max(16, 4L * most / Math.Max(1, ringSize / Math.Max(1, props.NVal))), context.Options.ListPageKeys)
        : context.Options.ListPageKeys;

    private bool IsOf(CoveragePlan.Share share, ReadOnlyMemory<byte> entry) =>
        range.MatchOf(entry) is { } match
        && share.FirstPartitions.Contains(
            RingHash.FirstPartition(query.Bucket.BucketType, query.Bucket.Bucket.Span, match.Key.Span, RingHash.IsBucketOnly(props.ChashKeyFun), ringSize));
}
