namespace Kv.Storage.Faster;

/// <summary>Its keys by segment.</summary>
internal sealed partial class FasterPartitionStore
{
    public bool HasSegments => segments.IsComplete;

    /// <summary>Bytes of memory for keys that came or went since the last checkpoint.</summary>
    public long KeyDeltaBytes => segments.DeltaBytes;

    /// <summary>Those with the most new keys in memory, so many that the others' take at most half of <paramref name="most"/>; none where all take no more than that.</summary>
    public static HashSet<FasterPartitionStore> RichestInNewKeys(IEnumerable<FasterPartitionStore> stores, long most)
    {
        var sizes = stores.Select(store => (Store: store, Bytes: store.KeyDeltaBytes)).OrderByDescending(size => size.Bytes).ToList();
        var left = sizes.Sum(size => size.Bytes);
        var richest = new HashSet<FasterPartitionStore>();
        var bound = left > most ? most / 2 : most;
        foreach (var (store, bytes) in sizes.TakeWhile(_ => left > bound))
        {
            richest.Add(store);
            left -= bytes;
        }

        return richest;
    }

    public ValueTask<int?> ReadSegmentsAsync(int from, int until, int enough, List<ReadOnlyMemory<byte>> keys, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        EnterCaller();
        try
        {
            return new ValueTask<int?>(segments.Read(from, until, enough, keys));
        }
        catch (IOException error)
        {
            throw host.Fail($"The store in {Directory} could not read its keys", error);
        }
        finally
        {
            ExitCaller();
        }
    }

    public async ValueTask IndexSegmentsAsync(CancellationToken cancel)
    {
        if (!segments.TryBeginLearning())
        {
            throw new InvalidOperationException($"The keys of partition {Partition} are being learned already.");
        }

        var isWhole = false;
        try
        {
            await foreach (var (key, _) in FoldAsync(cancel))
            {
                segments.Learn(key.Span);
            }

            isWhole = true;
        }
        catch (IOException error)
        {
            throw host.Fail($"The store in {Directory} could not write its keys", error);
        }
        finally
        {
            segments.EndLearning(isWhole);
        }
    }
}
