namespace Kv.Wire.Access;

/// <summary>Kinds of work that a node can be told not to do for clients (Riak's `cluster.job.riak_kv.*`), since each reads more than a few keys.</summary>
public enum JobClass
{
    ListBuckets,
    StreamListBuckets,
    ListKeys,
    StreamListKeys,
    SecondaryIndex,
    StreamSecondaryIndex,
    MapReduce,
    MapReduceJs,
}
