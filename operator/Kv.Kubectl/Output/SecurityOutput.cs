using System.Text;
using System.Text.Json.Nodes;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Output;

/// <summary>Users, groups, sources and grants, as tables and as JSON. Of a password it is shown whether there is one.</summary>
internal static class SecurityOutput
{
    private const string All = "all";

    public static JsonObject ToJson(Security security, string name)
    {
        var grants = name.Length == 0 ? security.Grants : GrantsOf(security, name);
        return new JsonObject
        {
            ["enabled"] = security.Enabled,
            ["users"] = new JsonArray([.. Named(security.Users, name).Select(ToJson)]),
            ["groups"] = new JsonArray([.. Named(security.Groups, name).Select(ToJson)]),
            ["sources"] = new JsonArray([.. security.Sources.Where(source => name.Length == 0 || source.User == name || source.User == All).Select(ToJson)]),
            ["grants"] = new JsonArray([.. grants.Select(ToJson)]),
        };
    }

    public static void PrintRoles(TablePrinter printer, IEnumerable<SecurityRole> roles, bool isUsers)
    {
        if (isUsers)
        {
            printer.Print(["username", "member of", "password", "options"], roles.Select(role => new[] { role.Name, Join(role.Groups), role.HasPassword ? "yes" : "", OptionsOf(role.Options) }));
        }
        else
        {
            printer.Print(["group", "member of", "options"], roles.Select(role => new[] { role.Name, Join(role.Groups), OptionsOf(role.Options) }));
        }
    }

    public static void PrintRole(TablePrinter printer, Security security, string name, bool isUser)
    {
        var roles = Named(isUser ? security.Users : security.Groups, name).ToList();
        if (roles.Count == 0)
        {
            throw new CliException(ExitCode.NotFound, isUser ? $"User not recognized: {name}" : $"Group not recognized: {name}");
        }

        PrintRoles(printer, roles, isUser);
        printer.Line();
        PrintTable(printer, GrantsOf(security, (isUser ? "user/" : "group/") + name));
    }

    public static void PrintSources(TablePrinter printer, IEnumerable<SecuritySource> sources) =>
        printer.Print(["users", "cidr", "source", "options"], sources.Select(source => new[] { source.User, source.Network, source.Kind, OptionsOf(source.Options) }));

    public static void PrintGrants(TablePrinter printer, Security security, string name) => PrintTable(printer, name.Length == 0 ? security.Grants : GrantsOf(security, name));

    private static void PrintTable(TablePrinter printer, IEnumerable<SecurityGrant> grants) => printer.Print(
        ["role", "type", "bucket", "grants"],
        grants.Select(grant => new[] { grant.Role, grant.BucketType.Length == 0 ? "*" : grant.BucketType, grant.Bucket.IsEmpty ? "*" : grant.Bucket.ToStringUtf8(), Join(grant.Permissions) }));

    /// <summary>Those that hold for a role: its own, its groups', theirs, and those of all. A bare name may be a user's or a group's.</summary>
    private static IEnumerable<SecurityGrant> GrantsOf(Security security, string name)
    {
        var key = name.ToLowerInvariant();
        var waiting = new Stack<string>();
        if (Role(security.Users, key, "user/") is { } user)
        {
            waiting.Push("user/" + user.Name);
        }

        if (Role(security.Groups, key, "group/") is { } group)
        {
            waiting.Push("group/" + group.Name);
        }

        if (waiting.Count == 0)
        {
            throw new CliException(ExitCode.NotFound, $"Name not recognized: {name}");
        }

        var found = new HashSet<string>(StringComparer.Ordinal) { All };
        while (waiting.TryPop(out var role))
        {
            if (found.Add(role) && (Role(security.Users, role, "user/") ?? Role(security.Groups, role, "group/")) is { } known)
            {
                foreach (var outer in known.Groups)
                {
                    waiting.Push("group/" + outer);
                }
            }
        }

        return security.Grants.Where(grant => found.Contains(grant.Role));
    }

    private static SecurityRole? Role(IEnumerable<SecurityRole> roles, string name, string prefix) =>
        roles.FirstOrDefault(role => role.Name == name || prefix + role.Name == name);

    private static IEnumerable<SecurityRole> Named(IEnumerable<SecurityRole> roles, string name) =>
        name.Length == 0 ? roles : roles.Where(role => string.Equals(role.Name, name, StringComparison.OrdinalIgnoreCase));

    private static JsonNode ToJson(SecurityRole role) => new JsonObject
    {
        ["name"] = role.Name,
        ["hasPassword"] = role.HasPassword,
        ["groups"] = new JsonArray([.. role.Groups.Select(group => (JsonNode)group)]),
        ["options"] = new JsonObject(role.Options.OrderBy(option => option.Key, StringComparer.Ordinal).Select(option => KeyValuePair.Create(option.Key, (JsonNode?)option.Value))),
    };

    private static JsonNode ToJson(SecuritySource source) => new JsonObject { ["user"] = source.User, ["network"] = source.Network, ["source"] = source.Kind };

    private static JsonNode ToJson(SecurityGrant grant) => new JsonObject
    {
        ["role"] = grant.Role,
        ["bucketType"] = grant.BucketType.Length == 0 ? null : grant.BucketType,
        ["bucket"] = grant.Bucket.IsEmpty ? null : grant.Bucket.ToStringUtf8(),
        ["permissions"] = new JsonArray([.. grant.Permissions.Select(permission => (JsonNode)permission)]),
    };

    private static string OptionsOf(IEnumerable<KeyValuePair<string, string>> options)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in options.OrderBy(option => option.Key, StringComparer.Ordinal))
        {
            text.Append(text.Length == 0 ? "" : ", ").Append(name).Append('=').Append(value);
        }

        return text.ToString();
    }

    private static string Join(IEnumerable<string> names) => string.Join(", ", names);
}
