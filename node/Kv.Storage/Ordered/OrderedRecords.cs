using System.Buffers.Binary;
using Kv.Core.Stores;
using Kv.Storage.Files;
using RocksDbSharp;

namespace Kv.Storage.Ordered;

/// <summary>
/// A store's ordered keys and its index entries, in a RocksDB of its own in the store's directory, made when there is something to keep. A change waits here, where reads see it, until the
/// log has it on disk, and only then goes to RocksDB: so what RocksDB has written is never ahead of the log, which after a crash brings it forward. On a disk without room for RocksDB's files
/// what waits goes on waiting, and all is read as ever. Changes and reads by key have one caller at a time; the rest may run beside it, and ends before it is disposed of. Keys in RocksDB begin
/// with a byte of their space.
/// </summary>
internal sealed partial class OrderedRecords : IDisposable
{
    public const string DirectoryName = "ordered";

    /// <summary>What a change takes in memory while it waits, beside its key and value.</summary>
    private const int WaitingOverhead = 128;

    // Behind all spaces of a scan: the last sequence number of the log that RocksDB has, in 8 bytes, little-endian. Each of its batches writes it anew.
    private static readonly byte[] SettledKey = [2];

    private readonly IStorageFiles files;
    private readonly Func<OrderedEngine> engine;
    private readonly string directory;
    private readonly OrderedValue value;
    private readonly Action<string> ranOut;

    // Held while RocksDB is made, written to or closed, which may take long: one at a time, in the log's order. Taken before the gate.
    private readonly Lock writing = new();

    // Held by all who read RocksDB, beside each other, and alone by whoever replaces one that is open for reading only. Taken before the gate too.
    private readonly ReaderWriterLockSlim reading = new();

    // Guards what waits. Nothing of RocksDB's is called under it.
    private readonly Lock gate = new();
    private readonly Dictionary<ReadOnlyMemory<byte>, (ReadOnlyMemory<byte>? Value, long Lsn)> waiting = new(KeyBytesComparer.Instance);
    private readonly Queue<Step> steps = new();
    private readonly ManualResetEventSlim closed = new();
    private List<Change> changes = [];
    private long waitingBytes;

    // While records are replayed: only when more waits is RocksDB tried.
    private long replaySettlesAbove;
    private volatile RocksDb? db;
    private volatile string? full;
    private bool isOpenToRead;

    /// <param name="files">Where the store's directory is; RocksDB's own files it reads and writes by itself.</param>
    /// <param name="engine">Gives what all stores share; asked when there is something to keep.</param>
    /// <param name="storeDirectory">The store's directory.</param>
    /// <param name="sequence">What <see cref="Flush"/> gave for the checkpoint; null where that had nothing here, and whatever there is is deleted.</param>
    /// <param name="logEnd">The last sequence number that it may have of the log: what is later was on disk there, since it waited for that, and is lost.</param>
    /// <param name="value">Makes room for values.</param>
    /// <param name="ranOut">Told when there is no room on the disk any more, and for what.</param>
    /// <exception cref="StoreDamagedException">It is damaged, gone, older than the checkpoint, or later than the log.</exception>
    public OrderedRecords(IStorageFiles files, Func<OrderedEngine> engine, string storeDirectory, long? sequence, long logEnd, OrderedValue value, Action<string> ranOut)
    {
        (this.files, this.engine, this.value, this.ranOut) = (files, engine, value, ranOut);
        directory = Path.Combine(storeDirectory, DirectoryName);
        if (sequence is not { } expected)
        {
            DeleteWhatIsThere();
            return;
        }

        try
        {
            Check(db = OpenAsThereIsRoom(), expected, logEnd);
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

    /// <summary>Why what waits does not go to RocksDB, for want of room on the disk or of time to merge its files; null where it does. Changes that still come are kept in memory: none should.</summary>
    public string? WhyFull => full;

    /// <summary>Bytes of RocksDB's files; 0 where it has none or is closed.</summary>
    public long FileBytes =>
        Reading(static open => open.GetProperty("rocksdb.total-sst-files-size")) is { } text ? long.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : 0;

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
        return Reading(open => open.Get(spaced, value)) is { } found ? found.Content() : default(ReadOnlyMemory<byte>?);
    }

    /// <summary>Bytes of a key's value; null where there is none.</summary>
    public int? LengthOf(ReadOnlySpan<byte> key)
    {
        var spaced = WithSpace(ScanSpace.Records, key);
        if (TryFindWaiting(spaced, out var content))
        {
            return content?.Length;
        }

        return Reading(open => open.Get(spaced, OrderedLength.Instance));
    }

    public void Dispose()
    {
        lock (writing)
        {
            closed.Set();
            var open = db;
            db = null;
            open?.Dispose();
        }
    }

    private static byte[] WithSpace(ScanSpace space, ReadOnlySpan<byte> key) => [(byte)space, .. key];

    private static long BytesOf(byte[] key, ReadOnlyMemory<byte>? content) => WaitingOverhead + key.Length + (content?.Length ?? 0);

    /// <summary>On a disk that is full it is opened for reading alone.</summary>
    private RocksDb OpenAsThereIsRoom()
    {
        OrderedManifest.ThrowIfUnreadable(files, directory);
        try
        {
            return engine().Open(directory, mustExist: true);
        }
        catch (OrderedFullException error)
        {
            RanOut(error.Message);
            isOpenToRead = true;
            return engine().OpenToRead(directory);
        }
    }

    /// <summary>RocksDB to write to: made, or opened anew, where there is none yet. Under the lock of those who write.</summary>
    private RocksDb ToWrite()
    {
        if (db is not { } open)
        {
            DeleteWhatIsThere();
            return db = engine().Open(directory, mustExist: false);
        }

        if (!isOpenToRead)
        {
            return open;
        }

        // Nobody reads by the old one meanwhile: the new one deletes files as it goes.
        OrderedManifest.ThrowIfUnreadable(files, directory);
        reading.EnterWriteLock();
        try
        {
            db = engine().Open(directory, mustExist: true);
            isOpenToRead = false;
            open.Dispose();
            return db;
        }
        finally
        {
            reading.ExitWriteLock();
        }
    }

    /// <summary>What no checkpoint knows of counts for nothing: an earlier process left it, or a try that found no room.</summary>
    private void DeleteWhatIsThere()
    {
        if (files.Exists(directory))
        {
            files.DeleteDirectory(directory);
        }
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

    private bool TryFindWaiting(byte[] key, out ReadOnlyMemory<byte>? content)
    {
        lock (gate)
        {
            var isFound = waiting.TryGetValue(key, out var found);
            content = found.Value;
            return isFound;
        }
    }

    /// <summary>What a read of RocksDB gives; the default where there is none.</summary>
    private T? Reading<T>(Func<RocksDb, T?> read)
    {
        reading.EnterReadLock();
        try
        {
            return db is { } open ? Guarded(() => read(open)) : default;
        }
        finally
        {
            reading.ExitReadLock();
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
