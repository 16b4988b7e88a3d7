using Kv.Core.AntiEntropy;
using Kv.Core.Stores;
using Kv.Storage.Ordered;
using Kv.Storage.Segments;

namespace Kv.Storage.Faster;

/// <summary>
/// Turns batches into records of a store and keeps its counts: finds what each key held (for the log, the counts and the chunks to free), and applies. Used
/// by the store's one caller, under the store's lock; the counts may be read from anywhere.
/// </summary>
internal sealed class StoreWriter
{
    private readonly StoreReader reader;
    private readonly OrderedRecords ordered;
    private readonly int chunkBytes;
    private readonly KnownValues known = new();
    private readonly Dictionary<ReadOnlyMemory<byte>, int> lastInBatch = new(KeyBytesComparer.Instance);
    private readonly SegmentIndex segments;
    private volatile HashTrees trees;

    public StoreWriter(StoreReader reader, OrderedRecords ordered, int chunkBytes, StoreCheckpoint? checkpoint, HashTrees trees, SegmentIndex segments)
    {
        (this.trees, this.segments) = (trees, segments);
        (this.reader, this.ordered) = (reader, ordered);
        this.chunkBytes = chunkBytes;
        Hashed = new LiveCount(checkpoint?.Count ?? 0, checkpoint?.Bytes ?? 0);
        Ordered = new LiveCount(checkpoint?.Ordered?.Count ?? 0, checkpoint?.Ordered?.Bytes ?? 0);
        Learn = (key, prior) => known.Set(key.Span, prior);
    }

    /// <summary>What is live in FASTER.</summary>
    public LiveCount Hashed { get; }

    /// <summary>What is live in RocksDB.</summary>
    public LiveCount Ordered { get; }

    /// <summary>Changed here alone, under the store's lock.</summary>
    public HashTrees Trees => trees;

    /// <summary>Takes note of what a read found, so that a write that follows it need not read again.</summary>
    public Action<ReadOnlyMemory<byte>, PriorValue> Learn { get; }

    /// <summary>The prepared batch as the log's payload.</summary>
    public BatchRecord Record { get; } = new();

    /// <summary>Makes <see cref="Record"/> of the batch and what each of its keys holds now; changes nothing. Gives the batch to apply.</summary>
    public WriteBatch Prepare(WriteBatch batch)
    {
        batch = WithoutRepeats(batch);
        Record.Begin(batch);
        foreach (var (key, _, backend) in batch.Entries)
        {
            Record.Add(known.TryGet(key.Span, out var prior) ? prior : ReadPrior(key.Span, backend));
        }

        return batch;
    }

    /// <summary>Applies the prepared batch, which the log has under the sequence number.</summary>
    public void Apply(WriteBatch batch, long lsn)
    {
        for (var index = 0; index < batch.Count; index++)
        {
            var entry = batch.Entries[index];
            known.Set(entry.Key.Span, ApplyOne(entry, Record.Prior(index), lsn, index));
        }

        foreach (var change in batch.IndexChanges)
        {
            ordered.Apply(change);
        }

        ordered.End(lsn);
        trees = trees.After(batch);
    }

    /// <summary>Applies a batch as the log had it, at start.</summary>
    public void Apply(ReadOnlyMemory<byte> payload, long lsn)
    {
        var index = 0;
        foreach (var (entry, prior) in BatchRecord.Read(payload))
        {
            ApplyOne(entry, prior, lsn, index++);
        }

        foreach (var change in BatchRecord.ReadIndexChanges(payload))
        {
            ordered.Apply(change);
        }

        ordered.End(lsn);
        trees = BatchRecord.ReadTrees(payload, trees);
    }

    /// <summary>The batch itself, or one with only the last entry of each key where a key comes twice.</summary>
    private WriteBatch WithoutRepeats(WriteBatch batch)
    {
        if (batch.Count <= 1)
        {
            return batch;
        }

        lastInBatch.Clear();
        for (var index = 0; index < batch.Count; index++)
        {
            lastInBatch[batch.Entries[index].Key] = index;
        }

        if (lastInBatch.Count == batch.Count)
        {
            return batch;
        }

        var distinct = new WriteBatch();
        distinct.TakeChangesOf(batch);
        foreach (var index in lastInBatch.Values.Order())
        {
            distinct.Add(batch.Entries[index]);
        }

        return distinct;
    }

    /// <summary>What a key holds. An ordered one may lie among the others, where it was written before its bucket type was known.</summary>
    private PriorValue ReadPrior(ReadOnlySpan<byte> key, StoreBackend backend) =>
        backend == StoreBackend.Ordered && ordered.LengthOf(key) is { } length ? new PriorValue(true, length, null, backend) : reader.ReadPrior(key);

    /// <summary>Applies one change and returns what the key holds now.</summary>
    private PriorValue ApplyOne(in WriteBatch.Entry entry, in PriorValue prior, long lsn, int index)
    {
        var now = PriorValue.Absent;
        if (prior.Exists && (entry.Value is null || entry.Backend != prior.Backend))
        {
            Remove(entry.Key, prior.Backend);
        }

        if (entry.Value is { } value)
        {
            now = Put(entry, value, lsn, index);
            if (!prior.Exists)
            {
                segments.Changed(entry.Key.Span, isLive: true);
            }
        }
        else if (prior.Exists)
        {
            segments.Changed(entry.Key.Span, isLive: false);
        }

        Count(entry, prior);

        if (prior.Chunks is { } chunks)
        {
            for (var chunk = 0; chunk < chunks.ChunkCount(chunkBytes); chunk++)
            {
                reader.Session.PutChunk(chunks, chunk, StoreValueKind.Removed, []);
            }
        }

        return now;
    }

    private void Count(in WriteBatch.Entry entry, in PriorValue prior)
    {
        var (came, went) = (entry.Value is null ? 0 : 1, prior.Exists ? 1 : 0);
        var (cameBytes, wentBytes) = (came * (entry.Key.Length + (entry.Value?.Length ?? 0)), went * (entry.Key.Length + prior.Length));
        if (came == 0 || went == 0 || entry.Backend == prior.Backend)
        {
            CountOf(came == 0 ? prior.Backend : entry.Backend).Add(came - went, cameBytes - wentBytes);
            return;
        }

        CountOf(entry.Backend).Add(came, cameBytes);
        CountOf(prior.Backend).Add(-went, -wentBytes);
    }

    private LiveCount CountOf(StoreBackend backend) => backend == StoreBackend.Ordered ? Ordered : Hashed;

    private void Remove(ReadOnlyMemory<byte> key, StoreBackend backend)
    {
        if (backend == StoreBackend.Ordered)
        {
            ordered.Remove(key);
        }
        else
        {
            reader.Session.Put(key.Span, StoreValueKind.Removed, []);
        }
    }

    private PriorValue Put(in WriteBatch.Entry entry, ReadOnlyMemory<byte> value, long lsn, int index)
    {
        if (entry.Backend == StoreBackend.Ordered)
        {
            ordered.Put(entry.Key, value);
            return new PriorValue(true, value.Length, null, entry.Backend);
        }

        return Put(entry.Key.Span, value.Span, lsn, index);
    }

    private PriorValue Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long lsn, int index)
    {
        if (value.Length <= chunkBytes)
        {
            reader.Session.Put(key, StoreValueKind.Inline, value);
            return new PriorValue(true, value.Length, null);
        }

        // Chunks before the record that names them, so that a reader beside never finds a name without chunks but for an older one.
        var chunks = new ChunkedValue(lsn, index, value.Length, Files.Crc32C.Of(value));
        for (var chunk = 0; chunk < chunks.ChunkCount(chunkBytes); chunk++)
        {
            var from = chunk * chunkBytes;
            reader.Session.PutChunk(chunks, chunk, StoreValueKind.Inline, value.Slice(from, Math.Min(chunkBytes, value.Length - from)));
        }

        Span<byte> name = stackalloc byte[ChunkedValue.Bytes];
        chunks.Write(name);
        reader.Session.Put(key, StoreValueKind.Chunked, name);
        return new PriorValue(true, value.Length, chunks);
    }
}
