namespace Kv.Core.Stores;

/// <summary>
/// The room of a node's data, in bytes: what is free where it lies, what its own files take, and what has to stay free for its stores to go on taking writes. What else lies on that disk is nobody's
/// here: free and used together are what a node's disk is to it.
/// </summary>
public readonly record struct VolumeSpace(long FreeBytes, long UsedBytes, long ReservedBytes)
{
    /// <summary>Of what has no bound.</summary>
    public static VolumeSpace Unbounded { get; } = new(long.MaxValue, 0, 0);

    /// <summary>What is to stay free where 1 / <paramref name="divisor"/> of the disk is, and never less than the stores need.</summary>
    public long SpareBytes(int divisor) => Math.Max(ReservedBytes, (FreeBytes / divisor) + (UsedBytes / divisor));

    /// <summary>Whether so many bytes more leave 1 / <paramref name="divisor"/> of the disk free.</summary>
    public bool Takes(long bytes, int divisor) => FreeBytes - bytes >= SpareBytes(divisor);
}
