namespace Kv.Core.Stores;

/// <summary>A key and its value as <see cref="IPartitionStore.FoldAsync"/> gives them; both are owned by the reader.</summary>
public readonly record struct StoredEntry(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value);
