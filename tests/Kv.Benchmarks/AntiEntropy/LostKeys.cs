using System.Text;
using Kv.Benchmarks.Targets;
using Kv.Core.AntiEntropy;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage;

namespace Kv.Benchmarks.AntiEntropy;

/// <summary>Takes keys out of a stopped node's store.</summary>
internal static class LostKeys
{
    private const int BatchKeys = 100;

    /// <summary>As if the keys' writes had never reached the vnode <paramref name="first"/> + 2, the last of the keys' three.</summary>
    public static async Task RemoveAsync(string directory, PartitionId first, int ringSize, IReadOnlyList<string> keys)
    {
        var range = new TreeRange(first, 3);
        await using var engine = StorageEngine.Open(new StorageOptions { Directory = directory }, failure => Console.Error.WriteLine(failure.Message), runsUpkeep: false);
        await using var store = await engine.OpenAsync(new PartitionId((first.Number + 2) % ringSize), CancellationToken.None);
        foreach (var few in keys.Chunk(BatchKeys))
        {
            var reads = new ReadBatch();
            foreach (var key in few)
            {
                reads.Add(ObjectKeyCodec.Encode(ObjectKey.DefaultType, ClientTarget.Bucket, Encoding.UTF8.GetBytes(key)));
            }

            await store.ReadAsync(reads, CancellationToken.None);
            var writes = new WriteBatch();
            for (var position = 0; position < reads.Count; position++)
            {
                var key = reads.Key(position);
                var value = reads.Value(position) ?? throw new InvalidOperationException($"{few[position]} is not there to be lost");
                var hash = EntryHash.OfKey(key.Span);
                writes.Remove(key);
                writes.Change(TreeChange.Of(range, hash, EntryHash.OfEntry(hash, value.Span), 0));
            }

            await store.WriteAsync(writes, Durability.Synced, CancellationToken.None);
        }
    }
}
