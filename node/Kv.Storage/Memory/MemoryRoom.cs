namespace Kv.Storage.Memory;

/// <summary>What all stores of a node may keep in memory alone, and how much they do. Safe from any thread.</summary>
/// <param name="bytes">The bound.</param>
public sealed class MemoryRoom(long bytes)
{
    /// <summary>What a record takes beside its key and value: its places in two sorted collections, and their headers.</summary>
    public const int RecordOverhead = 320;

    private long used;

    public long Bytes { get; } = bytes;

    public long Used => Interlocked.Read(ref used);

    /// <summary>Negative where turns of several stores took the last of it at one time.</summary>
    public long Left => Bytes - Used;

    internal void Add(long taken) => Interlocked.Add(ref used, taken);
}
