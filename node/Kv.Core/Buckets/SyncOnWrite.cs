namespace Kv.Core.Buckets;

/// <summary>
/// Riak's `sync_on_write`: whose disk has a write before it counts as durable. Where <see cref="BucketProps.Durability"/> is <see cref="Stores.Durability.Synced"/> that is everybody's anyway. Persisted: append only.
/// </summary>
public enum SyncOnWrite
{
    /// <summary>As the bucket's durability says.</summary>
    Backend = 0,

    /// <summary>The coordinator's.</summary>
    One = 1,

    /// <summary>Each replica's.</summary>
    All = 2,
}
