using System.Collections.Immutable;

namespace Kv.Core.Rings;

/// <summary>An assignment of partitions and what it could not avoid, in words for people.</summary>
public sealed record ClaimResult(ImmutableArray<NodeId> Owners, ImmutableArray<string> Warnings);
