using System.Collections.Frozen;
using Kv.Core.Objects;

namespace Kv.Core.Security;

/// <summary>
/// All that one user may do: the union of its own grants, those of the groups it is in, of the groups that these are in, and of all (riak_core_security's accumulate_grants). A user
/// that does not exist may do nothing.
/// </summary>
public sealed class UserGrants
{
    private readonly Permissions onAny;
    private readonly FrozenDictionary<string, Permissions> onTypes;
    private readonly FrozenDictionary<BucketName, Permissions> onBuckets;

    private UserGrants(string user, Permissions onAny, Dictionary<string, Permissions> onTypes, Dictionary<BucketName, Permissions> onBuckets)
    {
        User = user;
        this.onAny = onAny;
        this.onTypes = onTypes.ToFrozenDictionary(StringComparer.Ordinal);
        this.onBuckets = onBuckets.ToFrozenDictionary();
    }

    public string User { get; }

    public static UserGrants Of(SecurityState state, string user)
    {
        var any = Permissions.None;
        var types = new Dictionary<string, Permissions>(StringComparer.Ordinal);
        var buckets = new Dictionary<BucketName, Permissions>();
        if (state.Users.TryGetValue(user, out var role))
        {
            var groups = GroupsOf(state, role);
            foreach (var (key, permissions) in state.Grants)
            {
                if (!IsHeld(key.Holder, user, groups))
                {
                    continue;
                }

                switch (key.Scope)
                {
                    case { Bucket: { } bucket }:
                        buckets[bucket] = buckets.GetValueOrDefault(bucket) | permissions;
                        break;
                    case { BucketType: { } type }:
                        types[type] = types.GetValueOrDefault(type) | permissions;
                        break;
                    default:
                        any |= permissions;
                        break;
                }
            }
        }

        return new UserGrants(user, any, types, buckets);
    }

    /// <summary>What is granted on the scope, by it or by what is around it. A grant on a bucket is none on its type.</summary>
    public Permissions On(GrantScope scope)
    {
        var held = onAny;
        held |= scope.BucketType is { } type ? onTypes.GetValueOrDefault(type) : Permissions.None;
        held |= scope.Bucket is { } bucket ? onBuckets.GetValueOrDefault(bucket) : Permissions.None;
        return held;
    }

    /// <summary>Null where all of the permissions are granted; else Riak's sentence of the first that is not.</summary>
    public string? WhyDenied(Permissions permissions, GrantScope scope)
    {
        var missing = PermissionNames.Of(permissions & ~On(scope));
        return missing.IsEmpty ? null : $"Permission denied: User '{User}' does not have '{missing[0]}' on {scope}";
    }

    /// <summary>Null where there is anything at all on which all of the permissions are granted; else Riak's sentence, of the widest scope.</summary>
    public string? WhyDeniedEverywhere(Permissions permissions) =>
        onTypes.Values.Concat(onBuckets.Values).Any(held => (permissions & ~(held | onAny)) == Permissions.None) ? null : WhyDenied(permissions, GrantScope.Any);

    private static bool IsHeld(GrantHolder holder, string user, HashSet<string> groups) => holder.Kind switch
    {
        GrantHolderKind.All => true,
        GrantHolderKind.User => holder.Name == user,
        _ => groups.Contains(holder.Name),
    };

    /// <summary>Groups may be in one another, in circles too.</summary>
    private static HashSet<string> GroupsOf(SecurityState state, SecurityRole role)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        var waiting = new Stack<string>(role.Groups);
        while (waiting.TryPop(out var group))
        {
            if (state.Groups.TryGetValue(group, out var known) && found.Add(group))
            {
                foreach (var outer in known.Groups)
                {
                    waiting.Push(outer);
                }
            }
        }

        return found;
    }
}
