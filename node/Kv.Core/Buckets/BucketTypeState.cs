namespace Kv.Core.Buckets;

/// <summary>The life of a bucket type (riak_core_bucket_type). `ready` is not stored: it is `created` seen by every member. Persisted: append only.</summary>
public enum BucketTypeState
{
    /// <summary>In the cluster document, does not exist for clients yet, may still be created anew with other properties.</summary>
    Created = 0,

    /// <summary>In use; properties that may change, change by update.</summary>
    Active = 1,
}
