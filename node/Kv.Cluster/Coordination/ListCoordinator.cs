using System.Threading.Channels;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Core.Buckets;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;

namespace Kv.Cluster.Coordination;

/// <summary>
/// One listing (reference 9.1): a covering set of vnodes, a few of them read side by side, page by page; each key counts only from the vnode that answers for its
/// first partition. Pages wait in a short queue, so that a slow reader slows the vnodes. A vnode that fails is replaced by others that hold its keys; when none
/// is left, the listing ends in an error. Deleted keys do not show (Riak's do). Memory is bounded by the queue and by the names that are remembered to show none twice.
/// At its deadline it ends whatever its reader does: one that stands still holds neither vnodes nor names.
/// </summary>
internal sealed class ListCoordinator : DeadlineWheel.Entry
{
    private readonly CoordinatorContext context;
    private readonly string bucketType;
    private readonly ReadOnlyMemory<byte>? bucket;
    private readonly BucketProps props;
    private readonly int nVal;
    private readonly int ringSize;
    private readonly Deadline deadline;
    private readonly Action whenEnded;
    private readonly Channel<IReadOnlyList<ReadOnlyMemory<byte>>> pages;

    // Guards all below.
    private readonly Lock gate = new();
    private readonly Queue<CoveragePlan.Share> work = new();
    private readonly HashSet<PartitionId> excluded = [];
    private readonly HashSet<UInt128> seen = [];
    private int running;
    private volatile bool isEnded;

    /// <param name="context">What coordinators share.</param>
    /// <param name="bucketType">The type.</param>
    /// <param name="bucket">The bucket whose keys are meant; null for the type's buckets.</param>
    /// <param name="props">The bucket's properties, or the type's.</param>
    /// <param name="nVal">The least replicas of what is looked for.</param>
    /// <param name="ringSize">The ring's, which never changes.</param>
    /// <param name="deadline">When the listing must have ended.</param>
    /// <param name="whenEnded">Told once, when nothing is read for it any more; pages may wait to be taken still.</param>
    public ListCoordinator(
        CoordinatorContext context,
        string bucketType,
        ReadOnlyMemory<byte>? bucket,
        BucketProps props,
        int nVal,
        int ringSize,
        Deadline deadline,
        Action whenEnded)
    {
        this.whenEnded = whenEnded;
        (this.context, this.bucketType, this.bucket, this.props) = (context, bucketType, bucket, props);
        (this.nVal, this.ringSize, this.deadline) = (nVal, ringSize, deadline);
        pages = Channel.CreateBounded<IReadOnlyList<ReadOnlyMemory<byte>>>(context.Options.ListConcurrency);
    }

    /// <summary>Begins to list; the reader completes at the end, with <see cref="ListingFailedException"/> where the listing is not whole.</summary>
    public ChannelReader<IReadOnlyList<ReadOnlyMemory<byte>>> Run()
    {
        context.Deadlines.Add(this, deadline);
        lock (gate)
        {
            if (AddWork(wanted: null) is { } error)
            {
                Fail(error);
                return pages.Reader;
            }

            var readers = Math.Min(context.Options.ListConcurrency, work.Count);
            running = readers;
            for (var i = 0; i < readers; i++)
            {
                _ = ReadSharesAsync();
            }
        }

        return pages.Reader;
    }

    /// <summary>Nobody reads on: the vnodes' work stops too.</summary>
    public void Stop() => End(null);

    protected internal override void OnDeadline() => Fail(new KvError.Timeout(Indeterminate: false));

    private KvError? AddWork(HashSet<PartitionId>? wanted)
    {
        var snapshot = context.State.Current;
        if (snapshot.Document is not { Ring: var ring })
        {
            return new KvError.NotReady("the node is in no cluster any more");
        }

        if (CoveragePlan.Create(ring, nVal, snapshot.Up, (int)(context.NextTag() % ring.Size), wanted, excluded) is not { } shares)
        {
            return new KvError.InsufficientVnodes(0, wanted?.Count ?? ring.Size);
        }

        foreach (var share in shares)
        {
            work.Enqueue(share);
        }

        return null;
    }

    private async Task ReadSharesAsync()
    {
        await Task.Yield();
        try
        {
            while (TryTakeWork(out var share))
            {
                if (!await ReadShareAsync(share))
                {
                    Replace(share);
                }
            }
        }
        catch (ChannelClosedException)
        {
            // Another reader has ended the listing, or nobody takes its pages any more.
        }
    }

    private bool TryTakeWork(out CoveragePlan.Share share)
    {
        lock (gate)
        {
            if (work.TryDequeue(out share!))
            {
                return true;
            }

            if (--running == 0)
            {
                End(null);
            }

            return false;
        }
    }

    /// <summary>A vnode that failed is not asked again; the others that hold its keys are, and what it showed already does not show twice.</summary>
    private void Replace(CoveragePlan.Share share)
    {
        lock (gate)
        {
            excluded.Add(share.Partition);
            if (AddWork(share.FirstPartitions.ToHashSet()) is { } error)
            {
                Fail(error);
            }
        }
    }

    /// <summary>False where the vnode failed and another may do.</summary>
    private async Task<bool> ReadShareAsync(CoveragePlan.Share share)
    {
        var snapshot = context.State.Current;
        long? cursor = 0;
        while (cursor is { } at && !isEnded)
        {
            if (deadline.HasPassed(context.Time))
            {
                OnDeadline();
                return true;
            }

            var request = new PeerRequest.VnodeList(share.Partition, bucketType, bucket, at, context.Options.ListPageKeys)
            {
                DocumentVersion = snapshot.DocumentVersion,
            };
            if (await SendAsync(snapshot, share.Node, request) is not PeerReply.ListPage page)
            {
                return false;
            }

            if (Select(share, page.Names) is not { } selected)
            {
                return true;
            }

            if (selected.Count > 0)
            {
                await pages.Writer.WriteAsync(selected);
            }

            cursor = page.NextCursor;
        }

        return true;
    }

    private ValueTask<PeerReply> SendAsync(ClusterSnapshot snapshot, NodeId node, PeerRequest.VnodeList request) =>
        node == snapshot.Self
            ? context.Gate.ListAsync(request, CancellationToken.None)
            : context.Transport.SendAsync(node, request, PeerLane.Bulk, deadline, CancellationToken.None);

    /// <summary>What of a page is this vnode's to show and was not shown yet; null where the listing had to end.</summary>
    private List<ReadOnlyMemory<byte>>? Select(CoveragePlan.Share share, IReadOnlyList<ReadOnlyMemory<byte>> names)
    {
        var selected = new List<ReadOnlyMemory<byte>>(names.Count);
        lock (gate)
        {
            foreach (var name in names)
            {
                if (bucket is { } keysOf && !IsInShare(share, keysOf, name))
                {
                    continue;
                }

                if (seen.Count >= context.Options.ListMaxRemembered && bucket is null)
                {
                    Fail(new KvError.Overload(Indeterminate: false));
                    return null;
                }

                // Past the bound a key that was written meanwhile may come twice; none is missing.
                if (seen.Count >= context.Options.ListMaxRemembered ? !seen.Contains(HashOf(name)) : seen.Add(HashOf(name)))
                {
                    selected.Add(name);
                }
            }
        }

        return selected;
    }

    private bool IsInShare(CoveragePlan.Share share, ReadOnlyMemory<byte> keysOf, ReadOnlyMemory<byte> name)
    {
        var first = RingHash.FirstPartition(bucketType, keysOf.Span, name.Span, RingHash.IsBucketOnly(props.ChashKeyFun), ringSize);
        return share.FirstPartitions.Contains(first);
    }

    /// <summary>128 bits of SHA-1: two names of one hash, of which the second would not show, do not happen.</summary>
    private static UInt128 HashOf(ReadOnlyMemory<byte> name)
    {
        Span<byte> hash = stackalloc byte[RingHash.HashBytes];
        RingHash.Hash(ObjectKey.DefaultType, name.Span, default, bucketOnly: true, hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    private void Fail(KvError error) => End(new ListingFailedException(error));

    private void End(Exception? why)
    {
        lock (gate)
        {
            if (!pages.Writer.TryComplete(why))
            {
                return;
            }

            isEnded = true;
            work.Clear();
            seen.Clear();
            seen.TrimExcess();
        }

        context.Deadlines.Remove(this);
        whenEnded();
    }
}
