using System.Collections.Immutable;
using CsCheck;
using Kv.Core.Objects;
using Kv.Core.Security;
using Xunit;
using static Kv.Core.Security.SecurityChange;

namespace Kv.Core.Tests.Security;

/// <summary>States and changes for this folder's tests.</summary>
internal static class SecuritySamples
{
    public static CidrBlock Network(string text) => CidrBlock.TryParse(text, out var block) ? block : throw new ArgumentException(text, nameof(text));

    /// <summary>Cheap; what real ones cost is not what these tests are about.</summary>
    public static PasswordHash Hashed(string password, byte salt = 7) => PasswordHash.Derive(password, Enumerable.Repeat(salt, PasswordHash.SaltBytes).ToArray(), iterations: 2);

    public static RoleSettings In(params string[] groups) => new() { Groups = [.. groups] };

    public static ImmutableSortedDictionary<string, string> NoOptions { get; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    public static AddSource Source(string users, string network, SourceKind kind) => new([.. users.Split(',')], Network(network), kind, NoOptions);

    public static GrantScope Scope(string? type, string? bucket = null) =>
        type is null ? GrantScope.Any : bucket is null ? GrantScope.OfType(type) : GrantScope.OfBucket(new BucketName(type, bucket));

    public static SecurityState State(params SecurityChange[] changes) => changes.Aggregate(SecurityState.Off, After);

    public static SecurityState After(SecurityState state, SecurityChange change) => Assert.IsType<SecurityChangeResult.Done>(SecurityRules.Apply(state, change)).State;

    public static void Refused(SecurityState state, SecurityChange change, string reason, string message)
    {
        var refused = Assert.IsType<SecurityChangeResult.Refused>(SecurityRules.Apply(state, change));
        Assert.Equal((reason, message), (refused.Reason, refused.Message));
    }

    private static Gen<string> GenUser { get; } = Gen.Int[0, 4].Select(n => $"User{n}");

    private static Gen<string> GenGroup { get; } = Gen.Int[0, 3].Select(n => $"group{n}");

    private static Gen<string> GenRole { get; } = Gen.OneOf(GenUser, GenGroup, GenUser.Select(u => "user/" + u), Gen.Const("all"));

    private static Gen<CidrBlock> GenNetwork { get; } = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 32], Gen.Bool).Select((n, prefix, v6) => Network(v6 ? $"fd00::{n}/{prefix * 4}" : $"10.{n}.0.1/{prefix}"));

    private static Gen<GrantScope> GenScope { get; } = Gen.Select(Gen.Int[0, 2], Gen.Int[0, 2]).Select((t, b) => t == 0 ? GrantScope.Any : Scope($"type{t}", b == 0 ? null : $"bucket{b}"));

    private static Gen<RoleSettings> GenSettings { get; } = Gen.Select(Gen.Int[0, 3], GenGroup.Array[0, 2]).Select((n, groups) => new RoleSettings
    {
        Groups = n == 0 ? null : [.. groups],
        Options = n == 1 ? NoOptions.Add("note", "x") : NoOptions,
    });

    public static Gen<Permissions> GenPermissions { get; } = Gen.Int[1, (1 << PermissionNames.All.Length) - 1].Select(bits => (Permissions)bits);

    /// <summary>Changes that often make sense to a small state, and often do not.</summary>
    public static Gen<SecurityChange> GenChange { get; } = Gen.OneOf<SecurityChange>(
        Gen.Bool.Select(on => (SecurityChange)new Enable(on)),
        Gen.Select(GenUser, GenSettings, Gen.Byte[0, 1]).Select((u, s, salt) => (SecurityChange)new AddUser(u, salt == 0 ? s : s with { Password = Hashed("secret", salt) })),
        Gen.Select(GenUser, GenSettings).Select((u, s) => (SecurityChange)new AlterUser(u, s)),
        Gen.Select(GenGroup, GenSettings).Select((g, s) => (SecurityChange)new AddGroup(g, s)),
        Gen.Select(GenGroup, GenSettings).Select((g, s) => (SecurityChange)new AlterGroup(g, s)),
        GenUser.Select(u => (SecurityChange)new DeleteUser(u)),
        GenGroup.Select(g => (SecurityChange)new DeleteGroup(g)),
        Gen.Select(Gen.OneOf(GenUser, Gen.Const("all")).Array[1, 2], GenNetwork, Gen.Int[1, 3]).Select((us, n, k) => (SecurityChange)new AddSource([.. us], n, (SourceKind)k, NoOptions)),
        Gen.Select(GenUser, GenNetwork).Select((u, n) => (SecurityChange)new DeleteSource([u], n)),
        Gen.Select(GenPermissions, GenScope, GenRole.Array[1, 2]).Select((p, s, rs) => (SecurityChange)new Grant(p, s, [.. rs])),
        Gen.Select(GenPermissions, GenScope, GenRole.Array[1, 2]).Select((p, s, rs) => (SecurityChange)new Revoke(p, s, [.. rs])));

    /// <summary>A state some changes away from nothing.</summary>
    public static Gen<SecurityState> GenState { get; } = GenChange.Array[0, 40].Select(changes =>
        changes.Aggregate(SecurityState.Off, (state, change) => SecurityRules.Apply(state, change) is SecurityChangeResult.Done done ? done.State : state));
}
