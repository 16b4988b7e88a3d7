using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Kv.Core.Objects;
using Kv.Core.Security;
using Proto = Kv.Protos.Admin.V1;

namespace Kv.Wire.Admin;

/// <summary><see cref="SecurityState"/> and <see cref="SecurityChange"/> ↔ the messages of `admin.v1`. A password is hashed here, and goes no further.</summary>
internal static class SecurityCodec
{
    private const int MaxNames = 1000;

    /// <summary>Throws a status where the request makes no sense.</summary>
    public static SecurityChange Decode(Proto.ChangeSecurityRequest request) => request.ChangeCase switch
    {
        Proto.ChangeSecurityRequest.ChangeOneofCase.Enable => new SecurityChange.Enable(request.Enable),
        Proto.ChangeSecurityRequest.ChangeOneofCase.AddUser => new SecurityChange.AddUser(request.AddUser.Name, Settings(request.AddUser)),
        Proto.ChangeSecurityRequest.ChangeOneofCase.AlterUser => new SecurityChange.AlterUser(request.AlterUser.Name, Settings(request.AlterUser)),
        Proto.ChangeSecurityRequest.ChangeOneofCase.DeleteUser => new SecurityChange.DeleteUser(request.DeleteUser),
        Proto.ChangeSecurityRequest.ChangeOneofCase.AddGroup => new SecurityChange.AddGroup(request.AddGroup.Name, Settings(request.AddGroup)),
        Proto.ChangeSecurityRequest.ChangeOneofCase.AlterGroup => new SecurityChange.AlterGroup(request.AlterGroup.Name, Settings(request.AlterGroup)),
        Proto.ChangeSecurityRequest.ChangeOneofCase.DeleteGroup => new SecurityChange.DeleteGroup(request.DeleteGroup),
        Proto.ChangeSecurityRequest.ChangeOneofCase.AddSource => new SecurityChange.AddSource(
            Names(request.AddSource.Users), Network(request.AddSource.Network), Kind(request.AddSource.Kind), Options(request.AddSource.Options)),
        Proto.ChangeSecurityRequest.ChangeOneofCase.DeleteSource => new SecurityChange.DeleteSource(Names(request.DeleteSource.Users), Network(request.DeleteSource.Network)),
        Proto.ChangeSecurityRequest.ChangeOneofCase.Grant => new SecurityChange.Grant(Permissions(request.Grant), Scope(request.Grant), Names(request.Grant.Roles)),
        Proto.ChangeSecurityRequest.ChangeOneofCase.Revoke => new SecurityChange.Revoke(Permissions(request.Revoke), Scope(request.Revoke), Names(request.Revoke.Roles)),
        _ => throw AdminErrors.Invalid("no_change", "the request names no change"),
    };

    public static Proto.Security Encode(SecurityState state) => new()
    {
        Enabled = state.IsEnabled,
        Users = { state.Users.Select(Encode) },
        Groups = { state.Groups.Select(Encode) },
        Sources = { state.Sources.Select(Encode) },
        Grants = { state.Grants.Select(Encode) },
    };

    private static Proto.SecurityRole Encode(KeyValuePair<string, SecurityRole> role) =>
        new() { Name = role.Key, HasPassword = role.Value.Password is not null, Groups = { role.Value.Groups }, Options = { role.Value.Options } };

    private static Proto.SecuritySource Encode(KeyValuePair<SourceKey, SecuritySource> source) => new()
    {
        User = source.Key.User,
        Network = source.Key.Network.ToString(),
        Kind = source.Value.Kind.ToString().ToLowerInvariant(),
        Options = { source.Value.Options },
    };

    private static Proto.SecurityGrant Encode(KeyValuePair<GrantKey, Permissions> grant) => new()
    {
        Role = grant.Key.Holder.ToString(),
        BucketType = grant.Key.Scope.BucketType ?? "",
        Bucket = grant.Key.Scope.Bucket is { } bucket ? UnsafeByteOperations.UnsafeWrap(bucket.Bucket) : ByteString.Empty,
        Permissions = { PermissionNames.Of(grant.Value) },
    };

    private static RoleSettings Settings(Proto.RoleChange change) => new()
    {
        Password = change.HasPassword ? Hash(change.Password) : null,
        Groups = change.Groups is { } groups ? Names(groups.Names) : null,
        Options = Options(change.Options),
    };

    private static PasswordHash Hash(string password) => Encoding.UTF8.GetByteCount(password) is >= 1 and <= PasswordHash.MaxPasswordBytes
        ? PasswordHash.Derive(password, RandomNumberGenerator.GetBytes(PasswordHash.SaltBytes))
        : throw AdminErrors.Invalid(SecurityRefusal.InvalidOption, string.Create(CultureInfo.InvariantCulture, $"a password has 1 to {PasswordHash.MaxPasswordBytes} bytes"));

    private static ImmutableArray<string> Names(RepeatedField<string> names) => names.Count <= MaxNames
        ? [.. names]
        : throw AdminErrors.Invalid(SecurityRefusal.TooMany, string.Create(CultureInfo.InvariantCulture, $"{names.Count} names; at most {MaxNames}"));

    private static ImmutableSortedDictionary<string, string> Options(MapField<string, string> options) => options.ToImmutableSortedDictionary(StringComparer.Ordinal);

    private static CidrBlock Network(string text) => CidrBlock.TryParse(text, out var network)
        ? network
        : throw AdminErrors.Invalid(SecurityRefusal.InvalidSource, "a source's network is written as 10.0.0.0/8, or fd00::/8");

    private static SourceKind Kind(string text) => text.ToLowerInvariant() switch
    {
        "trust" => SourceKind.Trust,
        "password" => SourceKind.Password,
        "certificate" => SourceKind.Certificate,
        _ => throw AdminErrors.Invalid(SecurityRefusal.InvalidSource, "a source is trust, password or certificate"),
    };

    private static Permissions Permissions(Proto.GrantChange change)
    {
        if (!PermissionNames.TryRead(change.Permissions, out var permissions, out var unknown))
        {
            throw AdminErrors.Invalid(SecurityRefusal.UnknownPermission, $"Permission not recognized: {unknown}");
        }

        return permissions == Core.Security.Permissions.None ? throw AdminErrors.Invalid(SecurityRefusal.UnknownPermission, "name permissions") : permissions;
    }

    private static GrantScope Scope(Proto.GrantChange change)
    {
        if (change.BucketType.Length == 0)
        {
            return change.Bucket.IsEmpty ? GrantScope.Any : throw AdminErrors.Invalid(SecurityRefusal.InvalidScope, "a bucket is named with its type");
        }

        return change.Bucket.IsEmpty ? GrantScope.OfType(change.BucketType) : GrantScope.OfBucket(new BucketName(change.BucketType, change.Bucket.ToByteArray()));
    }
}
