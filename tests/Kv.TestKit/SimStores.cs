using System.Runtime.CompilerServices;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.TestKit;

/// <summary>The stores of one incarnation on its volume.</summary>
internal sealed class SimStores(SimVolume volume, SimContext context) : IPartitionStores
{
    public IReadOnlyCollection<PartitionId> Partitions => [.. volume.Data.Where(pair => !pair.Value.IsDropped && !volume.Reported.ContainsKey(pair.Key)).Select(pair => pair.Key)];

    public VolumeSpace Space => new(volume.FreeBytes, volume.UsedBytes, volume.ReservedBytes);

    public IReadOnlyDictionary<PartitionId, string> Damaged => volume.Reported;

    public event Action<PartitionId, string>? FoundDamaged;

    public async ValueTask DiscardAsync(PartitionId partition, CancellationToken cancel)
    {
        if (!volume.Reported.ContainsKey(partition))
        {
            throw new InvalidOperationException($"partition {partition} is not damaged");
        }

        if (volume.RefusesDrops)
        {
            throw new StoreRefusedException("the simulated log has no room");
        }

        await Task.Delay(volume.SyncTime, context.Time, cancel);
        if (!volume.Reported.Remove(partition))
        {
            throw new InvalidOperationException($"partition {partition} was given up meanwhile");
        }

        volume.Data.Remove(partition);
        volume.Damaged = volume.Damaged == partition ? null : volume.Damaged;
    }

    public async ValueTask<IPartitionStore> OpenAsync(PartitionId partition, CancellationToken cancel)
    {
        ThrowIfReported(partition);
        volume.Opening++;
        volume.MostOpening = Math.Max(volume.MostOpening, volume.Opening);
        await Task.Delay(volume.SyncTime, context.Time, cancel);
        volume.Opening--;
        if (volume.Broken == partition)
        {
            throw new StoreException("the simulated store cannot be opened");
        }

        if (volume.Damaged == partition)
        {
            volume.Reported.TryAdd(partition, "the simulated store is damaged");
        }

        if (!volume.Data.TryGetValue(partition, out var data) || data.IsDropped)
        {
            volume.Data[partition] = data = new SimPartition(++volume.Births);
        }

        if (data.IsRotten)
        {
            volume.Reported.TryAdd(partition, $"partition {partition}: a checksum is wrong");
        }

        ThrowIfReported(partition);

        if (data.IsOpen)
        {
            throw new InvalidOperationException($"the store of partition {partition} is open already");
        }

        data.IsOpen = true;
        return new Store(this, volume, context, partition, data);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void ThrowIfReported(PartitionId partition)
    {
        if (volume.Reported.TryGetValue(partition, out var reason))
        {
            throw new StoreDamagedException(reason);
        }
    }

    private void CloseDamaged(PartitionId partition, SimPartition data, string reason)
    {
        data.Close();
        if (volume.Reported.TryAdd(partition, reason))
        {
            FoundDamaged?.Invoke(partition, reason);
        }
    }

    private sealed class Store(SimStores stores, SimVolume volume, SimContext context, PartitionId partition, SimPartition data) : IPartitionStore
    {
        private Task lastSync = Task.CompletedTask;
        private bool hasFailed;
        private bool isDamaged;

        public StoreCapabilities Capabilities => StoreCapabilities.OrderedScan | StoreCapabilities.AtomicBatch | StoreCapabilities.Snapshot | StoreCapabilities.Durable;

        public int MaxKeyBytes => volume.MostKeyBytes;

        public int MaxValueBytes => volume.MostValueBytes;

        public long Birth => data.Birth;

        public long ApproximateCount => data.Seen.Count;

        public long ApproximateBytes => data.Seen.Sum(pair => pair.Key.Length + pair.Value.Length);

        public HashTrees Trees => data.Trees;

        public ValueTask ReadAsync(ReadBatch batch, CancellationToken cancel)
        {
            ThrowIfUnusable();
            if (volume.RefusesReads)
            {
                throw new StoreRefusedException("there is no simulated memory");
            }

            if (volume.RunsOutOfMemory)
            {
                throw new InsufficientMemoryException();
            }

            for (var position = 0; position < batch.Count; position++)
            {
                var isThere = data.Seen.TryGetValue(batch.Key(position).ToArray(), out var value);
                ThrowIfRotten(value);
                if (isThere && value!.Length > volume.LongestRead)
                {
                    batch.SetRefused(position);
                    continue;
                }

                batch.SetValue(position, isThere ? value : default(ReadOnlyMemory<byte>?));
                if (isThere && batch.Backend(position) == StoreBackend.Ordered && !data.IsOrderedValue(value!))
                {
                    batch.SetMisplaced(position);
                }
            }

            return ValueTask.CompletedTask;
        }

        public ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel)
        {
            ThrowIfUnusable();
            if (volume.IsFull)
            {
                throw new StoreRefusedException("the simulated disk is nearly full");
            }

            foreach (var (key, value, _) in batch.Entries)
            {
                if (key.Length > MaxKeyBytes || value is { Length: var length } && length > MaxValueBytes)
                {
                    throw new ArgumentException("a key or value is too long", nameof(batch));
                }
            }

            data.Apply(batch);
            volume.OnWrite?.Invoke(batch);
            if (durability != Durability.Synced)
            {
                _ = SyncLazilyAsync(data.Applied);
                return ValueTask.CompletedTask;
            }

            lastSync = SyncAsync(data.Applied, lastSync);
            return new ValueTask(lastSync);
        }

        public async IAsyncEnumerable<StoredEntry> FoldAsync([EnumeratorCancellation] CancellationToken cancel)
        {
            volume.OpenFolds++;
            try
            {
                foreach (var (key, value) in data.Seen)
                {
                    cancel.ThrowIfCancellationRequested();
                    await Task.Yield();
                    ThrowIfUnusable();
                    ThrowIfRotten(value);
                    yield return new StoredEntry(key, value);
                }
            }
            finally
            {
                volume.OpenFolds--;
            }
        }

        public async ValueTask<ScanStretch> ScanAsync(StoreScan scan, CancellationToken cancel)
        {
            await Task.Yield();
            if (volume.MostSyncTime > SimVolume.UsualSyncTime)
            {
                await Task.Delay(volume.SyncTime, context.Time, cancel);
            }

            ThrowIfUnusable();
            if (scan.Space == ScanSpace.Index)
            {
                return StoreScans.Read(data.Index.Select(static entry => new StoredEntry(entry, default)), scan);
            }

            var stretch = StoreScans.Read(data.Seen.Select(static pair => new StoredEntry(pair.Key, pair.Value)), scan);
            foreach (var entry in stretch.Entries)
            {
                ThrowIfRotten(data.Seen[entry.Key.ToArray()]);
            }

            return stretch;
        }

        public bool HasSegments => data.HasSegments;

        public ValueTask<int?> ReadSegmentsAsync(int from, int until, int enough, List<ReadOnlyMemory<byte>> keys, CancellationToken cancel)
        {
            ThrowIfUnusable();
            return new ValueTask<int?>(HasSegments ? data.ReadSegments(from, until, enough, keys) : null);
        }

        public async ValueTask IndexSegmentsAsync(CancellationToken cancel)
        {
            await foreach (var entry in FoldAsync(cancel))
            {
                // Only the time it takes.
                _ = entry;
            }

            data.HasSegments = true;
        }

        public async ValueTask DropAsync(CancellationToken cancel)
        {
            ThrowIfUnusable();
            if (volume.RefusesDrops)
            {
                throw new StoreRefusedException("the simulated log has no room");
            }

            volume.OnDrop?.Invoke(partition, data.Seen);
            await Task.Delay(volume.SyncTime, context.Time, cancel);
            data.IsDropped = true;
            data.IsOpen = false;
        }

        public async ValueTask DisposeAsync()
        {
            await lastSync;
            if (!isDamaged)
            {
                data.Close();
            }
        }

        /// <summary>Nobody waits: it goes to disk with the next sync, or by itself some time later.</summary>
        private async Task SyncLazilyAsync(long write)
        {
            await Task.Delay(volume.MostIdleTime * volume.Scheduler.Random.NextDouble(), context.Time);
            if (!data.IsDropped)
            {
                data.SyncUpTo(write);
            }
        }

        private async Task SyncAsync(long write, Task before)
        {
            var time = volume.SyncTime;
            await before;
            await Task.Delay(time, context.Time);
            if (volume.FailSyncs)
            {
                hasFailed = true;
                throw new StoreException("the simulated disk failed to sync");
            }

            data.SyncUpTo(write);
        }

        private void ThrowIfRotten(byte[]? value)
        {
            if (value is not null && data.IsRottenValue(value))
            {
                isDamaged = true;
                stores.CloseDamaged(partition, data, "a checksum is wrong");
                throw new StoreDamagedException("a checksum is wrong");
            }
        }

        private void ThrowIfUnusable()
        {
            if (isDamaged)
            {
                throw new StoreDamagedException("a checksum was wrong");
            }

            if (hasFailed)
            {
                throw new StoreException("the store failed before");
            }

            ObjectDisposedException.ThrowIf(!data.IsOpen, this);
        }
    }
}
