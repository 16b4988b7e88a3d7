using System.Collections.Immutable;

namespace Kv.Core.Security;

/// <summary>Riak's names of permissions: the application's and the permission's (riak_kv and riak_core's `permissions`; reference 11.3). Stored and sent: append only.</summary>
public static class PermissionNames
{
    private static readonly ImmutableArray<(Permissions Permission, string Name)> Table =
    [
        (Permissions.Get, "riak_kv.get"),
        (Permissions.Put, "riak_kv.put"),
        (Permissions.Delete, "riak_kv.delete"),
        (Permissions.Index, "riak_kv.index"),
        (Permissions.ListKeys, "riak_kv.list_keys"),
        (Permissions.ListBuckets, "riak_kv.list_buckets"),
        (Permissions.MapReduce, "riak_kv.mapreduce"),
        (Permissions.GetPreflist, "riak_kv.get_preflist"),
        (Permissions.GetBucket, "riak_core.get_bucket"),
        (Permissions.SetBucket, "riak_core.set_bucket"),
        (Permissions.GetBucketType, "riak_core.get_bucket_type"),
        (Permissions.SetBucketType, "riak_core.set_bucket_type"),
        (Permissions.SearchAdmin, "riak_search.admin"),
        (Permissions.SearchQuery, "riak_search.query"),
    ];

    /// <summary>All names, in the order that listings have.</summary>
    public static ImmutableArray<string> All { get; } = [.. Table.Select(entry => entry.Name)];

    public static ImmutableArray<string> Of(Permissions permissions) => [.. Table.Where(entry => permissions.HasFlag(entry.Permission)).Select(entry => entry.Name)];

    /// <summary>The set of these names; false with the first that is none.</summary>
    public static bool TryRead(IEnumerable<string> names, out Permissions permissions, out string unknown)
    {
        (permissions, unknown) = (Permissions.None, "");
        foreach (var name in names)
        {
            var at = All.IndexOf(name);
            if (at < 0)
            {
                unknown = name;
                return false;
            }

            permissions |= Table[at].Permission;
        }

        return true;
    }
}
