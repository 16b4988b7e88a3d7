namespace Kv.Core.Stores;

/// <summary>What keeps a key's record within a partition's store: a bucket type's `backend`, for good. Part of durable formats: append only.</summary>
public enum StoreBackend : byte
{
    /// <summary>By hash: the fastest for single keys, and the default.</summary>
    Hash = 0,

    /// <summary>In byte order: ranges of keys can be scanned, and batches carry index entries.</summary>
    Ordered = 1,

    /// <summary>In memory alone: gone with the process, and within a bound of the node.</summary>
    Memory = 2,
}
