namespace Kv.Wire.Riak.Http;

/// <summary>What a path names.</summary>
internal enum RiakResource
{
    Unknown,
    Root,
    Ping,
    Stats,

    /// <summary>The buckets of a type: `/buckets`, `/types/T/buckets`, `/riak`.</summary>
    Buckets,

    /// <summary>A type's properties: `/types/T/props`.</summary>
    TypeProps,

    /// <summary>A bucket's properties: `…/buckets/B/props`.</summary>
    BucketProps,

    /// <summary>A bucket's keys, to list or to post to: `…/buckets/B/keys`.</summary>
    Keys,

    /// <summary>Properties and keys in one, the old way: `/riak/B`.</summary>
    OldBucket,

    Object,

    /// <summary>The objects that an object's links lead to: `…/buckets/B/keys/K/B2,T,KEEP/…`.</summary>
    LinkWalk,

    /// <summary>The nodes of a key: `…/buckets/B/keys/K/preflist`.</summary>
    Preflist,

    /// <summary>A key's data type: `…/buckets/B/datatypes/K`.</summary>
    DataType,

    /// <summary>A counter of Riak 1.4: `/buckets/B/counters/K`.</summary>
    Counter,

    /// <summary>A query of an index: `…/buckets/B/index/F/V` or `…/V/V2`.</summary>
    Index,

    /// <summary>MapReduce jobs, to post to: `/mapred`.</summary>
    MapReduce,

    /// <summary>To post to, for a key that the node makes: `…/buckets/B/datatypes`.</summary>
    DataTypes,
}
