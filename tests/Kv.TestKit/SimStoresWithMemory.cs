using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Memory;

namespace Kv.TestKit;

/// <summary>
/// The stores of one incarnation as production composes them: keys of <see cref="StoreBackend.Memory"/> beside what is on the volume. Notes for the volume what is in memory, so that who looks at a
/// node from outside sees that too, and when it is forgotten.
/// </summary>
internal sealed class SimStoresWithMemory(SimVolume volume, IPartitionStores disk, long roomBytes) : IPartitionStores
{
    private readonly StoresWithMemory real = new(disk, new MemoryRoom(roomBytes));

    public IReadOnlyCollection<PartitionId> Partitions => real.Partitions;

    public VolumeSpace Space => real.Space;

    public IReadOnlyDictionary<PartitionId, string> Damaged => real.Damaged;

    public event Action<PartitionId, string> FoundDamaged
    {
        add => real.FoundDamaged += value;
        remove => real.FoundDamaged -= value;
    }

    public ValueTask DiscardAsync(PartitionId partition, CancellationToken cancel) => real.DiscardAsync(partition, cancel);

    public async ValueTask<IPartitionStore> OpenAsync(PartitionId partition, CancellationToken cancel) => new Store(volume, partition, await real.OpenAsync(partition, cancel));

    public ValueTask DisposeAsync() => real.DisposeAsync();

    private sealed class Store(SimVolume volume, PartitionId partition, IPartitionStore real) : IPartitionStore
    {
        public StoreCapabilities Capabilities => real.Capabilities;

        public long Birth => real.Birth;

        public int MaxKeyBytes => real.MaxKeyBytes;

        public int MaxValueBytes => real.MaxValueBytes;

        public long ApproximateCount => real.ApproximateCount;

        public long ApproximateBytes => real.ApproximateBytes;

        public long MemoryRoom => real.MemoryRoom;

        public bool WillForget => real.WillForget;

        public HashTrees Trees => real.Trees;

        public bool HasSegments => real.HasSegments;

        public ValueTask ReadAsync(ReadBatch batch, CancellationToken cancel) => real.ReadAsync(batch, cancel);

        public ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel)
        {
            var done = real.WriteAsync(batch, durability, cancel);
            if (batch.HasMemory)
            {
                volume.Remember(partition, batch);
            }

            return done;
        }

        public IAsyncEnumerable<StoredEntry> FoldAsync(CancellationToken cancel) => real.FoldAsync(cancel);

        public ValueTask<ScanStretch> ScanAsync(StoreScan scan, CancellationToken cancel) => real.ScanAsync(scan, cancel);

        public ValueTask<int?> ReadSegmentsAsync(int from, int until, int enough, List<ReadOnlyMemory<byte>> keys, CancellationToken cancel) =>
            real.ReadSegmentsAsync(from, until, enough, keys, cancel);

        public ValueTask IndexSegmentsAsync(CancellationToken cancel) => real.IndexSegmentsAsync(cancel);

        public async ValueTask DropAsync(CancellationToken cancel)
        {
            await real.DropAsync(cancel);
            volume.DropMemory(partition);
        }

        public async ValueTask DisposeAsync()
        {
            volume.ForgetMemory(partition);
            await real.DisposeAsync();
        }
    }
}
