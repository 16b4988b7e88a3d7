using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using static Kv.Core.Security.SecurityChange;

namespace Kv.Core.Security;

/// <summary>
/// What each <see cref="SecurityChange"/> does: pure, total, and with no more effect when it is sent twice. Refusals have riak_core_security's words and riak_core_console's
/// sentences.
/// </summary>
public static class SecurityRules
{
    private const string UserPrefix = "user/";
    private const string GroupPrefix = "group/";

    public static SecurityChangeResult Apply(SecurityState state, SecurityChange change) => change switch
    {
        Enable enable => Done(state with { IsEnabled = enable.IsEnabled }),
        AddUser add => Add(state, add.Name, add.Settings, isUser: true),
        AlterUser alter => Alter(state, alter.Name, alter.Settings, isUser: true),
        DeleteUser delete => Done(WithoutUser(state, SecurityNames.Fold(delete.Name))),
        AddGroup add => Add(state, add.Name, add.Settings, isUser: false),
        AlterGroup alter => Alter(state, alter.Name, alter.Settings, isUser: false),
        DeleteGroup delete => Done(WithoutGroup(state, SecurityNames.Fold(delete.Name))),
        AddSource add => AddSources(state, add),
        DeleteSource delete => Done(state with { Sources = state.Sources.RemoveRange(delete.Users.Select(user => new SourceKey(SecurityNames.Fold(user), delete.Network))) }),
        Grant grant => ChangeGrants(state, grant.Scope, grant.Roles, held => held | grant.Permissions),
        Revoke revoke => ChangeGrants(state, revoke.Scope, revoke.Roles, held => held & ~revoke.Permissions),
        _ => throw new UnreachableException($"no rule for {change.GetType().Name}"),
    };

    /// <summary>Why there is no such user or group; null where there is.</summary>
    public static SecurityChangeResult.Refused? WhyUnknown(SecurityState state, string name, bool isUser) => (isUser ? state.Users : state.Groups).ContainsKey(SecurityNames.Fold(name))
        ? null
        : isUser ? new(SecurityRefusal.UnknownUser, $"User not recognized: {name}") : new(SecurityRefusal.UnknownGroup, $"Group not recognized: {name}");

    private static SecurityChangeResult Add(SecurityState state, string given, RoleSettings settings, bool isUser)
    {
        var name = SecurityNames.Fold(given);
        if (SecurityNames.IsReserved(name))
        {
            return Refused(SecurityRefusal.ReservedName, "This name is reserved for system use");
        }

        if (!SecurityNames.IsLegal(name))
        {
            return Refused(SecurityRefusal.IllegalName, "Illegal character(s) in name");
        }

        var roles = isUser ? state.Users : state.Groups;
        var made = With(new SecurityRole(), settings);
        if (roles.TryGetValue(name, out var known))
        {
            return known.Equals(made) ? Done(state) : Refused(SecurityRefusal.RoleExists, "This name is already in use");
        }

        var most = isUser ? SecurityState.MaxUsers : SecurityState.MaxGroups;
        return roles.Count >= most ? TooMany(isUser ? "users" : "groups", most) : Checked(state, name, settings, made, isUser);
    }

    private static SecurityChangeResult Alter(SecurityState state, string given, RoleSettings settings, bool isUser)
    {
        var name = SecurityNames.Fold(given);
        return WhyUnknown(state, name, isUser) is { } unknown
            ? unknown
            : Checked(state, name, settings, With((isUser ? state.Users : state.Groups)[name], settings), isUser);
    }

    private static SecurityChangeResult Checked(SecurityState state, string name, RoleSettings settings, SecurityRole made, bool isUser)
    {
        var unknown = made.Groups.Where(group => !state.Groups.ContainsKey(group)).ToList();
        if (unknown.Count > 0)
        {
            return Refused(SecurityRefusal.UnknownGroups, $"Group(s) not recognized: {string.Join(", ", unknown)}");
        }

        if (settings.Password is not null && !isUser)
        {
            return Refused(SecurityRefusal.InvalidOption, "a group has no password");
        }

        return SecurityLimits.WhyInvalid(made.Options) is { } problem
            ? Refused(SecurityRefusal.InvalidOption, problem)
            : Done(isUser ? state with { Users = state.Users.SetItem(name, made) } : state with { Groups = state.Groups.SetItem(name, made) });
    }

    private static SecurityRole With(SecurityRole role, RoleSettings settings) => role with
    {
        Password = settings.Password ?? role.Password,
        Groups = settings.Groups is { } groups ? groups.Select(SecurityNames.Fold).ToImmutableSortedSet(StringComparer.Ordinal) : role.Groups,
        Options = role.Options.SetItems(settings.Options),
    };

    private static SecurityState WithoutUser(SecurityState state, string name) => !state.Users.ContainsKey(name) ? state : state with
    {
        Users = state.Users.Remove(name),
        Sources = state.Sources.RemoveRange(state.Sources.Keys.Where(key => key.User == name)),
        Grants = WithoutHolder(state, GrantHolder.User(name)),
    };

    private static SecurityState WithoutGroup(SecurityState state, string name) => !state.Groups.ContainsKey(name) ? state : state with
    {
        Groups = WithoutMembership(state.Groups.Remove(name), name),
        Users = WithoutMembership(state.Users, name),
        Grants = WithoutHolder(state, GrantHolder.Group(name)),
    };

    private static ImmutableSortedDictionary<string, SecurityRole> WithoutMembership(ImmutableSortedDictionary<string, SecurityRole> roles, string group) =>
        roles.SetItems(roles.Where(role => role.Value.Groups.Contains(group)).Select(role => KeyValuePair.Create(role.Key, role.Value with { Groups = role.Value.Groups.Remove(group) })));

    private static ImmutableSortedDictionary<GrantKey, Permissions> WithoutHolder(SecurityState state, GrantHolder holder) =>
        state.Grants.RemoveRange(state.Grants.Keys.Where(key => key.Holder == holder));

    private static SecurityChangeResult AddSources(SecurityState state, AddSource add)
    {
        var users = add.Users.Select(SecurityNames.Fold).Distinct().ToList();
        if (users.Count == 0 || (users.Count > 1 && users.Contains(SecurityNames.All)))
        {
            return Refused(SecurityRefusal.UnknownUsers, "name users, or `all` alone");
        }

        var unknown = users.Where(user => user != SecurityNames.All && !state.Users.ContainsKey(user)).ToList();
        if (unknown.Count > 0)
        {
            return Refused(SecurityRefusal.UnknownUsers, $"User(s) not recognized: {string.Join(", ", unknown)}");
        }

        if (SecurityLimits.WhyInvalid(add.Options) is { } problem)
        {
            return Refused(SecurityRefusal.InvalidOption, problem);
        }

        var source = new SecuritySource(add.Kind, add.Options);
        var sources = state.Sources.SetItems(users.Select(user => KeyValuePair.Create(new SourceKey(user, add.Network), source)));
        return sources.Count > SecurityState.MaxSources ? TooMany("sources", SecurityState.MaxSources) : Done(state with { Sources = sources });
    }

    private static SecurityChangeResult ChangeGrants(SecurityState state, GrantScope scope, ImmutableArray<string> roles, Func<Permissions, Permissions> change)
    {
        if (SecurityLimits.WhyInvalid(scope) is { } problem)
        {
            return Refused(SecurityRefusal.InvalidScope, problem);
        }

        if (WhyNoHolders(state, roles, out var holders) is { } refusal)
        {
            return refusal;
        }

        var grants = state.Grants;
        foreach (var key in holders.Select(holder => new GrantKey(holder, scope)))
        {
            var left = change(grants.GetValueOrDefault(key));
            grants = left == Permissions.None ? grants.Remove(key) : grants.SetItem(key, left);
        }

        return grants.Count > SecurityState.MaxGrants ? TooMany("grants", SecurityState.MaxGrants) : Done(state with { Grants = grants });
    }

    /// <summary>Roles by name → who they are.</summary>
    private static SecurityChangeResult.Refused? WhyNoHolders(SecurityState state, ImmutableArray<string> roles, out List<GrantHolder> holders)
    {
        holders = [];
        var (unknown, ambiguous) = (new List<string>(), new List<string>());
        foreach (var role in roles.Select(SecurityNames.Fold).Distinct())
        {
            var (isUser, isGroup) = (!role.StartsWith(GroupPrefix, StringComparison.Ordinal), !role.StartsWith(UserPrefix, StringComparison.Ordinal));
            var name = !isUser ? role[GroupPrefix.Length..] : !isGroup ? role[UserPrefix.Length..] : role;
            (isUser, isGroup) = (isUser && state.Users.ContainsKey(name), isGroup && state.Groups.ContainsKey(name));
            if (role == SecurityNames.All)
            {
                holders.Add(GrantHolder.All);
            }
            else if (isUser == isGroup)
            {
                (isUser ? ambiguous : unknown).Add(role);
            }
            else
            {
                holders.Add(isUser ? GrantHolder.User(name) : GrantHolder.Group(name));
            }
        }

        if (unknown.Count > 0 || roles.IsEmpty)
        {
            return Refused(SecurityRefusal.UnknownRoles, $"Name(s) not recognized: {string.Join(", ", unknown)}");
        }

        return ambiguous.Count == 0
            ? null
            : Refused(SecurityRefusal.DuplicateRoles, $"Ambiguous names need to be prefixed with 'user/' or 'group/': {string.Join(", ", ambiguous)}");
    }

    private static SecurityChangeResult.Done Done(SecurityState state) => new(state);

    private static SecurityChangeResult.Refused Refused(string reason, string message) => new(reason, message);

    private static SecurityChangeResult.Refused TooMany(string what, int most) =>
        Refused(SecurityRefusal.TooMany, string.Create(CultureInfo.InvariantCulture, $"a cluster has at most {most} {what}"));
}
