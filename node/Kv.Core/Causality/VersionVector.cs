using System.Collections.Immutable;

namespace Kv.Core.Causality;

/// <summary>
/// What has been seen of a key's history: per actor, all its events up to a counter (Parker et al. 1983; Riak's vclock).
/// Immutable; entries sorted by actor, each actor once.
/// </summary>
public sealed class VersionVector
{
    public static VersionVector Empty { get; } = new([]);

    internal VersionVector(ImmutableArray<ClockEntry> entries) => Entries = entries;

    public ImmutableArray<ClockEntry> Entries { get; }

    public bool IsEmpty => Entries.IsEmpty;
}
