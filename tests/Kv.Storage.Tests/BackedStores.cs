using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Storage.Tests;

/// <summary>An engine's stores, with each key in the backend that a rule says, whatever the caller asked for.</summary>
internal sealed class BackedStores(IPartitionStores real, Func<ReadOnlyMemory<byte>, StoreBackend> backendOf) : IPartitionStores
{
    public event Action<PartitionId, string> FoundDamaged
    {
        add => real.FoundDamaged += value;
        remove => real.FoundDamaged -= value;
    }

    public IReadOnlyCollection<PartitionId> Partitions => real.Partitions;

    public IReadOnlyDictionary<PartitionId, string> Damaged => real.Damaged;

    public static StoreBackend Ordered(ReadOnlyMemory<byte> key) => StoreBackend.Ordered;

    public static StoreBackend Mixed(ReadOnlyMemory<byte> key) => EntryHash.OfKey(key.Span) % 2 == 0 ? StoreBackend.Ordered : StoreBackend.Hash;

    public static IPartitionStore Over(IPartitionStore store, Func<ReadOnlyMemory<byte>, StoreBackend> backendOf) => new Store(store, backendOf);

    public ValueTask DiscardAsync(PartitionId partition, CancellationToken cancel) => real.DiscardAsync(partition, cancel);

    public async ValueTask<IPartitionStore> OpenAsync(PartitionId partition, CancellationToken cancel) => new Store(await real.OpenAsync(partition, cancel), backendOf);

    public ValueTask DisposeAsync() => real.DisposeAsync();

    private sealed class Store(IPartitionStore real, Func<ReadOnlyMemory<byte>, StoreBackend> backendOf) : IPartitionStore
    {
        public StoreCapabilities Capabilities => real.Capabilities;

        public int MaxKeyBytes => real.MaxKeyBytes;

        public int MaxValueBytes => real.MaxValueBytes;

        public long Birth => real.Birth;

        public long ApproximateCount => real.ApproximateCount;

        public long ApproximateBytes => real.ApproximateBytes;

        public HashTrees Trees => real.Trees;

        public bool HasSegments => real.HasSegments;

        public async ValueTask ReadAsync(ReadBatch batch, CancellationToken cancel)
        {
            var backed = new ReadBatch();
            for (var position = 0; position < batch.Count; position++)
            {
                backed.Add(batch.Key(position), backendOf(batch.Key(position)));
            }

            await real.ReadAsync(backed, cancel);
            for (var position = 0; position < batch.Count; position++)
            {
                batch.SetValue(position, backed.Value(position));
                if (backed.IsRefused(position))
                {
                    batch.SetRefused(position);
                }
            }
        }

        public ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel)
        {
            var backed = new WriteBatch();
            backed.TakeChangesOf(batch);
            foreach (var entry in batch.Entries)
            {
                backed.Add(entry with { Backend = backendOf(entry.Key) });
            }

            return real.WriteAsync(backed, durability, cancel);
        }

        public IAsyncEnumerable<StoredEntry> FoldAsync(CancellationToken cancel) => real.FoldAsync(cancel);

        public ValueTask<ScanStretch> ScanAsync(StoreScan scan, CancellationToken cancel) => real.ScanAsync(scan, cancel);

        public ValueTask<int?> ReadSegmentsAsync(int from, int until, int enough, List<ReadOnlyMemory<byte>> keys, CancellationToken cancel) =>
            real.ReadSegmentsAsync(from, until, enough, keys, cancel);

        public ValueTask IndexSegmentsAsync(CancellationToken cancel) => real.IndexSegmentsAsync(cancel);

        public ValueTask DropAsync(CancellationToken cancel) => real.DropAsync(cancel);

        public ValueTask DisposeAsync() => real.DisposeAsync();
    }
}
