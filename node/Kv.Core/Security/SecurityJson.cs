using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using Kv.Core.Membership;

namespace Kv.Core.Security;

/// <summary>The JSON forms of a <see cref="SecurityState"/> and what it is made of. Names are persisted and sent: append only.</summary>
/// <remarks>
/// <code>
/// {"enabled","users":[{"name","password":{"function","iterations","salt":base64,"hash":base64},"groups":[],"options":{}}],"groups":[as users, without password],
///  "sources":[{"user","network","kind","options":{}}],"grants":[{"kind","name","type","bucket":base64,"permissions":[name]}]}
/// </code>
/// A grant without type is on everything, one without bucket on its type.
/// </remarks>
internal static class SecurityJson
{
    /// <summary>Writes the members of the state's JSON object.</summary>
    public static void Write(Utf8JsonWriter json, SecurityState state)
    {
        json.WriteBoolean("enabled", state.IsEnabled);
        WriteAll(json, "users", state.Users, WriteRole);
        WriteAll(json, "groups", state.Groups, WriteRole);
        WriteAll(json, "sources", state.Sources, (writer, source) =>
        {
            writer.WriteString("user", source.Key.User);
            writer.WriteString("network", source.Key.Network.ToString());
            writer.WriteNumber("kind", (int)source.Value.Kind);
            WriteOptions(writer, source.Value.Options);
        });
        WriteAll(json, "grants", state.Grants, (writer, grant) =>
        {
            writer.WriteNumber("kind", (int)grant.Key.Holder.Kind);
            writer.WriteString("name", grant.Key.Holder.Name);
            WriteScope(writer, grant.Key.Scope);
            WritePermissions(writer, grant.Value);
        });
    }

    /// <summary>Bytes of what <see cref="Write"/> writes, with its braces.</summary>
    public static int LengthOf(SecurityState state)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            Write(json, state);
            json.WriteEndObject();
        }

        return buffer.WrittenCount;
    }

    /// <summary>Throws what readers of documents throw; <see cref="FormatException"/> also where the state breaks a law.</summary>
    public static SecurityState Read(JsonElement json)
    {
        var state = new SecurityState
        {
            IsEnabled = json.GetProperty("enabled").GetBoolean(),
            Users = ReadRoles(json, "users"),
            Groups = ReadRoles(json, "groups"),
            Sources = json.GetProperty("sources").EnumerateArray().ToImmutableSortedDictionary(
                source => new SourceKey(DocumentJson.ReadString(source, "user"), ReadNetwork(source)),
                source => new SecuritySource(DocumentJson.ReadEnum<SourceKind>(source, "kind"), ReadOptions(source))),
            Grants = json.GetProperty("grants").EnumerateArray().ToImmutableSortedDictionary(
                grant => new GrantKey(new GrantHolder(DocumentJson.ReadEnum<GrantHolderKind>(grant, "kind"), DocumentJson.ReadString(grant, "name")), ReadScope(grant)),
                ReadPermissions),
        };
        return SecurityLimits.WhyBroken(state) is { } law ? throw new FormatException(law) : state;
    }

    public static void WriteSettings(Utf8JsonWriter json, RoleSettings settings)
    {
        WritePassword(json, settings.Password);
        if (settings.Groups is { } groups)
        {
            WriteNames(json, "groups", groups);
        }

        WriteOptions(json, settings.Options);
    }

    public static RoleSettings ReadSettings(JsonElement json) => new()
    {
        Password = ReadPassword(json),
        Groups = json.TryGetProperty("groups", out _) ? ReadNames(json, "groups") : null,
        Options = ReadOptions(json),
    };

    public static void WriteScope(Utf8JsonWriter json, GrantScope scope)
    {
        if (scope.BucketType is { } type)
        {
            json.WriteString("type", type);
        }

        if (scope.Bucket is { } bucket)
        {
            json.WriteBase64String("bucket", bucket.Bucket.Span);
        }
    }

    public static GrantScope ReadScope(JsonElement json)
    {
        if (!json.TryGetProperty("type", out _))
        {
            return GrantScope.Any;
        }

        return json.TryGetProperty("bucket", out _) ? GrantScope.OfBucket(DocumentJson.ReadBucketName(json)) : GrantScope.OfType(DocumentJson.ReadString(json, "type"));
    }

    public static void WritePermissions(Utf8JsonWriter json, Permissions permissions) => WriteNames(json, "permissions", PermissionNames.Of(permissions));

    public static Permissions ReadPermissions(JsonElement json) => PermissionNames.TryRead(ReadNames(json, "permissions"), out var permissions, out var unknown)
        ? permissions
        : throw new FormatException($"the permission `{unknown}` is not known");

    public static void WriteNames(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }

    public static ImmutableArray<string> ReadNames(JsonElement json, string name) =>
        [.. json.GetProperty(name).EnumerateArray().Select(value => value.GetString() ?? throw new FormatException($"a name of {name} is null"))];

    public static void WriteOptions(Utf8JsonWriter json, ImmutableSortedDictionary<string, string> options)
    {
        json.WriteStartObject("options");

        // By ordinal order whatever comparer the dictionary has, so that equal values have equal bytes.
        foreach (var (name, value) in options.OrderBy(option => option.Key, StringComparer.Ordinal))
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
    }

    public static ImmutableSortedDictionary<string, string> ReadOptions(JsonElement json) => DocumentJson.ReadEndpoints(json, "options");

    public static CidrBlock ReadNetwork(JsonElement json) =>
        CidrBlock.TryParse(DocumentJson.ReadString(json, "network"), out var network) ? network : throw new FormatException("a source's network is none");

    private static void WriteAll<T>(Utf8JsonWriter json, string name, IEnumerable<T> values, Action<Utf8JsonWriter, T> write)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStartObject();
            write(json, value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteRole(Utf8JsonWriter json, KeyValuePair<string, SecurityRole> role)
    {
        json.WriteString("name", role.Key);
        WriteSettings(json, new RoleSettings { Password = role.Value.Password, Groups = [.. role.Value.Groups], Options = role.Value.Options });
    }

    private static ImmutableSortedDictionary<string, SecurityRole> ReadRoles(JsonElement json, string name) => json.GetProperty(name).EnumerateArray().ToImmutableSortedDictionary(
        role => DocumentJson.ReadString(role, "name"),
        role => new SecurityRole { Password = ReadPassword(role), Groups = ReadNames(role, "groups").ToImmutableSortedSet(StringComparer.Ordinal), Options = ReadOptions(role) },
        StringComparer.Ordinal);

    private static void WritePassword(Utf8JsonWriter json, PasswordHash? password)
    {
        if (password is null)
        {
            return;
        }

        json.WriteStartObject("password");
        json.WriteString("function", PasswordHash.Sha512);
        json.WriteNumber("iterations", password.Iterations);
        json.WriteBase64String("salt", password.Salt);
        json.WriteBase64String("hash", password.Hash);
        json.WriteEndObject();
    }

    private static PasswordHash? ReadPassword(JsonElement json) => !json.TryGetProperty("password", out var password) ? null : PasswordHash.Read(
        DocumentJson.ReadString(password, "function"),
        password.GetProperty("iterations").GetInt32(),
        password.GetProperty("salt").GetBytesFromBase64(),
        password.GetProperty("hash").GetBytesFromBase64());
}
