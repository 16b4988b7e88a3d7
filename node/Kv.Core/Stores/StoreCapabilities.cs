namespace Kv.Core.Stores;

/// <summary>What an engine can do beyond the port's least; a bucket type that needs more is refused when it is made.</summary>
[Flags]
public enum StoreCapabilities
{
    None = 0,

    /// <summary>Keys of <see cref="StoreBackend.Ordered"/> and index entries can be scanned in byte order.</summary>
    OrderedScan = 1,

    /// <summary>A batch is applied whole or not at all, over a crash too.</summary>
    AtomicBatch = 2,

    /// <summary>A fold sees the store as it was when the fold began.</summary>
    Snapshot = 4,

    /// <summary>What was written outlives the process.</summary>
    Durable = 8,
}
