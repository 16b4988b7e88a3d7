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
