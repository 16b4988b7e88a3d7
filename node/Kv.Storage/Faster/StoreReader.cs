using Kv.Core.Stores;

namespace Kv.Storage.Faster;

/// <summary>
/// Reads through one session: many keys at once, those on disk overlapped; chunked values put together; every value checked. One owner at a time.
/// </summary>
internal sealed class StoreReader(StoreSession session, int chunkBytes, int maxValueBytes, string directory) : IDisposable
{
    private const int MaxOverlapped = 64;
    private const int ChunksAtOnce = 8;
    private const int MaxAttempts = 1000;

    private readonly ReadResult[] chunkResults = new ReadResult[ChunksAtOnce];
    private readonly ReadResult[] oneResult = new ReadResult[1];
    private ReadResult[] results = new ReadResult[MaxOverlapped];

    public StoreSession Session => session;

    /// <summary>Fills the batch's values and tells what each key holds.</summary>
    public async ValueTask ReadAsync(ReadBatch batch, Action<ReadOnlyMemory<byte>, PriorValue> learned)
    {
        if (results.Length < batch.Count)
        {
            results = new ReadResult[batch.Count];
        }

        session.Expect(results);
        var pending = 0;
        for (var position = 0; position < batch.Count; position++)
        {
            if (!session.Read(batch.Key(position).Span, ReadMode.Whole, position) && ++pending == MaxOverlapped)
            {
                await session.CompleteAsync();
                pending = 0;
            }
        }

        if (pending > 0)
        {
            await session.CompleteAsync();
        }

        for (var position = 0; position < batch.Count; position++)
        {
            var key = batch.Key(position);
            var result = results[position];
            results[position] = default;
            learned(key, PriorOf(key.Span, result));
            batch.SetValue(position, await ValueOfAsync(key, result));
        }
    }

    /// <summary>The value of one key now; null where it has none.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(ReadOnlyMemory<byte> key) => await ValueOfAsync(key, await ReadRecordAsync(key));

    /// <summary>What a key holds, read on this thread, from the disk too.</summary>
    public PriorValue ReadPrior(ReadOnlySpan<byte> key)
    {
        session.Expect(oneResult);
        if (!session.Read(key, ReadMode.Head, 0))
        {
            session.Complete();
        }

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
                        throw new StoreException($"The store in {directory} has a value of {chunks.Length} bytes (sequence number {chunks.Lsn}) whose chunks are missing or damaged.");
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

    private async ValueTask<ReadResult> ReadRecordAsync(ReadOnlyMemory<byte> key)
    {
        session.Expect(oneResult);
        if (!session.Read(key.Span, ReadMode.Whole, 0))
        {
            await session.CompleteAsync();
        }

        return oneResult[0];
    }

    /// <summary>The whole value, or null where a chunk is not there or another value's bytes are.</summary>
    private async ValueTask<ReadOnlyMemory<byte>?> TryReadChunksAsync(ChunkedValue chunks)
    {
        if (chunks.Length < 0 || chunks.Length > Math.Max(maxValueBytes, StoreLimits.DefaultMaxValueBytes))
        {
            throw new StoreException($"The store in {directory} has a value of {chunks.Length} bytes, more than its limit.");
        }

        var whole = new byte[chunks.Length];
        var count = chunks.ChunkCount(chunkBytes);
        session.Expect(chunkResults);
        for (var first = 0; first < count; first += ChunksAtOnce)
        {
            var here = Math.Min(ChunksAtOnce, count - first);
            var isPending = false;
            for (var index = 0; index < here; index++)
            {
                isPending |= !session.ReadChunk(chunks, first + index, index);
            }

            if (isPending)
            {
                await session.CompleteAsync();
            }

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

        return Files.Crc32C.Of(whole) == chunks.Checksum ? whole : null;
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
            : throw new StoreException($"The store in {directory} is damaged: the record at address {result.Address} does not match its checksum.");
}
