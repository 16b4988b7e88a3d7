using System.Threading.Channels;
using Kv.Cluster.AntiEntropy;
using Kv.Cluster.Async;
using Kv.Cluster.Peers;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Vnodes;

/// <summary>
/// A node's stand for one partition: the one owner of its store. Commands wait in a bounded mailbox and are carried out in turns: all that waits (up
/// to a bound) is read in one batch, applied in order, and written in one batch; answers go out when the write is as durable as each asked. The
/// next turn begins while earlier ones are still being synced, so that one sync serves many turns. Every method may be called from any thread. (Riak: riak_kv_vnode.)
/// </summary>
public sealed partial class Vnode : IAsyncDisposable
{
    private readonly IPartitionStore store;
    private readonly VnodeContext context;
    private readonly Channel<VnodeCommand> mailbox;
    private readonly Stack<VnodePass> idlePasses = new();
    private readonly SemaphoreSlim passes;
    private readonly VnodeListings listings;
    private readonly TreeKeeper keeper;
    private readonly Task running;

    // The mailbox's own; nothing else touches them.
    private VnodeTransfer? transfer;
    private Task lastFinish = Task.CompletedTask;
    private bool hasSoftTail;
    private long writes;
    private long memoryRoom; // As the turn began, without what it took since.
    private VnodeReply failedReply = VnodeReply.StorageFailed; // Set before the next, and not after.
    private int scans;
    private volatile bool isFailed;
    private volatile bool isClosing;

    internal Vnode(PartitionId partition, IPartitionStore store, VnodeContext context)
    {
        Partition = partition;
        this.store = store;
        this.context = context;
        mailbox = Channel.CreateBounded<VnodeCommand>(new BoundedChannelOptions(context.Options.VnodeMailboxLimit) { SingleReader = true });
        passes = new SemaphoreSlim(context.Options.VnodeUnsyncedBatches);
        listings = new VnodeListings(store, context);
        keeper = new TreeKeeper(partition, store, context);
        running = RunAsync();
    }

    public PartitionId Partition { get; }

    /// <summary>
    /// Keys changed, or confirmed to be held already, since the vnode was opened. Grows once the store shows the change and before it is acknowledged: a
    /// fold that begins after this was read gives all that it counts.
    /// </summary>
    public long Writes => Volatile.Read(ref writes);

    /// <summary>Commands that wait.</summary>
    public int Depth => mailbox.Reader.Count;

    /// <summary>Turns whose writes are not on disk yet, or not with the target of a transfer that they are passed on to.</summary>
    internal int UnsyncedTurns => context.Options.VnodeUnsyncedBatches - passes.CurrentCount;

    /// <summary>Listings that read it.</summary>
    internal int Listings => listings.Count;

    /// <summary>Pages of its order that are being read.</summary>
    internal int Scans => Volatile.Read(ref scans);

    /// <summary>See <see cref="IPartitionStore.Birth"/>.</summary>
    public long Birth => store.Birth;

    /// <summary>Whether what is written outlives the process.</summary>
    public bool IsDurable => store.Capabilities.HasFlag(StoreCapabilities.Durable);

    /// <summary>See <see cref="IPartitionStore.WillForget"/>.</summary>
    internal bool WillForget => store.WillForget;

    public long ApproximateCount => store.ApproximateCount;

    public long ApproximateBytes => store.ApproximateBytes;

    /// <summary>The transfer that writes are passed on for, if any; the last one begun.</summary>
    public VnodeTransfer? Transfer => Volatile.Read(ref transfer);

    /// <summary>Dropped, closed or failed: ask the host for the partition again.</summary>
    public bool IsClosed => isFailed || isClosing;

    /// <summary>Completes when the mailbox's loop has ended: the vnode was dropped or closed.</summary>
    internal Task Ended => running;

    /// <summary>See <see cref="IPartitionStore.FoldAsync"/>.</summary>
    public IAsyncEnumerable<StoredEntry> FoldAsync(CancellationToken cancel) => store.FoldAsync(cancel);

    /// <summary>
    /// Begins to pass writes on to the target, in place of an earlier transfer. When this completes, every write that was applied before is in the
    /// store for a fold to find, and every later one goes to the target as well. Null where the vnode is closed or overloaded.
    /// </summary>
    public async ValueTask<VnodeTransfer?> BeginTransferAsync(NodeId target, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var begun = new VnodeTransfer(target);
        var answer = await Send(new VnodeCommand.BeginTransfer(begun));
        return answer.Reply is PeerReply.Done ? begun : null;
    }

    /// <summary>
    /// Drops the store and closes the vnode, if <see cref="Writes"/> is still <paramref name="ifWrites"/> when all that waited is done, and the
    /// transfer <paramref name="ifWhole"/>, where one is given, has missed nothing. Call <see cref="VnodeHost.TryDropAsync"/>, which forgets the vnode too.
    /// </summary>
    internal async ValueTask<bool> TryDropAsync(long ifWrites, VnodeTransfer? ifWhole)
    {
        var drop = new VnodeCommand.Drop(ifWrites, ifWhole);
        await Send(drop);
        return drop.Dropped;
    }

    /// <summary>Merges objects that were handed over, read under this fence of this node's; <see cref="PeerReply.Done"/> when all are on disk.</summary>
    public async ValueTask<PeerReply> MergeBatchAsync(IReadOnlyList<StoredEntry> entries, Fence fence, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        foreach (var entry in entries)
        {
            if (IsTooLong(entry.Key, out var refusal))
            {
                return new PeerReply.Refused(PeerReply.Refused.OfObject + ((PeerReply.Refused)refusal.Reply).Reason);
            }
        }

        return (await Send(new VnodeCommand.MergeBatch(entries, fence))).Reply;
    }

    /// <summary>
    /// Removes objects that are with the partition's owner, on its disk, and that the vnode still holds as they were sent. False, and nothing is done, where anything was changed or
    /// confirmed here since <see cref="Writes"/> was <paramref name="ifWrites"/>. Not a write: <see cref="Writes"/> stays.
    /// </summary>
    internal async ValueTask<bool> ForgetAsync(IReadOnlyList<StoredEntry> entries, long ifWrites)
    {
        var forget = new VnodeCommand.Forget(entries, ifWrites);
        var answer = await Send(forget);
        return forget.Forgotten && answer.Reply is PeerReply.Done;
    }

    internal ValueTask<VnodeReply> GetAsync(ReadOnlyMemory<byte> key, bool headOnly) =>
        IsTooLong(key, out var refusal) ? new(refusal) : Send(new VnodeCommand.Get(key, headOnly));

    internal ValueTask<VnodeReply> CoordinateAsync(
        ReadOnlyMemory<byte> key, Sibling content, VersionVector seen, BucketProps props, ICoordinatedWrite? observer, DataTypeUpdate? update = null, bool isExpiry = false) =>
        IsTooLong(key, out var refusal) ? new(refusal) : Send(new VnodeCommand.Coordinate(key, content, update, seen, props, observer) { IsExpiry = isExpiry });

    internal ValueTask<VnodeReply> MergeAsync(
        ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> stored, Fence fence, Durability durability, BucketProps props, bool isPassedOn = false) =>
        IsTooLong(key, out var refusal) ? new(refusal) : Send(new VnodeCommand.Merge(key, stored, fence, durability, props) { IsPassedOn = isPassedOn });

    /// <summary>Of each key, whether the vnode holds what is expected, for good; <see cref="PeerReply.DoneEach"/>.</summary>
    internal ValueTask<VnodeReply> ConfirmAsync(IReadOnlyList<HeldKey> keys) => IsAnyTooLong(keys, out var refusal) ? new(refusal) : Send(new VnodeCommand.Confirm(keys));

    /// <summary>Removes what is expected of each key; <see cref="PeerReply.DoneEach"/>.</summary>
    internal ValueTask<VnodeReply> ReapAsync(IReadOnlyList<HeldKey> keys) => IsAnyTooLong(keys, out var refusal) ? new(refusal) : Send(new VnodeCommand.Reap(keys));

    internal ValueTask<PeerReply> ListAsync(PeerRequest.VnodeList request, CancellationToken cancel) => listings.NextPageAsync(request, cancel);

    internal async ValueTask<PeerReply> ScanAsync(PeerRequest.VnodeScan request, CancellationToken cancel)
    {
        if (!Places.TryTake(ref scans, context.Options.MaxScansPerVnode))
        {
            context.Statistics.VnodeOverloaded();
            return new PeerReply.Overloaded();
        }

        try
        {
            return await VnodeScans.NextPageAsync(store, request, context.Options, cancel);
        }
        finally
        {
            Interlocked.Decrement(ref scans);
        }
    }

    /// <summary>The store's data is damaged: refuses what waits and what comes.</summary>
    internal void EndDamaged() => End(VnodeReply.Damaged);

    /// <summary>Carries out what waits, refuses what comes, and closes the store.</summary>
    public async ValueTask DisposeAsync()
    {
        isClosing = true;
        mailbox.Writer.TryComplete();
        await running;
        await listings.DisposeAsync();
        await store.DisposeAsync();
        passes.Dispose();
    }

    /// <summary>Told here, before a turn with other commands in it: a store throws at such a key, and a key that a client chose must not end the node.</summary>
    private bool IsTooLong(ReadOnlyMemory<byte> key, out VnodeReply refusal)
    {
        refusal = default;
        if (key.Length <= store.MaxKeyBytes)
        {
            return false;
        }

        var reason = $"bucket type, bucket and key take {key.Length} bytes in the store, which takes {store.MaxKeyBytes}";
        refusal = new VnodeReply(new PeerReply.Refused(reason), Error: new KvError.InvalidRequest(reason));
        return true;
    }

    private bool IsAnyTooLong(IReadOnlyList<HeldKey> keys, out VnodeReply refusal)
    {
        refusal = default;
        foreach (var key in keys)
        {
            if (IsTooLong(key.Key, out refusal))
            {
                return true;
            }
        }

        return false;
    }

    // hot
    private ValueTask<VnodeReply> Send(VnodeCommand command)
    {
        if (mailbox.Writer.TryWrite(command))
        {
            return command.Answer;
        }

        if (isFailed)
        {
            return new(failedReply);
        }

        if (isClosing)
        {
            return new(VnodeReply.Closed);
        }

        context.Statistics.VnodeOverloaded();
        return new(VnodeReply.Overloaded);
    }
}
