using System.Collections.Immutable;

namespace Kv.Core.Security;

/// <summary>A source without whom it is for (<see cref="SourceKey"/>). Options are kept and mean nothing here.</summary>
public sealed record SecuritySource(SourceKind Kind, ImmutableSortedDictionary<string, string> Options)
{
    /// <summary>By content.</summary>
    public bool Equals(SecuritySource? other) => other is not null && Kind == other.Kind && Options.SequenceEqual(other.Options);

    public override int GetHashCode() => HashCode.Combine(Kind, Options.Count);
}
