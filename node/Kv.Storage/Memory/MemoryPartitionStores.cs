using System.Collections.Immutable;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Storage.Memory;

/// <summary>
/// A node's stores in memory: for caches, for the simulator, and the model that the durable engine is tested against. It starts no thread
/// and every call completes before it returns. A store that is closed and opened again has its data as long as this object lives, so
/// a simulated node may restart on it; a new object is an empty volume.
/// </summary>
/// <param name="capabilities">What the stores claim; the simulator adds <see cref="StoreCapabilities.Durable"/>, as its volumes outlive its processes.</param>
public sealed class MemoryPartitionStores(StoreCapabilities capabilities = MemoryPartitionStores.OwnCapabilities) : IPartitionStores
{
    /// <summary>What a sorted, immutable map can do.</summary>
    public const StoreCapabilities OwnCapabilities = StoreCapabilities.OrderedScan | StoreCapabilities.AtomicBatch | StoreCapabilities.Snapshot;

    // Guards the three below: vnodes open, close and drop on threads of their own.
    private readonly Lock gate = new();
    private readonly SortedDictionary<PartitionId, MemoryPartitionData> data = [];
    private readonly HashSet<PartitionId> open = [];
    private long births;

    public IReadOnlyCollection<PartitionId> Partitions
    {
        get
        {
            lock (gate)
            {
                return data.Keys.ToArray();
            }
        }
    }

    /// <summary>None: memory does not rot.</summary>
    public IReadOnlyDictionary<PartitionId, string> Damaged => ImmutableDictionary<PartitionId, string>.Empty;

    public event Action<PartitionId, string> FoundDamaged
    {
        add
        {
            // Nobody is ever told.
        }

        remove
        {
        }
    }

    public ValueTask DiscardAsync(PartitionId partition, CancellationToken cancel) => throw new InvalidOperationException($"The store of partition {partition} is not damaged.");

    public ValueTask<IPartitionStore> OpenAsync(PartitionId partition, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        lock (gate)
        {
            if (!open.Add(partition))
            {
                throw new InvalidOperationException($"The store of partition {partition} is open already.");
            }

            if (!data.TryGetValue(partition, out var existing))
            {
                data[partition] = existing = new MemoryPartitionData { Birth = ++births };
            }

            return ValueTask.FromResult<IPartitionStore>(new MemoryPartitionStore(this, partition, existing, capabilities));
        }
    }

    /// <summary>As when the process dies: every store closes, what was written stays. A store from before serves nothing more.</summary>
    public void CloseAll()
    {
        lock (gate)
        {
            foreach (var partition in data.Keys.ToArray())
            {
                data[partition] = data[partition].Reopened();
            }

            open.Clear();
        }
    }

    public ValueTask DisposeAsync()
    {
        CloseAll();
        return ValueTask.CompletedTask;
    }

    internal void Close(PartitionId partition, MemoryPartitionData closing)
    {
        lock (gate)
        {
            if (data.TryGetValue(partition, out var current) && ReferenceEquals(current, closing))
            {
                data[partition] = closing.Reopened();
                open.Remove(partition);
            }
        }
    }

    internal void Drop(PartitionId partition, MemoryPartitionData dropping)
    {
        lock (gate)
        {
            if (data.TryGetValue(partition, out var current) && ReferenceEquals(current, dropping))
            {
                data.Remove(partition);
                open.Remove(partition);
                dropping.Reopened();
            }
        }
    }
}
