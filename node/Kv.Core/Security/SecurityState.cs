using System.Collections.Immutable;

namespace Kv.Core.Security;

/// <summary>Who may connect and do what: one immutable part of the cluster document, changed by <see cref="SecurityChange"/> only. Off, and empty, until somebody uses it.</summary>
public sealed record SecurityState
{
    public const int MaxUsers = 2000;
    public const int MaxGroups = 1000;
    public const int MaxSources = 2000;
    public const int MaxGrants = 10_000;

    /// <summary>Of all of it together, as a document has it: documents go between nodes in one message.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    private static readonly ImmutableSortedDictionary<string, SecurityRole> NoRoles = ImmutableSortedDictionary.Create<string, SecurityRole>(StringComparer.Ordinal);

    public static SecurityState Off { get; } = new();

    /// <summary>Whether clients are asked who they are. What is below can be prepared before.</summary>
    public bool IsEnabled { get; init; }

    public ImmutableSortedDictionary<string, SecurityRole> Users { get; init; } = NoRoles;

    public ImmutableSortedDictionary<string, SecurityRole> Groups { get; init; } = NoRoles;

    /// <summary>In the order in which they are tried.</summary>
    public ImmutableSortedDictionary<SourceKey, SecuritySource> Sources { get; init; } = ImmutableSortedDictionary<SourceKey, SecuritySource>.Empty;

    public ImmutableSortedDictionary<GrantKey, Permissions> Grants { get; init; } = ImmutableSortedDictionary<GrantKey, Permissions>.Empty;

    /// <summary>Whether there is nothing that a document would have to say of it.</summary>
    public bool IsEmpty => !IsEnabled && Users.IsEmpty && Groups.IsEmpty && Sources.IsEmpty && Grants.IsEmpty;

    /// <summary>A record's own equality compares its tables by identity.</summary>
    public bool HasSameContent(SecurityState other) =>
        IsEnabled == other.IsEnabled && Users.SequenceEqual(other.Users) && Groups.SequenceEqual(other.Groups)
        && Sources.SequenceEqual(other.Sources) && Grants.SequenceEqual(other.Grants);

    /// <summary>Counts alone: it ends up in messages about documents.</summary>
    public override string ToString() => FormattableString.Invariant($"security {(IsEnabled ? "on" : "off")}, {Users.Count} users, {Groups.Count} groups, {Sources.Count} sources, {Grants.Count} grants");
}
