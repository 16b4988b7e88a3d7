using Kv.Core.AntiEntropy;
using Kv.Core.Stores;

namespace Kv.Storage.Memory;

/// <summary>A partition's keys by segment. Belongs to the store's one caller.</summary>
internal sealed class MemorySegments
{
    private readonly Dictionary<int, HashSet<ReadOnlyMemory<byte>>> segments = [];

    public void Add(ReadOnlyMemory<byte> key)
    {
        var segment = SegmentOf(key);
        if (!segments.TryGetValue(segment, out var keys))
        {
            segments.Add(segment, keys = new HashSet<ReadOnlyMemory<byte>>(KeyBytesComparer.Instance));
        }

        keys.Add(key);
    }

    public void Remove(ReadOnlyMemory<byte> key)
    {
        var segment = SegmentOf(key);
        if (segments.TryGetValue(segment, out var keys) && keys.Remove(key) && keys.Count == 0)
        {
            segments.Remove(segment);
        }
    }

    public int Read(int from, int until, int enough, List<ReadOnlyMemory<byte>> found)
    {
        for (var before = found.Count; from < until && found.Count - before < enough; from++)
        {
            if (segments.TryGetValue(from, out var keys))
            {
                found.AddRange(keys);
            }
        }

        return from;
    }

    private static int SegmentOf(ReadOnlyMemory<byte> key) => HashTree.SegmentOf(EntryHash.OfKey(key.Span));
}
