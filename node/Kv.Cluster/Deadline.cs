namespace Kv.Cluster;

/// <summary>
/// The moment by which a request must be answered, on this node's monotonic clock. It travels as the time that is left, so that nodes need not
/// agree on what time it is.
/// </summary>
public readonly record struct Deadline(long Timestamp)
{
    public static Deadline After(TimeProvider time, TimeSpan left) =>
        new(time.GetTimestamp() + (long)(left.TotalSeconds * time.TimestampFrequency));

    /// <summary>Never negative.</summary>
    public TimeSpan Left(TimeProvider time)
    {
        var left = time.GetElapsedTime(time.GetTimestamp(), Timestamp);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    public bool HasPassed(TimeProvider time) => time.GetTimestamp() >= Timestamp;
}
