using Kv.Core.Stores;

namespace Kv.Storage.Faster;

/// <summary>
/// Reads through one session: many keys at once, those on disk overlapped; chunked values put together; every value checked. One owner at a time.
/// </summary>
internal sealed class StoreReader(StoreLog log, StoreSession session, int chunkBytes, StorageOptions options, string directory) : IDisposable
{
    private const int MaxOverlapped = 64;
    private const int ChunksAtOnce = 8;
    private const int MaxAttempts = 1000;

    private readonly ReadResult[] chunkResults = new ReadResult[ChunksAtOnce];
    private readonly ReadResult[] oneResult = new ReadResult[1];
    private ReadResult[] results = new ReadResult[MaxOverlapped];

    public StoreSession Session => session;

    /// <summary>Fills the batch's values, but for those that there is no memory for, and tells what each key holds.</summary>
    public async ValueTask ReadAsync(ReadBatch batch, Action<ReadOnlyMemory<byte>, PriorValue> learned)
    {
        if (results.Length < batch.Count)
        {
            results = new ReadResult[batch.Count];
        }

        await ReadAllAsync(results, batch.Count, batch, static (session, batch, position) => session.Read(batch.Key(position).Span, ReadMode.Whole, position));
        for (var position = 0; position < batch.Count; position++)
        {
            var key = batch.Key(position);
            var result = results[position];
            results[position] = default;
            learned(key, PriorOf(key.Span, result));
            try
            {
                batch.SetValue(position, await ValueOfAsync(key, result));
            }
            catch (StoreRefusedException)
            {
                batch.SetRefused(position);
            }
        }
    }

    /// <summary>The value of one key now; null where it has none.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(ReadOnlyMemory<byte> key) => await ValueOfAsync(key, await ReadRecordAsync(key));

    /// <summary>What a key holds, read on this thread, from the disk too.</summary>
    public PriorValue ReadPrior(ReadOnlySpan<byte> key)
    {
        session.Expect(oneResult);
        long begin;
        do
        {
            begin = log.BeginAddress;
            if (!session.Read(key, ReadMode.Head, 0))
            {
                session.Complete();
            }
        }
        while (!oneResult[0].Found && begin != log.BeginAddress);

        return PriorOf(key, oneResult[0]);
    }

    /// <summary>The value that a result of a whole read stands for.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ValueOfAsync(ReadOnlyMemory<byte> key, ReadResult result)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (!result.Found)
            {
                return null;
            }

            var stored = Checked(key.Span, result);
            switch (StoreValue.KindOf(stored.Span))
            {
                case StoreValueKind.Inline:
                    return stored[StoreValue.HeaderBytes..];
                case StoreValueKind.Removed:
                    return null;
                case StoreValueKind.Chunked:
                    var chunks = ChunkedValue.Read(stored.Span[StoreValue.HeaderBytes..]);
                    if (await TryReadChunksAsync(chunks) is { } whole)
                    {
                        return whole;
                    }

                    // Somebody wrote the key meanwhile and freed these chunks; what it holds now counts.
                    result = await ReadRecordAsync(key);
                    if (result.Found && StoreValue.KindOf(result.Value) == StoreValueKind.Chunked && ChunkedValue.Read(result.Value.AsSpan(StoreValue.HeaderBytes)) == chunks)
                    {
                        throw new StoreDamagedException(
                            $"The store's records are damaged: {log.PlaceOf(result.Address)}: expected {chunks.ChunkCount(chunkBytes)} chunks of the value of {chunks.Length} bytes with sequence number {chunks.Lsn}, found some missing or other than its checksum.");
                    }

                    break;
                default:
                    throw new StoreException($"The store in {directory} has a value of kind {stored.Span[4]}, which this program does not know.");
            }
        }

        throw new StoreException($"The store in {directory}: a key was written {MaxAttempts} times while it was read.");
    }

    public void Dispose() => session.Dispose();

    /// <summary>As <see cref="Dispose"/>, for a session whose store has closed: it went with the store, and only its buffers are left to free.</summary>
    public void FreeBuffers() => session.FreeBuffers();

    /// <summary>
    /// Reads many records, those on disk overlapped. FASTER answers "not found" for a record that compaction moved between the look at the index and the
    /// look at the log; so where the log's beginning has moved meanwhile, what was not found is looked for again.
    /// </summary>
    private async ValueTask ReadAllAsync<TState>(ReadResult[] into, int count, TState state, Func<StoreSession, TState, int, bool> read)
    {
        session.Expect(into);
        Array.Clear(into, 0, count);
        long begin;
        do
        {
            begin = log.BeginAddress;
            var pending = 0;
            for (var position = 0; position < count; position++)
            {
                if (!into[position].Found && !read(session, state, position) && ++pending == MaxOverlapped)
                {
                    await session.CompleteAsync();
                    pending = 0;
                }
            }

            if (pending > 0)
            {
                await session.CompleteAsync();
            }
        }
        while (begin != log.BeginAddress);
    }

    private async ValueTask<ReadResult> ReadRecordAsync(ReadOnlyMemory<byte> key)
    {
        await ReadAllAsync(oneResult, 1, key, static (session, key, position) => session.Read(key.Span, ReadMode.Whole, position));
        return oneResult[0];
    }

    private byte[] Room(int length)
    {
        byte[]? room = null;
        try
        {
            room = options.LongValueRoom(length);
        }
        catch (OutOfMemoryException)
        {
            // One long value more than there is memory for now: no reason to end a node that can serve all others.
        }

        return room ?? throw new StoreRefusedException($"There is no memory for a value of {length} bytes.");
    }

    /// <summary>The whole value, or null where a chunk is not there or another value's bytes are.</summary>
    private async ValueTask<ReadOnlyMemory<byte>?> TryReadChunksAsync(ChunkedValue chunks)
    {
        if (chunks.Length < 0 || chunks.Length > Math.Max(options.MaxValueBytes, StoreLimits.DefaultMaxValueBytes))
        {
            throw new StoreDamagedException($"The store in {directory} has a value of {chunks.Length} bytes, more than its limit.");
        }

        var whole = Room(chunks.Length);
        var count = chunks.ChunkCount(chunkBytes);
        for (var first = 0; first < count; first += ChunksAtOnce)
        {
            var here = Math.Min(ChunksAtOnce, count - first);
            await ReadAllAsync(chunkResults, here, (chunks, first), static (session, state, index) => session.ReadChunk(state.chunks, state.first + index, index));
            for (var index = 0; index < here; index++)
            {
                var result = chunkResults[index];
                chunkResults[index] = default;
                var at = (first + index) * chunkBytes;
                var expected = Math.Min(chunkBytes, whole.Length - at);
                if (!result.Found || result.Value!.Length != StoreValue.HeaderBytes + expected || StoreValue.KindOf(result.Value) != StoreValueKind.Inline)
                {
                    return null;
                }

                result.Value.AsSpan(StoreValue.HeaderBytes).CopyTo(whole.AsSpan(at));
            }
        }

        return Files.Crc32C.Of(whole) == chunks.Checksum ? (ReadOnlyMemory<byte>?)whole : null;
    }

    private PriorValue PriorOf(ReadOnlySpan<byte> key, in ReadResult result)
    {
        if (!result.Found)
        {
            return PriorValue.Absent;
        }

        if (result.Value!.Length == result.Length)
        {
            Checked(key, result);
        }

        return StoreValue.KindOf(result.Value) switch
        {
            StoreValueKind.Removed => PriorValue.Absent,
            StoreValueKind.Chunked when ChunkedValue.Read(result.Value.AsSpan(StoreValue.HeaderBytes)) is var chunks => new PriorValue(true, chunks.Length, chunks),
            _ => new PriorValue(true, result.Length - StoreValue.HeaderBytes, null),
        };
    }

    private ReadOnlyMemory<byte> Checked(ReadOnlySpan<byte> key, in ReadResult result) =>
        StoreValue.IsWhole(result.Value, StoreValue.PortKey, key)
            ? result.Value
            : throw new StoreDamagedException($"The store's records are damaged: {log.PlaceOf(result.Address)}: expected a record that matches its checksum, found one that does not.");
}
