using System.Collections.Immutable;

namespace Kv.Core.Security;

/// <summary>A user or a group, without its name. A group has no password. Groups are those that it is in, sorted; other options are kept and mean nothing here.</summary>
public sealed record SecurityRole
{
    public PasswordHash? Password { get; init; }

    public ImmutableSortedSet<string> Groups { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    public ImmutableSortedDictionary<string, string> Options { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>By content.</summary>
    public bool Equals(SecurityRole? other) =>
        other is not null && Equals(Password, other.Password) && Groups.SequenceEqual(other.Groups) && Options.SequenceEqual(other.Options);

    public override int GetHashCode() => HashCode.Combine(Password, Groups.Count, Options.Count);
}
