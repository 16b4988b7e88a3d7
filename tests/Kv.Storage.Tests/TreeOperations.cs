using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Storage.Tests;

/// <summary>Writes that keep a store's tree in step with its data, as a vnode's do, and the look whether it is.</summary>
internal static class TreeOperations
{
    public static TreeRange Range { get; } = new(new PartitionId(5), 3);

    /// <summary>Writes or removes (null) a key, with what that does to the tree.</summary>
    public static async Task PutTrackedAsync(this IPartitionStore store, string key, ReadOnlyMemory<byte>? value, Durability durability = Durability.Synced)
    {
        var before = await store.GetAsync(key);
        var batch = new WriteBatch();
        if (value is { } present)
        {
            batch.Put(Bytes.Of(key), present);
        }
        else
        {
            batch.Remove(Bytes.Of(key));
        }

        batch.Change(TreeChange.Of(Range, EntryHash.OfKey(Bytes.Of(key).Span), HashOf(key, before), HashOf(key, value)));
        await store.WriteAsync(batch, durability, CancellationToken.None);
    }

    /// <summary>Puts a tree of the depth, made of what the store holds of the keys, in the place of the store's.</summary>
    public static async Task RebuildTreeAsync(this IPartitionStore store, IEnumerable<string> keys, int depth)
    {
        var built = new HashTrees { FirstDepth = depth };
        foreach (var key in keys)
        {
            built.Apply(TreeChange.Of(Range, EntryHash.OfKey(Bytes.Of(key).Span), 0, HashOf(key, await store.GetAsync(key))));
        }

        await store.WriteAsync(new WriteBatch { NewTrees = built }, Durability.Synced, CancellationToken.None);
    }

    public static void AssertTreeIsOf(this IPartitionStore store, IEnumerable<KeyValuePair<string, byte[]>> entries, string context = "")
    {
        var held = store.Trees.Find(Range) ?? new HashTree();
        var expected = new HashTree(held.Depth);
        foreach (var (key, value) in entries)
        {
            expected.Toggle(HashTree.PlaceOf(EntryHash.OfKey(Bytes.Of(key).Span)), HashTree.LeafHash(HashOf(key, value)));
        }

        var differing = HashTree.Differing(expected, held);
        Assert.True(differing.Count == 0, $"{context}: the tree differs from the data in {differing.Count} leaves");
    }

    /// <summary>The store finds exactly these keys by their segments, and no segment in two parts.</summary>
    public static async Task AssertSegmentsAreOfAsync(this IPartitionStore store, IEnumerable<string> expected, int enough = 7, string context = "")
    {
        Assert.True(store.HasSegments, $"{context}: the store does not know its keys by segment");
        var found = new SortedSet<string>(StringComparer.Ordinal);
        for (var from = 0; from < HashTree.Segments;)
        {
            var keys = new List<ReadOnlyMemory<byte>>();
            var next = await store.ReadSegmentsAsync(from, HashTree.Segments, enough, keys, CancellationToken.None);
            Assert.NotNull(next);
            foreach (var key in keys)
            {
                Assert.InRange(HashTree.SegmentOf(EntryHash.OfKey(key.Span)), from, next.Value - 1);
                Assert.True(found.Add(Bytes.Text(key)), $"{context}: {Bytes.Text(key)} came twice");
            }

            from = next.Value;
        }

        Assert.Equal(expected.Order(StringComparer.Ordinal), found);
    }

    private static ulong HashOf(string key, ReadOnlyMemory<byte>? value) =>
        value is { } present ? EntryHash.OfEntry(EntryHash.OfKey(Bytes.Of(key).Span), present.Span) : 0;
}
