namespace Kv.Storage;

/// <summary>What the storage engine has done and holds: plain counters for the node's metrics. Reading is safe from any thread.</summary>
public sealed class StorageStatistics
{
    private long checkpoints;
    private long compactions;
    private long refusals;
    private long logBytes;
    private long storeBytes;
    private long freeBytes;

    /// <summary>Upper bounds of the commit latency's buckets in seconds; one more bucket takes what is above the last.</summary>
    public static IReadOnlyList<double> CommitBucketSeconds { get; } = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

    /// <summary>Gets the time of each group's write and sync, for a histogram of the caller's own; null for none.</summary>
    public Action<TimeSpan>? OnCommit { get; set; }

    /// <summary>Checkpoints completed.</summary>
    public long Checkpoints => Interlocked.Read(ref checkpoints);

    /// <summary>Compaction passes completed.</summary>
    public long Compactions => Interlocked.Read(ref compactions);

    /// <summary>Writes refused because the disk was nearly full or the log at its cap.</summary>
    public long Refusals => Interlocked.Read(ref refusals);

    /// <summary>Bytes of the log's segments.</summary>
    public long LogBytes => Interlocked.Read(ref logBytes);

    /// <summary>Bytes of the stores' records, live and dead, in memory and on disk.</summary>
    public long StoreBytes => Interlocked.Read(ref storeBytes);

    /// <summary>Bytes free on the volume.</summary>
    public long FreeBytes => Interlocked.Read(ref freeBytes);

    internal void Committed(TimeSpan took) => OnCommit?.Invoke(took);

    internal void Checkpointed() => Interlocked.Increment(ref checkpoints);

    internal void Compacted() => Interlocked.Increment(ref compactions);

    internal void Refused() => Interlocked.Increment(ref refusals);

    internal void Measured(long log, long stores, long free)
    {
        Interlocked.Exchange(ref logBytes, log);
        Interlocked.Exchange(ref storeBytes, stores);
        Interlocked.Exchange(ref freeBytes, free);
    }
}
