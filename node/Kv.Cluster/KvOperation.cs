namespace Kv.Cluster;

/// <summary>What requests are counted by.</summary>
public enum KvOperation
{
    Get = 0,
    Put = 1,
    Delete = 2,
    ListKeys = 3,
    ListBuckets = 4,
    QueryIndex = 5,
    MapReduce = 6,
}
