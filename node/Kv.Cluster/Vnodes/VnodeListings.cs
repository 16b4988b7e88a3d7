using Kv.Cluster.Peers;
using Kv.Core.Objects;
using Kv.Core.Stores;

namespace Kv.Cluster.Vnodes;

/// <summary>
/// The listings that read a vnode. A store folds in no order, so a page's cursor names an open fold and the page of it: the same
/// page asked twice (a message that came twice) gets the same answer, and one that cannot be given any more is refused, never skipped. Bounded in
/// number; a listing that asks for nothing for a while is forgotten, since an open fold keeps the store from compacting what it has yet to read.
/// </summary>
internal sealed class VnodeListings(IPartitionStore store, VnodeContext context) : IAsyncDisposable
{
    // A cursor is listing number × 2^PageBits + page; 0 begins a listing.
    private const int PageBits = 24;

    // Guards sessions and next.
    private readonly Lock gate = new();
    private readonly Dictionary<long, Session> sessions = [];
    private long next = 1;
    private bool isDisposed;

    private sealed class Session : IAsyncDisposable
    {
        private readonly IAsyncEnumerator<StoredEntry> fold;
        private readonly TimeSpan patience;
        private readonly ITimer whenIdle;
        private readonly SemaphoreSlim turn = new(1);
        private bool isDone;

        public Session(long number, IAsyncEnumerator<StoredEntry> fold, VnodeContext context, Action<Session> forget)
        {
            (Number, this.fold, patience) = (number, fold, context.Options.ListingIdleTimeout);
            whenIdle = context.Time.CreateTimer(_ => forget(this), null, patience, Timeout.InfiniteTimeSpan);
        }

        public long Number { get; }

        public long Page { get; private set; } = -1;

        public PeerReply? Last { get; private set; }

        public async ValueTask<PeerReply> PageAsync(long page, PeerRequest.VnodeList request, Func<Session, long, PeerRequest.VnodeList, ValueTask<PeerReply>> read)
        {
            await turn.WaitAsync();
            whenIdle.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            try
            {
                if (page == Page && Last is not null)
                {
                    return Last;
                }

                if (page != Page + 1 || isDone)
                {
                    return new PeerReply.Refused(VnodeRefusals.UnknownCursor);
                }

                Last = await read(this, page, request);
                Page = page;
                return Last;
            }
            finally
            {
                whenIdle.Change(patience, Timeout.InfiniteTimeSpan);
                turn.Release();
            }
        }

        public async ValueTask<StoredEntry?> MoveNextAsync() => await fold.MoveNextAsync() ? fold.Current : null;

        public async ValueTask DisposeAsync()
        {
            await turn.WaitAsync();
            isDone = true;
            turn.Release();
            await whenIdle.DisposeAsync();
            await fold.DisposeAsync();
        }
    }

    public int Count
    {
        get
        {
            lock (gate)
            {
                return sessions.Count;
            }
        }
    }

    public async ValueTask<PeerReply> NextPageAsync(PeerRequest.VnodeList request, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var session = request.Cursor == 0 ? Open() : Find(request.Cursor >> PageBits);
        if (session is null)
        {
            return request.Cursor == 0 ? new PeerReply.Overloaded() : new PeerReply.Refused(VnodeRefusals.UnknownCursor);
        }

        try
        {
            var reply = await session.PageAsync(request.Cursor & ((1L << PageBits) - 1), request, ReadPageAsync);
            if (reply is PeerReply.ListPage { NextCursor: null })
            {
                await CloseAsync(session);
            }

            return reply;
        }
        catch (ObjectDisposedException)
        {
            // The vnode was dropped.
            await CloseAsync(session);
            return new PeerReply.Refused(VnodeRefusals.UnknownCursor);
        }
        catch (Exception exception) when (exception is StoreException or StoreRefusedException)
        {
            await CloseAsync(session);
            return new PeerReply.Refused($"{VnodeRefusals.StorageFailed}: {exception.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        List<Session> open;
        lock (gate)
        {
            isDisposed = true;
            open = [.. sessions.Values];
            sessions.Clear();
        }

        foreach (var session in open)
        {
            await session.DisposeAsync();
        }
    }

    private Session? Open()
    {
        lock (gate)
        {
            if (isDisposed || sessions.Count >= context.Options.MaxListingsPerVnode)
            {
                return null;
            }

            var session = new Session(next++, store.FoldAsync(CancellationToken.None).GetAsyncEnumerator(), context, idle => _ = CloseAsync(idle));
            sessions.Add(session.Number, session);
            return session;
        }
    }

    private Session? Find(long number)
    {
        lock (gate)
        {
            return sessions.GetValueOrDefault(number);
        }
    }

    private async Task CloseAsync(Session session)
    {
        bool removed;
        lock (gate)
        {
            removed = sessions.Remove(session.Number);
        }

        if (removed)
        {
            await session.DisposeAsync();
        }
    }

    /// <summary>Reads on until the page is full or the fold ends. A page looks at a bounded number of entries too, so that a rare bucket cannot hold a request for the whole fold.</summary>
    private async ValueTask<PeerReply> ReadPageAsync(Session session, long page, PeerRequest.VnodeList request)
    {
        var limit = Math.Clamp(request.Limit, 1, context.Options.ListPageKeys);
        var looksLeft = context.Options.ListPageKeys * 16;
        var names = new List<ReadOnlyMemory<byte>>();
        var buckets = new HashSet<ReadOnlyMemory<byte>>(KeyBytesComparer.Instance);
        while (names.Count < limit && looksLeft-- > 0)
        {
            if (await session.MoveNextAsync() is not { } entry)
            {
                return new PeerReply.ListPage(names, null);
            }

            if (NameOf(entry, request) is { } name && (request.Bucket is not null || buckets.Add(name)))
            {
                names.Add(name);
            }
        }

        return page + 1 < 1L << PageBits
            ? new PeerReply.ListPage(names, (session.Number << PageBits) + page + 1)
            : new PeerReply.Refused("a listing of too many pages");
    }

    /// <summary>The key, or for a listing of buckets the bucket, if the entry belongs to the listing and lives.</summary>
    private ReadOnlyMemory<byte>? NameOf(StoredEntry entry, PeerRequest.VnodeList request)
    {
        if (!ObjectKeyCodec.TryDecode(entry.Key, out var key) || key.BucketType != request.BucketType)
        {
            return null;
        }

        if (request.Bucket is { } bucket && !bucket.Span.SequenceEqual(key.Bucket.Span))
        {
            return null;
        }

        if (Expiry.Left(StoredForm.Decode(entry.Value), context.PropsOf(key), context.Clocks.Now) is null or { IsTombstone: true })
        {
            return null;
        }

        return request.Bucket is null ? key.Bucket : key.Key;
    }
}
