namespace Kv.Storage.Faster;

/// <summary>What a checkpoint says of a store's ordered records.</summary>
/// <param name="Sequence">The sequence number that RocksDB had on disk, at least.</param>
/// <param name="Count">Live keys.</param>
/// <param name="Bytes">Bytes of live keys and values.</param>
internal readonly record struct OrderedPart(long Sequence, long Count, long Bytes);
