using Kv.Core.Stores;
using Kv.Storage.Files;
using Kv.Storage.Log;
using Kv.Storage.Ordered;

namespace Kv.Storage.Faster;

/// <summary>What a store asks of the engine that it lives in.</summary>
internal interface IStoreHost
{
    IStorageFiles Files { get; }

    WriteAheadLog Log { get; }

    StorageOptions Options { get; }

    TimeProvider Time { get; }

    /// <summary>What the stores' ordered records share, made when it is first asked for.</summary>
    OrderedEngine Ordered();

    /// <summary>Whether the engine has failed: what devices gave and took since then proves nothing.</summary>
    bool HasFailed { get; }

    /// <exception cref="StoreException">The engine has failed.</exception>
    void ThrowIfFailed();

    /// <param name="bytes">What is to be written.</param>
    /// <param name="reason">Why the store itself takes nothing; null where it does.</param>
    /// <exception cref="StoreRefusedException">No room for so many bytes.</exception>
    void ThrowIfRefusing(long bytes, string? reason);

    /// <summary>A store has no room on the disk for what it was to write, and takes nothing until it has: told, and no failure.</summary>
    void RanOutOfRoom(string reason);

    /// <summary>Whether the disk has so many bytes free.</summary>
    bool HasRoomFor(long bytes);

    /// <summary>Ends the engine: every call from here on throws <see cref="StoreException"/>, and the node is told.</summary>
    StoreException Fail(string what, Exception cause);

    /// <summary>The store's data is damaged: makes that known, over restarts too, and then has it refuse every call and close; the others go on.</summary>
    void Damaged(FasterPartitionStore store, StoreDamagedException damage);

    /// <exception cref="StoreRefusedException">The log has no room for the record of a drop, nor the disk for a segment to put it in.</exception>
    void ThrowIfNoRoomToDrop();

    /// <summary>The store has closed, with its data or without.</summary>
    void Closed(FasterPartitionStore store, bool isDropped);

    void Checkpointed(bool isCompaction);

    /// <summary>A file beside the data cannot be used, for the reason given, and what was in it is made anew from the data: told, and no failure.</summary>
    void CannotUse(string reason);

    /// <summary>Something that was not as it was written is again, from a copy: told, and no failure.</summary>
    void Restored(string what);
}
