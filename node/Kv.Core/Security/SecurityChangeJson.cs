using System.Diagnostics;
using System.Text.Json;
using Kv.Core.Membership;
using static Kv.Core.Security.SecurityChange;

namespace Kv.Core.Security;

/// <summary>The JSON forms of a <see cref="SecurityChange"/>: `security` names the case. Names are sent: append only.</summary>
internal static class SecurityChangeJson
{
    public static void Write(Utf8JsonWriter json, SecurityChange change)
    {
        switch (change)
        {
            case Enable enable:
                json.WriteString("security", enable.IsEnabled ? "enable" : "disable");
                break;
            case AddUser add:
                WriteRole(json, "addUser", add.Name, add.Settings);
                break;
            case AlterUser alter:
                WriteRole(json, "alterUser", alter.Name, alter.Settings);
                break;
            case DeleteUser delete:
                WriteRole(json, "deleteUser", delete.Name, RoleSettings.None);
                break;
            case AddGroup add:
                WriteRole(json, "addGroup", add.Name, add.Settings);
                break;
            case AlterGroup alter:
                WriteRole(json, "alterGroup", alter.Name, alter.Settings);
                break;
            case DeleteGroup delete:
                WriteRole(json, "deleteGroup", delete.Name, RoleSettings.None);
                break;
            case AddSource add:
                json.WriteString("security", "addSource");
                SecurityJson.WriteNames(json, "users", add.Users);
                json.WriteString("network", add.Network.ToString());
                json.WriteNumber("kind", (int)add.Kind);
                SecurityJson.WriteOptions(json, add.Options);
                break;
            case DeleteSource delete:
                json.WriteString("security", "deleteSource");
                SecurityJson.WriteNames(json, "users", delete.Users);
                json.WriteString("network", delete.Network.ToString());
                break;
            case Grant grant:
                WriteGrant(json, "grant", grant.Permissions, grant.Scope, grant.Roles);
                break;
            case Revoke revoke:
                WriteGrant(json, "revoke", revoke.Permissions, revoke.Scope, revoke.Roles);
                break;
            default:
                throw new UnreachableException($"no form of {change.GetType().Name}");
        }
    }

    public static SecurityChange Read(JsonElement json) => DocumentJson.ReadString(json, "security") switch
    {
        "enable" => new Enable(true),
        "disable" => new Enable(false),
        "addUser" => new AddUser(Name(json), SecurityJson.ReadSettings(json)),
        "alterUser" => new AlterUser(Name(json), SecurityJson.ReadSettings(json)),
        "deleteUser" => new DeleteUser(Name(json)),
        "addGroup" => new AddGroup(Name(json), SecurityJson.ReadSettings(json)),
        "alterGroup" => new AlterGroup(Name(json), SecurityJson.ReadSettings(json)),
        "deleteGroup" => new DeleteGroup(Name(json)),
        "addSource" => new AddSource(
            SecurityJson.ReadNames(json, "users"), SecurityJson.ReadNetwork(json), DocumentJson.ReadEnum<SourceKind>(json, "kind"), SecurityJson.ReadOptions(json)),
        "deleteSource" => new DeleteSource(SecurityJson.ReadNames(json, "users"), SecurityJson.ReadNetwork(json)),
        "grant" => new Grant(SecurityJson.ReadPermissions(json), SecurityJson.ReadScope(json), SecurityJson.ReadNames(json, "roles")),
        "revoke" => new Revoke(SecurityJson.ReadPermissions(json), SecurityJson.ReadScope(json), SecurityJson.ReadNames(json, "roles")),
        var other => throw new FormatException($"the change of security `{other}` is not known"),
    };

    private static string Name(JsonElement json) => DocumentJson.ReadString(json, "name");

    private static void WriteRole(Utf8JsonWriter json, string change, string name, RoleSettings settings)
    {
        json.WriteString("security", change);
        json.WriteString("name", name);
        SecurityJson.WriteSettings(json, settings);
    }

    private static void WriteGrant(Utf8JsonWriter json, string change, Permissions permissions, GrantScope scope, IEnumerable<string> roles)
    {
        json.WriteString("security", change);
        SecurityJson.WritePermissions(json, permissions);
        SecurityJson.WriteScope(json, scope);
        SecurityJson.WriteNames(json, "roles", roles);
    }
}
