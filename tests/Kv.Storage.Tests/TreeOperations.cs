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

    public static void AssertTreeIsOf(this IPartitionStore store, IEnumerable<KeyValuePair<string, byte[]>> entries, string context = "")
    {
        var expected = new HashTree();
        foreach (var (key, value) in entries)
        {
            expected.Toggle(HashTree.SegmentOf(EntryHash.OfKey(Bytes.Of(key).Span)), HashTree.LeafHash(HashOf(key, value)));
        }

        var differing = HashTree.Differing(expected, store.Trees.Find(Range) ?? new HashTree());
        Assert.True(differing.Count == 0, $"{context}: the tree differs from the data in {differing.Count} segments");
    }

    private static ulong HashOf(string key, ReadOnlyMemory<byte>? value) =>
        value is { } present ? EntryHash.OfEntry(EntryHash.OfKey(Bytes.Of(key).Span), present.Span) : 0;
}
