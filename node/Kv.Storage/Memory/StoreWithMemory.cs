using System.Runtime.CompilerServices;
using Kv.Core.AntiEntropy;
using Kv.Core.Stores;

namespace Kv.Storage.Memory;

/// <summary>
/// A partition's store and, beside it, its keys of <see cref="StoreBackend.Memory"/>. Trees of volatile ranges are changed in the store's own and never logged, so that after a restart they are as
/// empty as the memory. A key that was written by hash, before its type was known here, is found there, and the next write moves it.
/// </summary>
internal sealed class StoreWithMemory(IPartitionStore store, IPartitionStore memory, MemoryRoom room) : IPartitionStore
{
    private long used;
    private int isReleased;
    private volatile bool willForget;

    public StoreCapabilities Capabilities => store.Capabilities;

    public int MaxKeyBytes => store.MaxKeyBytes;

    public int MaxValueBytes => store.MaxValueBytes;

    public long Birth => store.Birth;

    public long ApproximateCount => store.ApproximateCount + memory.ApproximateCount;

    public long ApproximateBytes => store.ApproximateBytes + memory.ApproximateBytes;

    public long MemoryRoom => room.Left;

    public bool WillForget => willForget;

    public HashTrees Trees => store.Trees;

    public bool HasSegments => store.HasSegments;

    public async ValueTask ReadAsync(ReadBatch batch, CancellationToken cancel)
    {
        if (!batch.HasMemory)
        {
            await store.ReadAsync(batch, cancel);
            return;
        }

        await memory.ReadAsync(batch, cancel);
        var (rest, places) = (new ReadBatch(), new List<int>());
        for (var position = 0; position < batch.Count; position++)
        {
            var isMemory = batch.Backend(position) == StoreBackend.Memory;
            if (!isMemory || batch.Value(position) is null)
            {
                rest.Add(batch.Key(position), isMemory ? StoreBackend.Hash : batch.Backend(position));
                places.Add(position);
            }
        }

        await store.ReadAsync(rest, cancel);
        for (var index = 0; index < places.Count; index++)
        {
            TakeOver(rest, index, batch, places[index]);
        }
    }

    public ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        if (!batch.HasMemory)
        {
            return store.WriteAsync(batch, durability, cancel);
        }

        StoreLimits.Check(batch, MaxKeyBytes, MaxValueBytes);
        var (lasting, volatileOnes) = Parted(batch);
        var done = lasting.Count > 0 || lasting.ChangesTrees ? store.WriteAsync(lasting, durability, cancel) : default;
        Apply(volatileOnes);
        return done;
    }

    public async IAsyncEnumerable<StoredEntry> FoldAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        // In this order, since keys move from there to memory while it is read, and what is on disk is worth more to whoever breaks off.
        await foreach (var entry in store.FoldAsync(cancel))
        {
            yield return entry;
        }

        await foreach (var entry in memory.FoldAsync(cancel))
        {
            yield return entry;
        }
    }

    public ValueTask<ScanStretch> ScanAsync(StoreScan scan, CancellationToken cancel) => store.ScanAsync(scan, cancel);

    public async ValueTask<int?> ReadSegmentsAsync(int from, int until, int enough, List<ReadOnlyMemory<byte>> keys, CancellationToken cancel)
    {
        // As far as there are enough of either.
        var most = await memory.ReadSegmentsAsync(from, until, enough, [], cancel) ?? until;
        if (await store.ReadSegmentsAsync(from, most, enough, keys, cancel) is not { } next)
        {
            return null;
        }

        return await memory.ReadSegmentsAsync(from, next, int.MaxValue, keys, cancel);
    }

    public ValueTask IndexSegmentsAsync(CancellationToken cancel) => store.IndexSegmentsAsync(cancel);

    public async ValueTask DropAsync(CancellationToken cancel)
    {
        await store.DropAsync(cancel);
        await ReleaseAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await ReleaseAsync();
        await store.DisposeAsync();
    }

    private static void TakeOver(ReadBatch rest, int index, ReadBatch batch, int position)
    {
        batch.SetValue(position, rest.Value(index));
        if (rest.IsRefused(index))
        {
            batch.SetRefused(position);
        }

        if (batch.Backend(position) == StoreBackend.Memory && rest.Value(index) is not null)
        {
            batch.SetMisplaced(position);
        }
        else if (rest.IsMisplaced(index))
        {
            batch.SetMisplaced(position);
        }
    }

    /// <summary>What goes to the store, and what stays in memory.</summary>
    private static (WriteBatch Lasting, WriteBatch Volatile) Parted(WriteBatch batch)
    {
        var (lasting, volatileOnes) = (new WriteBatch { NewTrees = batch.NewTrees }, new WriteBatch());
        foreach (var entry in batch.Entries)
        {
            if (entry.Backend != StoreBackend.Memory)
            {
                lasting.Add(entry);
                continue;
            }

            volatileOnes.Add(entry);
            if (entry.IsMisplaced)
            {
                lasting.Remove(entry.Key);
            }
        }

        foreach (var change in batch.TreeChanges)
        {
            (change.Range.IsVolatile ? volatileOnes : lasting).Change(change);
        }

        foreach (var change in batch.IndexChanges)
        {
            lasting.Change(change);
        }

        return (lasting, volatileOnes);
    }

    private void Apply(WriteBatch batch)
    {
        willForget |= batch.Count > 0;
        var write = memory.WriteAsync(batch, Durability.Memory, CancellationToken.None);
        System.Diagnostics.Debug.Assert(write.IsCompletedSuccessfully, "what is in memory is never waited for");
        for (var index = 0; index < batch.TreeChanges.Count; index++)
        {
            store.Trees.Apply(batch.TreeChanges[index]);
        }

        var now = memory.ApproximateBytes + (memory.ApproximateCount * Memory.MemoryRoom.RecordOverhead);
        room.Add(now - used);
        used = now;
    }

    private async ValueTask ReleaseAsync()
    {
        if (Interlocked.Exchange(ref isReleased, 1) == 0)
        {
            room.Add(-used);
            await memory.DropAsync(CancellationToken.None);
        }
    }
}
