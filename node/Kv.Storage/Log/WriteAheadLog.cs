using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage.Log;

/// <summary>
/// The log of all stores of a node. Appending copies into a buffer and returns; one thread of its own takes what queued up meanwhile, writes it
/// with one call and one sync, and completes those who wait: group commit without a timer. A write or sync that fails ends the log:
/// what it left on disk is unknown, so every waiter and every later call gets <see cref="StoreException"/> and the node is told to exit.
/// </summary>
internal sealed class WriteAheadLog : IDisposable
{
    private readonly TimeProvider time;
    private readonly LogOptions options;
    private readonly Action<StoreException> fail;
    private readonly Action<TimeSpan>? committed;
    private readonly LogWriter writer;
    private readonly string directory;
    private readonly IStorageFiles files;
    private readonly Thread thread;

    // Guards the buffers and numbers below between appenders and the log's thread; a Monitor, because both wait on it.
    private readonly object gate = new();
    private LogBuffer active;
    private LogBuffer spare;
    private long nextLsn;
    private long durableLsn;
    private StoreException? failure;
    private bool stopping;

    private WriteAheadLog(
        IStorageFiles files, string directory, LogOptions options, TimeProvider time, LogRecovery recovered, Action<StoreException> fail, Action<TimeSpan>? committed)
    {
        this.files = files;
        this.directory = directory;
        this.options = options;
        this.time = time;
        this.fail = fail;
        this.committed = committed;
        writer = new LogWriter(files, directory, options, recovered);
        active = new LogBuffer(options.BufferBytes);
        spare = new LogBuffer(options.BufferBytes);
        nextLsn = recovered.NextLsn;
        durableLsn = nextLsn - 1;
        RecoveredLsn = durableLsn;
        TornBytes = recovered.TornBytes;
        RecoveredStores = recovered.Manifest?.Stores ?? [];
        thread = new Thread(Run) { IsBackground = true, Name = "kv-log" };
        thread.Start();
    }

    /// <summary>The sequence number that the next record gets.</summary>
    public long NextLsn
    {
        get
        {
            lock (gate)
            {
                return nextLsn;
            }
        }
    }

    /// <summary>The last sequence number that is on disk with all before it.</summary>
    public long DurableLsn
    {
        get
        {
            lock (gate)
            {
                return durableLsn;
            }
        }
    }

    public long TotalBytes => writer.TotalBytes;

    /// <summary>A sequence number with about half of the log's segments below it.</summary>
    public long MiddleLsn => writer.MiddleLsn;

    /// <summary>Whether some small records can be written though the disk has no room.</summary>
    public bool HasRoomAtHand => writer.HasRoomAtHand;

    /// <summary>The last sequence number that it had on disk when it was opened.</summary>
    public long RecoveredLsn { get; }

    /// <summary>Bytes of an unfinished group that the start cut.</summary>
    public long TornBytes { get; }

    /// <summary>What the last trim relied on: each of these stores must have a checkpoint that covers at least this.</summary>
    public IReadOnlyList<StoreCoverage> RecoveredStores { get; }

    /// <summary>Recovers the log in the directory, or makes it, and starts its thread.</summary>
    /// <param name="acknowledged">A sequence number that the log has had on disk, as something else there proves; 0 where nothing does.</param>
    /// <param name="found">Gets every record in order before this returns.</param>
    /// <param name="fail">Called once, from the log's thread, when the log has failed for good.</param>
    /// <param name="committed">Gets the time of each group's write and sync.</param>
    /// <exception cref="StoreException">The log is damaged.</exception>
    public static WriteAheadLog Open(
        IStorageFiles files,
        string directory,
        LogOptions options,
        TimeProvider time,
        long acknowledged,
        Action<LogRecord, LogLocation> found,
        Action<StoreException> fail,
        Action<TimeSpan>? committed = null)
    {
        try
        {
            files.CreateDirectory(directory);
            files.SyncDirectory(Path.GetDirectoryName(directory)!);
            var recovery = new LogRecovery(files, directory, acknowledged, found);
            recovery.Run();
            return new WriteAheadLog(files, directory, options, time, recovery, fail, committed);
        }
        catch (IOException error)
        {
            throw new StoreException($"The log in {directory} could not be opened: {error.Message}", error);
        }
    }

    /// <summary>
    /// Appends one payload, in as many records as it needs, and returns at once unless both buffers are full; the task completes as durable as asked.
    /// Calls for one store must come one after another.
    /// </summary>
    /// <param name="first">The sequence number of its first record.</param>
    /// <param name="last">That of its last record, which is the payload's.</param>
    /// <exception cref="StoreRefusedException">There is no memory for it.</exception>
    public ValueTask Append(StoreIdentity store, LogRecordKind kind, ILogPayload payload, Durability durability, out long first, out long last)
    {
        try
        {
            return AppendWhole(store, kind, payload, durability, out first, out last);
        }
        catch (OutOfMemoryException)
        {
            // At most the beginning of a batch without an end is in the log, which a replay skips.
            throw new StoreRefusedException($"There is no memory for a write of {payload.Length} bytes.");
        }
    }

    /// <summary>Completes when everything up to the sequence number is on disk.</summary>
    public ValueTask WhenDurable(long lsn)
    {
        lock (gate)
        {
            ThrowIfOver();
            if (lsn <= durableLsn)
            {
                return ValueTask.CompletedTask;
            }

            // Either it is in the active buffer, or in the group being written, after which the active one (even empty) is looked at.
            var waiter = LogWaiter.Rent();
            active.Waiters.Add(waiter);
            active.IsUrgent = true;
            Monitor.PulseAll(gate);
            return waiter.Task;
        }
    }

    /// <summary>Deletes segments whose records are all below the number; <paramref name="coverage"/> is what makes them superfluous.</summary>
    public void Trim(long keepFrom, IReadOnlyList<StoreCoverage> coverage)
    {
        try
        {
            writer.Trim(keepFrom, coverage);
        }
        catch (IOException error)
        {
            throw new StoreException($"The log in {directory} could not be trimmed: {error.Message}", error);
        }
    }

    /// <summary>Reads a record that the recovery found, checked again.</summary>
    public (LogRecord Record, ReadOnlyMemory<byte> Payload) Read(LogLocation location, IStorageFile segment)
    {
        Span<byte> header = stackalloc byte[LogRecord.HeaderBytes];
        var path = SegmentPath(location);
        if (segment.Read(location.Offset, header) == header.Length)
        {
            var length = System.Buffers.Binary.BinaryPrimitives.ReadInt32LittleEndian(header[4..]);
            if (length >= 0 && length <= segment.Length - location.Offset - LogRecord.HeaderBytes)
            {
                var whole = new byte[LogRecord.HeaderBytes + length];
                segment.Read(location.Offset, whole);
                if (LogRecord.TryRead(whole) is { } record)
                {
                    return (record, whole.AsMemory(LogRecord.HeaderBytes));
                }
            }
        }

        throw LogDamage.At(path, location.Offset, "the record that was there at the start", "one that does not match its checksum");
    }

    public IStorageFile OpenSegment(LogLocation location) => files.Open(SegmentPath(location), FileOpening.Existing);

    /// <summary>Puts everything on disk and stops the thread.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (stopping)
            {
                return;
            }

            stopping = true;
            Monitor.PulseAll(gate);
        }

        thread.Join();
        writer.Dispose();
    }

    private ValueTask AppendWhole(StoreIdentity store, LogRecordKind kind, ILogPayload payload, Durability durability, out long first, out long last)
    {
        var waiter = durability == Durability.Synced ? LogWaiter.Rent() : null;
        var done = waiter?.Task ?? ValueTask.CompletedTask;
        if (payload.Length <= options.MaxPayloadBytes)
        {
            first = last = AppendRecord(store, kind, payload, waiter);
            return done;
        }

        // Not from the pool, which would keep such a long one.
        var bytes = GC.AllocateUninitializedArray<byte>(payload.Length);
        payload.CopyTo(bytes);
        var part = new LogPart(bytes);
        part.Take(0, options.MaxPayloadBytes);
        first = AppendRecord(store, LogRecordKind.BatchFirst, part, null);
        var at = options.MaxPayloadBytes;
        for (; at + options.MaxPayloadBytes < payload.Length; at += options.MaxPayloadBytes)
        {
            part.Take(at, options.MaxPayloadBytes);
            AppendRecord(store, LogRecordKind.BatchMiddle, part, null);
        }

        part.Take(at, payload.Length - at);
        last = AppendRecord(store, LogRecordKind.BatchLast, part, waiter);
        return done;
    }

    private long AppendRecord(StoreIdentity store, LogRecordKind kind, ILogPayload payload, LogWaiter? waiter)
    {
        var length = payload.Length;
        var footprint = LogRecord.Footprint(length);
        lock (gate)
        {
            ThrowIfOver();
            while (!active.HasRoom(footprint))
            {
                // Both buffers are full: the disk is the limit, and the writer of this store waits as it would for a sync.
                active.IsUrgent = true;
                Monitor.PulseAll(gate);
                Monitor.Wait(gate);
                ThrowIfOver();
            }

            // Whatever there is no memory for has to be asked for before: a record that is in the log is not refused.
            active.Waiters.EnsureCapacity(active.Waiters.Count + 1);
            var lsn = nextLsn;
            var isFirst = active.Length == 0;
            active.Append(new LogRecord(lsn, isFirst ? lsn : active.FirstLsn, store, kind, length), payload, time.GetTimestamp());

            // Only now: a number that was taken and not written would be a hole, behind which a recovery reads nothing.
            nextLsn++;
            var isNewlyUrgent = waiter is not null && !active.IsUrgent;
            if (waiter is not null)
            {
                active.Waiters.Add(waiter);
                active.IsUrgent = true;
            }

            if (isFirst || isNewlyUrgent)
            {
                Monitor.PulseAll(gate);
            }

            return lsn;
        }
    }

    private void Run()
    {
        while (TakeGroup() is { } group)
        {
            StoreException? error = null;
            try
            {
                if (group.Length > 0)
                {
                    var started = time.GetTimestamp();
                    writer.Write(group.Seal(), group.FirstLsn);
                    committed?.Invoke(time.GetElapsedTime(started));
                }
            }
            catch (Exception cause)
            {
                // Whatever it is (an I/O error, no space, a bug): nobody knows what is on disk now, and going on could lose writes.
                error = new StoreException($"The log in {directory} could not be written: {cause.Message}", cause);
            }

            if (error is not null)
            {
                // First, so that whoever learns of it finds the engine failed.
                fail(error);
            }

            Finish(group, error);
            if (error is not null)
            {
                return;
            }
        }
    }

    /// <summary>Waits until there is something to write and takes it; null when the log is stopping and empty.</summary>
    private LogBuffer? TakeGroup()
    {
        lock (gate)
        {
            while (!active.IsUrgent && !stopping)
            {
                if (active.Length == 0)
                {
                    Monitor.Wait(gate);
                    continue;
                }

                var left = options.Interval - time.GetElapsedTime(active.StartedAt);
                if (left <= TimeSpan.Zero)
                {
                    break;
                }

                Monitor.Wait(gate, left);
            }

            if (active.Length == 0 && active.Waiters.Count == 0)
            {
                return stopping ? null : active;
            }

            var group = active;
            active = spare;
            spare = group;
            Monitor.PulseAll(gate);
            return group;
        }
    }

    private void Finish(LogBuffer group, StoreException? error)
    {
        List<LogWaiter> late = [];
        lock (gate)
        {
            if (error is not null)
            {
                failure = error;
                late.AddRange(active.Waiters);
                active.Clear();
                Monitor.PulseAll(gate);
            }
            else if (group.Length > 0)
            {
                durableLsn = group.LastLsn;
            }
        }

        foreach (var waiter in group.Waiters)
        {
            waiter.Complete(error);
        }

        foreach (var waiter in late)
        {
            waiter.Complete(error);
        }

        // The group is this thread's alone until the next swap.
        group.Clear();
    }

    private void ThrowIfOver()
    {
        if (failure is not null)
        {
            throw new StoreException(failure.Message, failure);
        }

        ObjectDisposedException.ThrowIf(stopping, this);
    }

    private string SegmentPath(LogLocation location) => Path.Combine(directory, LogSegment.FileName(location.SegmentLsn));

    /// <summary>A stretch of a longer payload.</summary>
    private sealed class LogPart(byte[] bytes) : ILogPayload
    {
        private int start;

        public int Length { get; private set; }

        public void Take(int from, int length) => (start, Length) = (from, length);

        public void CopyTo(Span<byte> target) => bytes.AsSpan(start, Length).CopyTo(target);
    }
}
