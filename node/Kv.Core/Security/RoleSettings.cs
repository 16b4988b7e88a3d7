using System.Collections.Immutable;

namespace Kv.Core.Security;

/// <summary>What a command says of a user or group; null for what it does not speak of.</summary>
public sealed record RoleSettings
{
    public static RoleSettings None { get; } = new();

    /// <summary>Users alone.</summary>
    public PasswordHash? Password { get; init; }

    /// <summary>The groups that it is in from now on.</summary>
    public ImmutableArray<string>? Groups { get; init; }

    /// <summary>Added to, or in the place of, those it has.</summary>
    public ImmutableSortedDictionary<string, string> Options { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
}
