namespace Kv.Core.Security;

/// <summary>What may be done, as a set. Riak's permissions, by whose names they are stored and shown (<see cref="PermissionNames"/>); the numbers stay in memory.</summary>
[Flags]
public enum Permissions
{
    None = 0,
    Get = 1 << 0,
    Put = 1 << 1,
    Delete = 1 << 2,
    Index = 1 << 3,
    ListKeys = 1 << 4,
    ListBuckets = 1 << 5,
    MapReduce = 1 << 6,
    GetPreflist = 1 << 7,
    GetBucket = 1 << 8,
    SetBucket = 1 << 9,
    GetBucketType = 1 << 10,
    SetBucketType = 1 << 11,

    /// <summary>Search is not served; the two are taken so that scripts written for Riak run.</summary>
    SearchAdmin = 1 << 12,
    SearchQuery = 1 << 13,
}
