using System.Runtime.CompilerServices;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Storage.Memory;

/// <summary>
/// One partition in a sorted immutable map. Counts are exact, folds are ordered snapshots, a batch is applied whole. <see cref="Durability"/>
/// has no meaning here: every task is complete when it is returned.
/// </summary>
public sealed class MemoryPartitionStore : IPartitionStore
{
    private readonly MemoryPartitionStores owner;
    private readonly PartitionId partition;
    private readonly MemoryPartitionData data;

    internal MemoryPartitionStore(MemoryPartitionStores owner, PartitionId partition, MemoryPartitionData data, StoreCapabilities capabilities)
    {
        this.owner = owner;
        this.partition = partition;
        this.data = data;
        Capabilities = capabilities;
    }

    public StoreCapabilities Capabilities { get; }

    public int MaxKeyBytes => StoreLimits.MaxKeyBytes;

    public int MaxValueBytes => StoreLimits.DefaultMaxValueBytes;

    public long Birth => data.Birth;

    public long ApproximateCount => data.Map.Count;

    public long ApproximateBytes => data.Bytes;

    public HashTrees Trees => data.Trees;

    public ValueTask ReadAsync(ReadBatch batch, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        ThrowIfClosed();
        var map = data.Map;
        for (var position = 0; position < batch.Count; position++)
        {
            // A copy, because the value belongs to the reader from here on and the map's own must never change.
            batch.SetValue(position, map.TryGetValue(batch.Key(position), out var value) ? (ReadOnlyMemory<byte>?)value.ToArray() : null);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        ThrowIfClosed();
        StoreLimits.Check(batch, MaxKeyBytes, MaxValueBytes);
        var builder = data.Map.ToBuilder();
        var bytes = data.Bytes;
        foreach (var (key, value, _) in batch.Entries)
        {
            if (builder.TryGetValue(key, out var old))
            {
                bytes -= key.Length + old.Length;
                builder.Remove(key);
                data.Segments.Remove(key);
            }

            if (value is { } present)
            {
                ReadOnlyMemory<byte> held = key.ToArray();
                bytes += key.Length + present.Length;
                builder.Add(held, present.ToArray());
                data.Segments.Add(held);
            }
        }

        data.Bytes = bytes;
        data.Map = builder.ToImmutable();
        foreach (var (entry, isAdded) in batch.IndexChanges)
        {
            data.Index = isAdded ? data.Index.Add(entry.ToArray()) : data.Index.Remove(entry);
        }

        data.Trees = data.Trees.After(batch);
        return ValueTask.CompletedTask;
    }

    public async IAsyncEnumerable<StoredEntry> FoldAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        ThrowIfClosed();
        await ValueTask.CompletedTask;
        foreach (var (key, value) in data.Map)
        {
            cancel.ThrowIfCancellationRequested();
            ThrowIfClosed();
            yield return new StoredEntry(key.ToArray(), value.ToArray());
        }
    }

    public ValueTask<ScanStretch> ScanAsync(StoreScan scan, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        ThrowIfClosed();
        var entries = scan.Space == ScanSpace.Index
            ? data.Index.Select(static entry => new StoredEntry(entry.ToArray(), default))
            : data.Map.Select(static pair => new StoredEntry(pair.Key.ToArray(), pair.Value.ToArray()));
        return ValueTask.FromResult(StoreScans.Read(entries, scan));
    }

    public bool HasSegments => true;

    public ValueTask<int?> ReadSegmentsAsync(int from, int until, int enough, List<ReadOnlyMemory<byte>> keys, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        ThrowIfClosed();
        return new ValueTask<int?>(data.Segments.Read(from, until, enough, keys));
    }

    public ValueTask IndexSegmentsAsync(CancellationToken cancel) => ValueTask.CompletedTask;

    public ValueTask DropAsync(CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        ThrowIfClosed();
        owner.Drop(partition, data);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        owner.Close(partition, data);
        return ValueTask.CompletedTask;
    }

    private void ThrowIfClosed() => ObjectDisposedException.ThrowIf(data.IsClosed, this);
}
