namespace Kv.Core.Stores;

/// <summary>
/// A stretch of what <see cref="IPartitionStore.ScanAsync"/> reads: from <paramref name="From"/> on and before <paramref name="Until"/> (empty: to the end), in byte order, at most
/// <paramref name="MaxEntries"/>, and of these no more after the one with which keys and values have <paramref name="MaxBytes"/>.
/// </summary>
public readonly record struct StoreScan(ScanSpace Space, ReadOnlyMemory<byte> From, ReadOnlyMemory<byte> Until, int MaxEntries, int MaxBytes);
