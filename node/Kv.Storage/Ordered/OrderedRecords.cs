using System.Buffers.Binary;
using Kv.Core.Stores;
using Kv.Storage.Files;
using RocksDbSharp;

namespace Kv.Storage.Ordered;

/// <summary>
/// A store's ordered keys and its index entries, in a RocksDB of its own in the store's directory, made when there is something to keep. A change waits here, where reads see it, until the
/// log has it on disk, and only then goes to RocksDB: so what RocksDB has written is never ahead of the log, which after a crash brings it forward. Changes and reads by key have one caller at a
/// time; the rest may run beside it, and ends before it is disposed of. Keys in RocksDB begin with a byte of their space.
/// </summary>
internal sealed class OrderedRecords : IDisposable
{
    public const string DirectoryName = "ordered";

    /// <summary>What a change takes in memory while it waits, beside its key and value.</summary>
    private const int WaitingOverhead = 128;

    // Behind all spaces of a scan: the last sequence number of the log that RocksDB has, in 8 bytes, little-endian. Each of its batches writes it anew.
    private static readonly byte[] SettledKey = [2];

    private static readonly WriteOptions WithoutLog = new WriteOptions().DisableWal(1);
    private static readonly FlushOptions Waiting = new FlushOptions().SetWaitForFlush(true);

    private readonly Func<OrderedEngine> engine;
    private readonly string directory;
    private readonly OrderedValue value;

    // Held while RocksDB is made, written to or closed, which may take long: one at a time, in the log's order. Taken before the gate.
    private readonly Lock writing = new();

    // Guards what waits. Nothing of RocksDB's is called under it.
    private readonly Lock gate = new();
    private readonly Dictionary<ReadOnlyMemory<byte>, (ReadOnlyMemory<byte>? Value, long Lsn)> waiting = new(KeyBytesComparer.Instance);
    private readonly Queue<Step> steps = new();
    private List<Change> changes = [];
    private long waitingBytes;
    private volatile RocksDb? db;
    private bool isClosed;

    /// <param name="files">Where the store's directory is; RocksDB's own files it reads and writes by itself.</param>
    /// <param name="engine">Gives what all stores share; asked when there is something to keep.</param>
    /// <param name="storeDirectory">The store's directory.</param>
    /// <param name="sequence">What <see cref="Flush"/> gave for the checkpoint; null where that had nothing here, and whatever there is is deleted.</param>
    /// <param name="logEnd">The last sequence number that it may have of the log: what is later was on disk there, since it waited for that, and is lost.</param>
    /// <param name="value">Makes room for values.</param>
    /// <exception cref="StoreDamagedException">It is damaged, gone, older than the checkpoint, or later than the log.</exception>
    public OrderedRecords(IStorageFiles files, Func<OrderedEngine> engine, string storeDirectory, long? sequence, long logEnd, OrderedValue value)
    {
        (this.engine, this.value) = (engine, value);
        directory = Path.Combine(storeDirectory, DirectoryName);
        if (sequence is not { } expected)
        {
            if (files.Exists(directory))
            {
                files.DeleteDirectory(directory);
            }

            return;
        }

        db = engine().Open(directory, mustExist: true);
        try
        {
            Check(db, expected, logEnd);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private readonly record struct Change(byte[] Key, ReadOnlyMemory<byte>? Value);

    private readonly record struct Step(long Lsn, List<Change> Changes);

    /// <summary>Bytes of changes that are not in RocksDB yet.</summary>
    public long WaitingBytes => Interlocked.Read(ref waitingBytes);

    /// <summary>Bytes of RocksDB's files; 0 where it has none or is closed.</summary>
    public long FileBytes => db?.GetProperty("rocksdb.total-sst-files-size") is { } text ? long.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : 0;

    public void Put(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> content) => changes.Add(new Change(WithSpace(ScanSpace.Records, key.Span), content.ToArray()));

    public void Remove(ReadOnlyMemory<byte> key) => changes.Add(new Change(WithSpace(ScanSpace.Records, key.Span), null));

    public void Apply(in IndexChange change) =>
        changes.Add(new Change(WithSpace(ScanSpace.Index, change.Entry.Span), change.IsAdded ? ReadOnlyMemory<byte>.Empty : default(ReadOnlyMemory<byte>?)));

    /// <summary>Ends a batch, which the log has under the number: from here on reads by key see it.</summary>
    public void End(long lsn)
    {
        if (changes.Count == 0)
        {
            return;
        }

        lock (gate)
        {
            foreach (var (key, content) in changes)
            {
                waiting[key] = (content, lsn);
                Interlocked.Add(ref waitingBytes, BytesOf(key, content));
            }

            steps.Enqueue(new Step(lsn, changes));
            changes = [];
        }
    }

    /// <summary>Puts into RocksDB what the log has on disk, up to the number; waits for whoever is at it.</summary>
    /// <exception cref="StoreDamagedException">RocksDB found damage.</exception>
    /// <exception cref="IOException">It cannot write.</exception>
    public void Settle(long durable)
    {
        lock (writing)
        {
            SettleAlone(durable);
        }
    }

    /// <summary>As <see cref="Settle"/>, where nobody is at it; else it is left to a later one.</summary>
    public void TrySettle(long durable)
    {
        if (!writing.TryEnter())
        {
            return;
        }

        try
        {
            SettleAlone(durable);
        }
        finally
        {
            writing.Exit();
        }
    }

    /// <summary>The value of a key; null where there is none.</summary>
    /// <exception cref="StoreRefusedException">There is no memory for it.</exception>
    public ReadOnlyMemory<byte>? Read(ReadOnlySpan<byte> key)
    {
        var spaced = WithSpace(ScanSpace.Records, key);
        if (TryFindWaiting(spaced, out var content))
        {
            return content is { } present ? value.CopyOf(present.Span) : default(ReadOnlyMemory<byte>?);
        }

        // Spelled out: a bare null would become an empty value here, by way of the conversion from arrays.
        return db is { } open && Guarded(() => open.Get(spaced, value)) is { } found ? found.Content() : default(ReadOnlyMemory<byte>?);
    }

    /// <summary>Bytes of a key's value; null where there is none.</summary>
    public int? LengthOf(ReadOnlySpan<byte> key)
    {
        var spaced = WithSpace(ScanSpace.Records, key);
        if (TryFindWaiting(spaced, out var content))
        {
            return content?.Length;
        }

        return db is { } open ? Guarded(() => open.Get(spaced, OrderedLength.Instance)) : null;
    }

    /// <summary>A range of what is in RocksDB. A value that there is no room for now is null.</summary>
    public (List<(byte[] Key, ReadOnlyMemory<byte>? Value)> Entries, bool IsLast) Scan(StoreScan scan)
    {
        var entries = new List<(byte[] Key, ReadOnlyMemory<byte>? Value)>();
        return (entries, db is not { } open || Guarded(() => Scan(open, scan, value, entries)));
    }

    /// <summary>Puts what is in RocksDB on disk, and gives the number that it has there then; null where nothing was ever kept.</summary>
    public long? Flush()
    {
        if (db is not { } open)
        {
            return null;
        }

        var sequence = (long)open.GetLatestSequenceNumber();
        Guarded(() => open.Flush(Waiting));
        return sequence;
    }

    public void Dispose()
    {
        lock (writing)
        {
            isClosed = true;
            var open = db;
            db = null;
            open?.Dispose();
        }
    }

    private static byte[] WithSpace(ScanSpace space, ReadOnlySpan<byte> key) => [(byte)space, .. key];

    private static long BytesOf(byte[] key, ReadOnlyMemory<byte>? content) => WaitingOverhead + key.Length + (content?.Length ?? 0);

    private static bool Scan(RocksDb open, in StoreScan scan, OrderedValue value, List<(byte[] Key, ReadOnlyMemory<byte>? Value)> entries)
    {
        // Only what is scanned once would push out of the cache what is read again and again.
        var options = new ReadOptions().SetFillCache(scan.Space == ScanSpace.Index);
        options.SetIterateUpperBound(scan.Until.IsEmpty ? [(byte)(scan.Space + 1)] : WithSpace(scan.Space, scan.Until.Span));
        using var at = open.NewIterator(readOptions: options);
        var bytes = 0L;
        for (at.Seek(WithSpace(scan.Space, scan.From.Span)); at.Valid(); at.Next())
        {
            if (entries.Count >= scan.MaxEntries || bytes >= scan.MaxBytes)
            {
                return false;
            }

            var key = at.GetKeySpan()[1..];
            var content = at.GetValueSpan();
            entries.Add((key.ToArray(), value.TryCopy(content)));
            bytes += key.Length + content.Length;
        }

        // An iterator ends at damage as it does at the range's end.
        Native.Instance.rocksdb_iter_get_error(at.Handle);
        return true;
    }

    private void Check(RocksDb open, long sequence, long logEnd)
    {
        if ((long)open.GetLatestSequenceNumber() is var found && found < sequence)
        {
            throw new StoreDamagedException($"The ordered records in {directory} are older than the store's checkpoint: expected sequence number {sequence} or later, found {found}.");
        }

        if (Guarded(() => open.Get(SettledKey)) is { Length: sizeof(long) } bytes && BinaryPrimitives.ReadInt64LittleEndian(bytes) is var settled && settled > logEnd)
        {
            throw new StoreDamagedException($"The ordered records in {directory} are later than the log, which has lost its end: expected sequence number {logEnd} of the log at most, found {settled}.");
        }
    }

    private void SettleAlone(long durable)
    {
        var settled = DurableSteps(durable);
        if (isClosed || settled.Count == 0)
        {
            return;
        }

        using var batch = new RocksDbSharp.WriteBatch();
        foreach (var (key, content) in settled.SelectMany(static step => step.Changes))
        {
            if (content is { } present)
            {
                batch.Put(key, present.Span);
            }
            else
            {
                batch.Delete(key);
            }
        }

        var last = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(last, settled[^1].Lsn);
        batch.Put(SettledKey, last);
        Guarded(() => (db ??= engine().Open(directory, mustExist: false)).Write(batch, WithoutLog));
        lock (gate)
        {
            settled.ForEach(Forget);
        }
    }

    private List<Step> DurableSteps(long durable)
    {
        lock (gate)
        {
            return [.. steps.TakeWhile(step => step.Lsn <= durable)];
        }
    }

    private bool TryFindWaiting(byte[] key, out ReadOnlyMemory<byte>? content)
    {
        lock (gate)
        {
            var isFound = waiting.TryGetValue(key, out var found);
            content = found.Value;
            return isFound;
        }
    }

    private void Forget(Step step)
    {
        steps.Dequeue();
        foreach (var (key, content) in step.Changes)
        {
            Interlocked.Add(ref waitingBytes, -BytesOf(key, content));
            if (waiting.TryGetValue(key, out var last) && last.Lsn == step.Lsn)
            {
                waiting.Remove(key);
            }
        }
    }

    private void Guarded(Action call) => Guarded(() =>
    {
        call();
        return true;
    });

    private T Guarded<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (RocksDbException error)
        {
            throw OrderedErrors.Of(error, directory);
        }
    }
}
