using Kv.Core.AntiEntropy;
using Kv.Core.Stores;

namespace Kv.Simulation.Bugs;

/// <summary>A store that is as it should be, but for what a subclass bends.</summary>
internal abstract class BentStore(IPartitionStore real) : IPartitionStore
{
    public StoreCapabilities Capabilities => Real.Capabilities;

    public long Birth => Real.Birth;

    public int MaxKeyBytes => Real.MaxKeyBytes;

    public int MaxValueBytes => Real.MaxValueBytes;

    public long ApproximateCount => Real.ApproximateCount;

    public long ApproximateBytes => Real.ApproximateBytes;

    public long MemoryRoom => Real.MemoryRoom;

    public virtual bool WillForget => Real.WillForget;

    public HashTrees Trees => Real.Trees;

    protected IPartitionStore Real { get; } = real;

    public virtual ValueTask ReadAsync(ReadBatch batch, CancellationToken cancel) => Real.ReadAsync(batch, cancel);

    public virtual ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel) => Real.WriteAsync(batch, durability, cancel);

    public virtual IAsyncEnumerable<StoredEntry> FoldAsync(CancellationToken cancel) => Real.FoldAsync(cancel);

    public ValueTask<ScanStretch> ScanAsync(StoreScan scan, CancellationToken cancel) => Real.ScanAsync(scan, cancel);

    public bool HasSegments => Real.HasSegments;

    public ValueTask<int?> ReadSegmentsAsync(int from, int until, int enough, List<ReadOnlyMemory<byte>> keys, CancellationToken cancel) =>
        Real.ReadSegmentsAsync(from, until, enough, keys, cancel);

    public ValueTask IndexSegmentsAsync(CancellationToken cancel) => Real.IndexSegmentsAsync(cancel);

    public virtual ValueTask DropAsync(CancellationToken cancel) => Real.DropAsync(cancel);

    public ValueTask DisposeAsync() => Real.DisposeAsync();

    /// <summary>The batch with those changes of its index that are wanted.</summary>
    protected static WriteBatch WithIndexChanges(WriteBatch batch, Func<IndexChange, bool> isWanted)
    {
        var bent = new WriteBatch { NewTrees = batch.NewTrees };
        foreach (var entry in batch.Entries)
        {
            bent.Add(entry);
        }

        foreach (var change in batch.TreeChanges)
        {
            bent.Change(change);
        }

        foreach (var change in batch.IndexChanges.Where(isWanted))
        {
            bent.Change(change);
        }

        return bent;
    }

    /// <summary>The batch with each entry as it is made of it; without those of which nothing is made.</summary>
    protected static WriteBatch Bent(WriteBatch batch, Func<int, WriteBatch.Entry, WriteBatch.Entry?> bend)
    {
        var bent = new WriteBatch();
        bent.TakeChangesOf(batch);
        for (var place = 0; place < batch.Count; place++)
        {
            if (bend(place, batch.Entries[place]) is { } entry)
            {
                bent.Add(entry);
            }
        }

        return bent;
    }
}
