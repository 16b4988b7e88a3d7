namespace Kv.Core.Buckets;

/// <summary>Riak's `sync_on_write`. Kept for what it says to clients; a put's <c>dw</c> is always synced where durability is. Persisted: append only.</summary>
public enum SyncOnWrite
{
    Backend = 0,
    One = 1,
    All = 2,
}
