namespace Kv.Core.Stores;

/// <summary>An index entry that a batch adds or removes. Adding one that is there, or removing one that is not, changes nothing.</summary>
public readonly record struct IndexChange(ReadOnlyMemory<byte> Entry, bool IsAdded);
