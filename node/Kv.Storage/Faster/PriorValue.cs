using Kv.Core.Stores;

namespace Kv.Storage.Faster;

/// <summary>
/// What a key held before a write: needed to keep the counts exact and to free the chunks of a value that is replaced. It is written to the log
/// with the change, so that replay need not read.
/// </summary>
/// <param name="Exists">The key was live.</param>
/// <param name="Length">Bytes of its value.</param>
/// <param name="Chunks">Where the value's chunks are; null for one that lay in its record.</param>
/// <param name="Backend">Where it was found: by hash too for an ordered key that was written before its bucket type was known here.</param>
internal readonly record struct PriorValue(bool Exists, int Length, ChunkedValue? Chunks, StoreBackend Backend = StoreBackend.Hash)
{
    public static PriorValue Absent => default;
}
