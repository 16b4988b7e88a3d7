using System.Buffers.Binary;
using Kv.Core.Stores;
using RocksDbSharp;

namespace Kv.Storage.Ordered;

/// <summary>The way of what waits into RocksDB. Nobody waits within RocksDB for room on the disk: nobody else could go on then, and not even make room.</summary>
internal sealed partial class OrderedRecords
{
    /// <summary>What must be free before a disk that was full is tried again: RocksDB writes out a memtable or two, and files of its own.</summary>
    private const long RoomBytes = 16 * 1024 * 1024;

    /// <summary>How often, and with what pause between, it is tried again where RocksDB takes nothing, until writes are refused.</summary>
    private const int StallTries = 1000;

    /// <summary>How often more in a start, at each try.</summary>
    private const int ReplayStallTries = 6000;

    private static readonly TimeSpan StallPause = TimeSpan.FromMilliseconds(10);
    private static readonly WriteOptions WithoutLog = Prompt(new WriteOptions().DisableWal(1));
    private static readonly FlushOptions Waiting = Prompt(new FlushOptions().SetWaitForFlush(true));

    // What RocksDB said when it took nothing, until it takes something again. Under the lock of those who write.
    private string? stall;

    /// <summary>
    /// Puts into RocksDB what the log has on disk, up to the number; waits for whoever is at it, and for some seconds while RocksDB takes nothing. Where there is no room for it all stays as it is: see
    /// <see cref="WhyFull"/>.
    /// </summary>
    /// <exception cref="StoreDamagedException">RocksDB found damage.</exception>
    /// <exception cref="IOException">It cannot write.</exception>
    public void Settle(long durable)
    {
        var tries = 1;
        while (!IsSettled(durable, tries == StallTries) && !closed.Wait(StallPause))
        {
            tries++;
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
            _ = TrySettleAlone(durable, isLastTry: false);
        }
        finally
        {
            writing.Exit();
        }
    }

    /// <summary>
    /// As <see cref="Settle"/>, where more than so many bytes wait: for whoever replays the log and asks with each of its records. On a disk without room all of it waits, and what a try costs grows with
    /// it: the next one comes when twice as much waits.
    /// </summary>
    public void SettleReplayed(long durable, long above)
    {
        if (WaitingBytes > Math.Max(above, replaySettlesAbove))
        {
            Settle(durable);

            // Files to merge on a slow disk are waited for longer: nobody else waits here, and memory is not for what a disk has room for.
            for (var tries = 0; tries < ReplayStallTries && stall is not null && HasRoom() && !closed.Wait(StallPause); tries++)
            {
                Settle(durable);
            }

            replaySettlesAbove = 2 * WaitingBytes;
        }
    }

    /// <summary>Puts into RocksDB what the log has on disk, up to the number, and on disk what RocksDB has; gives the number that it has there then, and null where nothing was ever kept.</summary>
    /// <exception cref="OrderedFullException">There is no room for it; it may be tried again.</exception>
    public long? Flush(long durable)
    {
        Settle(durable);

        // Somebody else may have found room since then, for a part of it alone.
        if ((full ?? (DurableSteps(durable).Count > 0 ? $"The ordered records in {directory} wait still." : null)) is { } reason)
        {
            throw new OrderedFullException(reason, null);
        }

        if (db is not { } open)
        {
            return null;
        }

        var sequence = (long)open.GetLatestSequenceNumber();
        try
        {
            Guarded(() => open.Flush(Waiting));
            return sequence;
        }
        catch (OrderedFullException error)
        {
            RanOut(error.Message);
            throw;
        }
    }

    private static WriteOptions Prompt(WriteOptions options)
    {
        Native.Instance.rocksdb_writeoptions_set_no_slowdown(options.Handle, 1);
        return options;
    }

    /// <summary>Goes on even where it brings about a stall: to wait for merges first could be for ever.</summary>
    private static FlushOptions Prompt(FlushOptions options)
    {
        Native.Instance.rocksdb_flushoptions_set_allow_write_stall(options.Handle, 1);
        return options;
    }

    private bool IsSettled(long durable, bool isLastTry)
    {
        lock (writing)
        {
            return TrySettleAlone(durable, isLastTry);
        }
    }

    /// <summary>False where RocksDB takes nothing now and it may be tried again.</summary>
    private bool TrySettleAlone(long durable, bool isLastTry)
    {
        // The room first: while there is none, everything waits.
        if (closed.IsSet || (full is not null && !HasRoom()))
        {
            return true;
        }

        var settled = DurableSteps(durable);
        if (settled.Count == 0 && full is null)
        {
            return true;
        }

        // Asked first: what waits is copied for each try.
        if (stall is not null && db?.GetProperty("rocksdb.is-write-stopped") == "1")
        {
            return IsGivenUp(isLastTry);
        }

        using var batch = BatchOf(settled);
        try
        {
            Guarded(() => ToWrite().Write(batch, WithoutLog));
        }
        catch (OrderedFullException error)
        {
            stall = null;
            RanOut(error.Message);
            return true;
        }
        catch (OrderedStalledException error)
        {
            stall = error.Message;
            return IsGivenUp(isLastTry);
        }

        (full, stall) = (null, null);
        lock (gate)
        {
            settled.ForEach(Forget);
        }

        return true;
    }

    private bool HasRoom() => files.FreeBytes(Path.GetDirectoryName(directory)!) >= RoomBytes;

    /// <summary>Whether a stall is not waited for any longer: writes are refused from here on, until it is over.</summary>
    private bool IsGivenUp(bool isLastTry)
    {
        if (!HasRoom())
        {
            RanOut($"{stall}: No space left on device for what it has to write first.");
        }
        else if (isLastTry)
        {
            RanOut(stall!);
        }

        return full is not null;
    }

    private static RocksDbSharp.WriteBatch BatchOf(List<Step> settled)
    {
        var batch = new RocksDbSharp.WriteBatch();
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

        if (settled is [.., var last])
        {
            var lsn = new byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(lsn, last.Lsn);
            batch.Put(SettledKey, lsn);
        }

        return batch;
    }

    private List<Step> DurableSteps(long durable)
    {
        lock (gate)
        {
            return [.. steps.TakeWhile(step => step.Lsn <= durable)];
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

    private void RanOut(string reason)
    {
        if (full is null)
        {
            ranOut(reason);
        }

        full = reason;
    }
}
