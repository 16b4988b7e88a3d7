using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FASTER.core;

namespace Kv.Storage.Faster;

/// <summary>
/// One FASTER session with the native buffers that its keys and values are copied through: a span over a managed array would not keep the
/// array in place. One owner at a time.
/// </summary>
internal sealed unsafe class StoreSession : IDisposable
{
    private readonly ClientSession<SpanByte, SpanByte, ReadMode, ReadResult, int, StoreFunctions> session;
    private readonly StoreFunctions functions;
    private readonly byte* key;
    private readonly byte* value;
    private readonly int capacity;
    private bool disposed;

    /// <summary>Told of each key that is put; null for a session that nobody has to be told of.</summary>
    public MovingKeys? Moving { get; init; }

    public StoreSession(ClientSession<SpanByte, SpanByte, ReadMode, ReadResult, int, StoreFunctions> session, StoreFunctions functions, int pageBytes)
    {
        this.session = session;
        this.functions = functions;
        capacity = (pageBytes / 4) + StoreValue.HeaderBytes + StoreValue.ChunkKeyBytes + ChunkedValue.Bytes;
        key = (byte*)NativeMemory.Alloc((nuint)capacity);
        value = (byte*)NativeMemory.Alloc((nuint)capacity);
    }

    /// <summary>Where results of reads that went to disk come, by position.</summary>
    public void Expect(ReadResult[] results) => functions.Results = results;

    /// <summary>Reads a key of the port. True: the result is in place. False: it comes when <see cref="CompleteAsync"/> has completed.</summary>
    public bool Read(ReadOnlySpan<byte> portKey, ReadMode mode, int position) =>
        ReadKey(StoreValue.WriteKey(portKey, KeyBuffer), mode, position, above: 0);

    /// <summary>As <see cref="Read(ReadOnlySpan{byte}, ReadMode, int)"/>, for a key as stored, and where <paramref name="above"/> is not 0 only of records at that address or higher.</summary>
    public bool Read(ReadOnlySpan<byte> storeKey, ReadMode mode, int position, long above)
    {
        storeKey.CopyTo(KeyBuffer);
        return ReadKey(storeKey.Length, mode, position, above);
    }

    public bool ReadChunk(in ChunkedValue chunks, int chunk, int position) =>
        ReadKey(StoreValue.WriteChunkKey(chunks, chunk, KeyBuffer), ReadMode.Whole, position, above: 0);

    public ValueTask CompleteAsync() => ReadGuard.CompleteAsync(session.CompletePendingAsync());

    /// <summary>Waits for reads that went to disk on this thread: for a write that must know what it replaces before it returns.</summary>
    public void Complete() => session.CompletePending(wait: true);

    public void Put(ReadOnlySpan<byte> portKey, StoreValueKind kind, ReadOnlySpan<byte> content) =>
        Upsert(StoreValue.WriteKey(portKey, KeyBuffer), kind, content);

    public void PutChunk(in ChunkedValue chunks, int chunk, StoreValueKind kind, ReadOnlySpan<byte> content) =>
        Upsert(StoreValue.WriteChunkKey(chunks, chunk, KeyBuffer), kind, content);

    /// <summary>Writes a record anew, byte for byte.</summary>
    public void PutStored(ReadOnlySpan<byte> storeKey, ReadOnlySpan<byte> storeValue)
    {
        storeKey.CopyTo(KeyBuffer);
        storeValue.CopyTo(new Span<byte>(value, capacity));
        Upsert(storeKey.Length, storeValue.Length);
    }

    public void Dispose()
    {
        if (!disposed)
        {
            session.Dispose();
            FreeBuffers();
        }
    }

    public void FreeBuffers()
    {
        if (!disposed)
        {
            disposed = true;
            NativeMemory.Free(key);
            NativeMemory.Free(value);
        }
    }

    private Span<byte> KeyBuffer => new(key, capacity);

    private bool ReadKey(int keyBytes, ReadMode mode, int position, long above)
    {
        var spanKey = SpanByte.FromPointer(key, keyBytes);
        ReadResult result = default;
        Status status;
        try
        {
            if (above > 0)
            {
                ReadOptions options = default;
                SetStopAddress(ref options, above);
                status = session.Read(ref spanKey, ref mode, ref result, ref options, position);
            }
            else
            {
                status = session.Read(ref spanKey, ref mode, ref result, position);
            }
        }
        catch (OutOfMemoryException exception)
        {
            throw ReadGuard.OutOfStep(exception);
        }

        if (status.IsPending)
        {
            return false;
        }

        result.Found = status.Found;
        functions.Results[position] = result;
        return true;
    }

    private void Upsert(int keyBytes, StoreValueKind kind, ReadOnlySpan<byte> content)
    {
        var storeKey = new ReadOnlySpan<byte>(key, keyBytes);
        var length = StoreValue.Write(kind, content, storeKey, new Span<byte>(value, capacity));
        Moving?.Written(storeKey);
        Upsert(keyBytes, length);
    }

    private void Upsert(int keyBytes, int valueBytes)
    {
        var spanKey = SpanByte.FromPointer(key, keyBytes);
        var spanValue = SpanByte.FromPointer(value, valueBytes);
        var status = session.Upsert(ref spanKey, ref spanValue);
        if (status.IsPending)
        {
            session.CompletePending(wait: true);
        }
    }

    // FASTER keeps the setter to itself; the getter and the behaviour are public and documented, and the fold's tests cover this use.
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_StopAddress")]
    private static extern void SetStopAddress(ref ReadOptions options, long address);
}
