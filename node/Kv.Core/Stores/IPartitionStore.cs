using Kv.Core.AntiEntropy;

namespace Kv.Core.Stores;

/// <summary>
/// The storage port: keys and values of one partition on one node. One caller at a time (the vnode's mailbox) for everything but
/// <see cref="FoldAsync"/>, which may run beside it. Keys are at most <see cref="MaxKeyBytes"/> long, values at most
/// <see cref="MaxValueBytes"/>; a longer one throws <see cref="ArgumentException"/> and changes nothing. Failed syncs throw
/// <see cref="StoreException"/>, after which no store of the node serves anything until it is opened again, and corruption <see cref="StoreDamagedException"/>, after which this one
/// serves nothing.
/// </summary>
public interface IPartitionStore : IAsyncDisposable
{
    StoreCapabilities Capabilities { get; }

    int MaxKeyBytes { get; }

    int MaxValueBytes { get; }

    /// <summary>Grows from one store that the node makes to the next, and stays with the data: tells which was there first, and a store from one that the partition had before.</summary>
    long Birth { get; }

    /// <summary>Live keys, as exactly as the engine knows (an estimate where it says so in its own documentation).</summary>
    long ApproximateCount { get; }

    /// <summary>Bytes of live keys and values, as exactly as the engine knows.</summary>
    long ApproximateBytes { get; }

    /// <summary>Bytes that keys of <see cref="StoreBackend.Memory"/> may still take; not held to by <see cref="WriteAsync"/>, whose caller may go beyond it for what frees some. The most there can be where that has no bound.</summary>
    long MemoryRoom => long.MaxValue;

    /// <summary>Whether it has held keys that do not outlive it.</summary>
    bool WillForget => false;

    /// <summary>
    /// The hash trees that batches carried along: changed with the data, as durable as it, and after a crash as the data that is left has them. What is in them is
    /// the caller's affair, but for a store that cannot vouch for them any more: those have layout 0. May be read beside everything.
    /// </summary>
    HashTrees Trees { get; }

    /// <summary>Fills the values of the batch. Sees every write whose <see cref="WriteAsync"/> has returned its task, durable or not.</summary>
    ValueTask ReadAsync(ReadBatch batch, CancellationToken cancel);

    /// <summary>
    /// Applies the batch before it returns its task (a later read sees it), and completes the task when the batch is as durable as
    /// asked. Writes of one store become durable in the order of their calls. A caller need not await one write before the next.
    /// Cancellation ends the wait and not the write.
    /// </summary>
    ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel);

    /// <summary>
    /// Every key that was live when the fold began and was not written meanwhile, exactly once, with its value; a key written during the fold
    /// comes once or more, with its value then or later, or not at all if it was removed or is new.
    /// </summary>
    IAsyncEnumerable<StoredEntry> FoldAsync(CancellationToken cancel);

    /// <summary>
    /// Reads a range of ordered keys or of index entries in byte order. Sees every write that was acknowledged as durable when it is called, and of later ones some; a batch's changes all or none. May run beside everything.
    /// </summary>
    ValueTask<ScanStretch> ScanAsync(StoreScan scan, CancellationToken cancel);

    /// <summary>
    /// Whether the store knows its keys by segment (<see cref="HashTree.SegmentOf"/> of the key's hash), so that those of a few segments are found without reading the
    /// rest. False for data that an older program wrote, or where what it knew was damaged: then <see cref="IndexSegmentsAsync"/> makes it so.
    /// </summary>
    bool HasSegments { get; }

    /// <summary>
    /// Adds the keys of whole segments, those from <paramref name="from"/> on and before <paramref name="until"/>, and stops after the segment with which there
    /// are <paramref name="enough"/>. Gives the segment to go on with; null where <see cref="HasSegments"/> is false. A key that was just removed may be among them.
    /// Belongs to the one caller, as reads and writes do.
    /// </summary>
    ValueTask<int?> ReadSegmentsAsync(int from, int until, int enough, List<ReadOnlyMemory<byte>> keys, CancellationToken cancel);

    /// <summary>Reads all data to learn its keys by segment. May run beside everything; a second call waits for nothing and throws <see cref="InvalidOperationException"/>.</summary>
    ValueTask IndexSegmentsAsync(CancellationToken cancel);

    /// <summary>Removes the partition's data for good and closes the store: after handoff, or when a partition is dropped. Durable when it completes.</summary>
    /// <exception cref="StoreRefusedException">There is no room on the disk to take note of it; the store is as it was.</exception>
    ValueTask DropAsync(CancellationToken cancel);
}
