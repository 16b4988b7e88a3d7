namespace Kv.Storage.Log;

/// <summary>The log's sizes and times; the engine derives them from <see cref="StorageOptions"/>.</summary>
internal sealed record LogOptions
{
    /// <summary>Size of each segment file; a multiple of 4096, at least 64 KiB.</summary>
    public int SegmentBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Longest wait of a record that nobody waits for.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A buffer's bound; two buffers exist. Appending past it waits for the disk.</summary>
    public int BufferBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Longer payloads are cut into records of this many bytes.</summary>
    public int MaxPayloadBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Makes the next segment ready on another thread; off, it is made when it is needed, so that tests see one order of operations.</summary>
    public bool PrepareAhead { get; init; } = true;

    public static LogOptions ForSegments(int segmentBytes) => new()
    {
        SegmentBytes = segmentBytes,
        BufferBytes = Math.Min(8 * 1024 * 1024, segmentBytes / 4),
        MaxPayloadBytes = Math.Min(4 * 1024 * 1024, segmentBytes / 8),
    };
}
