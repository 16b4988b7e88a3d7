namespace Kv.Core.Indexes;

/// <summary>A result of a query: the term as text (of `$key` and `$bucket`, the key's) and the object's key.</summary>
public readonly record struct IndexMatch(string Term, ReadOnlyMemory<byte> Key);
