using Kv.Core.AntiEntropy;

namespace Kv.Storage.Segments;

/// <summary>
/// Keys that came and went since the last run was written, in memory: packed bytes in chains of neighbouring segments, newest first. One writer; once it is full it
/// changes no more and may be read from anywhere.
/// </summary>
internal sealed class KeyDelta
{
    private const int Chains = 4096;
    private const int SegmentsPerChain = HashTree.Segments / Chains;

    private int[]? heads;
    private Change[] changes = [];
    private byte[] bytes = [];
    private int used;

    private record struct Change(int Next, int Segment, int Offset, int Length, bool IsLive);

    public int Count { get; private set; }

    /// <summary>Bytes of keys.</summary>
    public int KeyBytes => used;

    /// <summary>Bytes of memory that it takes.</summary>
    public unsafe long MemoryBytes => bytes.Length + ((long)changes.Length * sizeof(Change)) + (heads is null ? 0 : Chains * sizeof(int));

    public void Add(int segment, ReadOnlySpan<byte> key, bool isLive)
    {
        if (Count == changes.Length)
        {
            Array.Resize(ref changes, Math.Max(64, Count * 2));
        }

        if (used + key.Length > bytes.Length)
        {
            Array.Resize(ref bytes, Math.Max(4096, Math.Max(used + key.Length, bytes.Length * 2)));
        }

        heads ??= new int[Chains];
        ref var head = ref heads[segment / SegmentsPerChain];
        key.CopyTo(bytes.AsSpan(used));
        changes[Count] = new Change(head, segment, used, key.Length, isLive);
        used += key.Length;
        head = ++Count;
    }

    /// <summary>What changed later.</summary>
    public void AddAll(KeyDelta later)
    {
        for (var index = 0; index < later.Count; index++)
        {
            var change = later.changes[index];
            Add(change.Segment, later.bytes.AsSpan(change.Offset, change.Length), change.IsLive);
        }
    }

    /// <summary>Adds the segment's keys with whether each lives; one that is there already is newer and stays.</summary>
    public void Collect(int segment, Dictionary<ReadOnlyMemory<byte>, bool> found)
    {
        for (var at = heads?[segment / SegmentsPerChain] ?? 0; at != 0; at = changes[at - 1].Next)
        {
            var change = changes[at - 1];
            if (change.Segment == segment)
            {
                found.TryAdd(bytes.AsMemory(change.Offset, change.Length), change.IsLive);
            }
        }
    }
}
