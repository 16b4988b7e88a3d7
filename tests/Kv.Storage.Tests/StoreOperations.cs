using Kv.Core.Stores;

namespace Kv.Storage.Tests;

/// <summary>One-key operations on a store, as tests like to say them.</summary>
internal static class StoreOperations
{
    public static async Task PutAsync(this IPartitionStore store, string key, ReadOnlyMemory<byte> value, Durability durability = Durability.Synced)
    {
        var batch = new WriteBatch();
        batch.Put(Bytes.Of(key), value);
        await store.WriteAsync(batch, durability, CancellationToken.None);
    }

    public static Task PutAsync(this IPartitionStore store, string key, string value, Durability durability = Durability.Synced) =>
        store.PutAsync(key, Bytes.Of(value), durability);

    public static async Task RemoveAsync(this IPartitionStore store, string key)
    {
        var batch = new WriteBatch();
        batch.Remove(Bytes.Of(key));
        await store.WriteAsync(batch, Durability.Synced, CancellationToken.None);
    }

    public static async Task<ReadOnlyMemory<byte>?> GetAsync(this IPartitionStore store, string key)
    {
        var batch = new ReadBatch();
        batch.Add(Bytes.Of(key));
        await store.ReadAsync(batch, CancellationToken.None);
        return batch.Value(0);
    }

    /// <summary>The keys that a scan gives, page by page.</summary>
    public static async Task<List<string>> ScanAllAsync(this IPartitionStore store, ScanSpace space, string from, string until, int page = 1000)
    {
        var keys = new List<string>();
        var next = Bytes.Of(from);
        while (true)
        {
            var (entries, isLast) = await store.ScanAsync(new StoreScan(space, next, Bytes.Of(until), page, int.MaxValue), CancellationToken.None);
            Assert.True(isLast || entries.Count == page);
            keys.AddRange(entries.Select(entry => Bytes.Text(entry.Key)));
            if (isLast)
            {
                return keys;
            }

            next = (byte[])[.. entries[^1].Key.Span, 0];
        }
    }

    public static async Task<string?> GetTextAsync(this IPartitionStore store, string key) =>
        await store.GetAsync(key) is { } value ? Bytes.Text(value) : null;

    /// <summary>Everything a fold gives; a key that comes twice fails the test.</summary>
    public static async Task<SortedDictionary<string, byte[]>> FoldAllAsync(this IPartitionStore store)
    {
        var all = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        await foreach (var (key, value) in store.FoldAsync(CancellationToken.None))
        {
            Assert.True(all.TryAdd(Convert.ToHexString(key.Span), value.ToArray()), $"key {Bytes.Text(key)} came twice");
        }

        return all;
    }
}
