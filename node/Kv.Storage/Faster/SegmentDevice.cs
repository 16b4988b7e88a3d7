using System.Buffers;
using System.Collections.Concurrent;
using FASTER.core;
using Kv.Storage.Files;

namespace Kv.Storage.Faster;

/// <summary>
/// FASTER's disk on the files port. Page writes are not synced one by one: the node's log holds what they hold until a checkpoint, which syncs
/// them all at once (<see cref="SyncAll"/>). Segments that FASTER lets go are deleted only when the checkpoint that no longer needs them
/// is on disk (<see cref="DeleteRemoved"/>). A failed write ends the engine. Each sector of records has a checksum, which every read of it is compared with: of what does not match FASTER
/// gets zeros, as of what was never written, and whoever asked looks at <see cref="Damage"/>.
/// </summary>
internal sealed unsafe class SegmentDevice : StorageDeviceBase
{
    private const int MaxPendingWrites = 64;
    private readonly IStorageFiles files;
    private readonly Func<bool> hasFailed;
    private readonly Action<Exception> fail;
    private readonly bool isInline;
    private readonly ConcurrentDictionary<int, Lazy<IStorageFile>> open = [];
    private readonly ConcurrentDictionary<int, Lazy<SectorSums>> sums = [];
    private readonly ConcurrentDictionary<int, bool> dirty = [];
    private readonly ConcurrentQueue<int> removed = new();
    private TaskCompletionSource endOfWrite = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int pendingWrites;
    private int deletedBelow;
    private string? damage;

    /// <param name="isInline">Completes before the call returns: for checkpoint metadata, whose writer waits on the thread it was called on, and which has checksums of its own.</param>
    /// <param name="hasFailed">Whether the engine has failed: from then on nothing is written.</param>
    /// <param name="fail">Called with what went wrong, before FASTER hears of the end of what did.</param>
    public SegmentDevice(IStorageFiles files, string path, bool isInline, Func<bool> hasFailed, Action<Exception> fail)
        : base(path, sectorSize: SectorSums.SectorBytes, capacity: -1)
    {
        this.files = files;
        this.isInline = isInline;
        this.hasFailed = hasFailed;
        this.fail = fail;
        ThrottleLimit = MaxPendingWrites;
    }

    /// <summary>The address below which sectors are written, and not written over, so that they have to match their checksums.</summary>
    public Func<long> WrittenBelow { get; set; } = static () => 0;

    /// <summary>While a checkpoint is recovered FASTER writes over what the checkpoint covers, which a crash must not take for rot.</summary>
    public bool WritesOver { get; set; }

    /// <summary>Where a sector was first found that is not as it was written, and what of it; null where none was.</summary>
    public string? Damage => Volatile.Read(ref damage);

    /// <summary>Writes that are under way.</summary>
    public int PendingWrites => Volatile.Read(ref pendingWrites);

    /// <summary>Completes with the end of a write that was under way when this was asked for, or a later one.</summary>
    public Task WhenWritten => Volatile.Read(ref endOfWrite).Task;

    public override bool Throttle() => Volatile.Read(ref pendingWrites) > ThrottleLimit;

    public override void WriteAsync(IntPtr sourceAddress, int segmentId, ulong destinationAddress, uint numBytesToWrite, DeviceIOCompletionCallback callback, object context)
    {
        Interlocked.Increment(ref pendingWrites);
        if (isInline)
        {
            Write(sourceAddress, segmentId, (long)destinationAddress, numBytesToWrite, callback, context);
            return;
        }

        ThreadPool.UnsafeQueueUserWorkItem(
            static io => io.Device.Write(io.Address, io.Segment, io.Offset, io.Bytes, io.Callback, io.Context),
            (Device: this, Address: sourceAddress, Segment: segmentId, Offset: (long)destinationAddress, Bytes: numBytesToWrite, Callback: callback, Context: context),
            preferLocal: false);
    }

    public override void ReadAsync(int segmentId, ulong sourceAddress, IntPtr destinationAddress, uint readLength, DeviceIOCompletionCallback callback, object context)
    {
        if (isInline)
        {
            Read(destinationAddress, segmentId, (long)sourceAddress, readLength, callback, context);
            return;
        }

        ThreadPool.UnsafeQueueUserWorkItem(
            static io => io.Device.Read(io.Address, io.Segment, io.Offset, io.Bytes, io.Callback, io.Context),
            (Device: this, Address: destinationAddress, Segment: segmentId, Offset: (long)sourceAddress, Bytes: readLength, Callback: callback, Context: context),
            preferLocal: false);
    }

    public override void RemoveSegmentAsync(int segment, AsyncCallback callback, IAsyncResult result)
    {
        removed.Enqueue(segment);
        callback(result);
    }

    public override long GetFileSize(int segment) => files.Exists(PathOf(segment)) ? Segment(segment).Length : 0;

    /// <summary>Puts every segment written since the last call on disk.</summary>
    public void SyncAll()
    {
        foreach (var segment in dirty.Keys)
        {
            dirty.TryRemove(segment, out _);
            Segment(segment).Sync();
            if (!isInline)
            {
                Sums(segment).Sync();
            }
        }
    }

    /// <summary>The sector in which a checkpoint ends that was just written; null where it is not certain to be as it was written, be it that it is being written over.</summary>
    public CheckpointTail? TailAt(long end)
    {
        var found = new byte[SectorSums.SectorBytes];
        var length = (int)(end % found.Length);
        var (segment, offset) = PlaceOf(end - length);
        return length == 0 || (GetFileSize(segment) >= offset + length && Segment(segment).Read(offset, found) >= length && Sums(segment).FirstRotten(offset, found) is null)
            ? new CheckpointTail(end, found.AsMemory(0, length))
            : null;
    }

    /// <summary>Writes the sector in which a checkpoint ends as it was then, where it is not. Why, where no crash is certain to be the reason; else null.</summary>
    public string? Restore(CheckpointTail tail)
    {
        var found = new byte[SectorSums.SectorBytes];
        var (segment, offset) = PlaceOf(tail.Sector);

        // A file that is gone is found to be by others.
        if (GetFileSize(segment) == 0)
        {
            return null;
        }

        Segment(segment).Read(offset, found);
        if (found.AsSpan(0, tail.Bytes.Length).SequenceEqual(tail.Bytes.Span))
        {
            return null;
        }

        var isAsWritten = Sums(segment).FirstRotten(offset, found) is null;
        var sector = new byte[SectorSums.SectorBytes];
        tail.Bytes.CopyTo(sector);
        WriteOver(segment, offset, sector);
        Sums(segment).Write(offset, sector);
        dirty[segment] = true;
        return isAsWritten ? null : $"{PathOf(segment)} at offset {offset}: the sector in which the checkpoint ends rotted, or a crash came while it was written over, and is again as it was at the checkpoint";
    }

    /// <summary>The segments let go so far; to be deleted once a checkpoint without them is on disk.</summary>
    public int[] TakeRemoved()
    {
        var taken = new List<int>();
        while (removed.TryDequeue(out var segment))
        {
            taken.Add(segment);
        }

        return [.. taken];
    }

    public void DeleteRemoved(IEnumerable<int> segments)
    {
        foreach (var segment in segments)
        {
            Volatile.Write(ref deletedBelow, Math.Max(Volatile.Read(ref deletedBelow), segment + 1));
            dirty.TryRemove(segment, out _);
            if (open.TryRemove(segment, out var file))
            {
                DisposeOf(file);
            }

            if (sums.TryRemove(segment, out var sum))
            {
                DisposeOf(sum);
            }

            files.Delete(PathOf(segment));
            files.Delete(SumsPathOf(segment));
        }
    }

    public override void Dispose()
    {
        // Page writes may still be under way when a store closes without a checkpoint; their memory stays until they end.
        var spin = new SpinWait();
        while (Volatile.Read(ref pendingWrites) > 0)
        {
            spin.SpinOnce();
        }

        foreach (var file in open.Values)
        {
            DisposeOf(file);
        }

        foreach (var sum in sums.Values)
        {
            DisposeOf(sum);
        }

        open.Clear();
        sums.Clear();
    }

    /// <summary>One that could not be opened keeps its exception, and is nothing to close.</summary>
    private static void DisposeOf<T>(Lazy<T> opened)
        where T : IDisposable
    {
        if (opened.IsValueCreated)
        {
            opened.Value.Dispose();
        }
    }

    /// <summary>
    /// FASTER waits for ever on a page whose write failed, and so would whoever takes a checkpoint or closes. It is told that all went well: the engine has failed before it is, and whoever asked FASTER
    /// looks at that before anything counts. Of an engine that has failed nothing is written any more: a page may be of zeros that stand for what could not be read, over records that are whole on the disk.
    /// </summary>
    private void Write(IntPtr source, int segment, long offset, uint bytes, DeviceIOCompletionCallback callback, object context)
    {
        try
        {
            if (!hasFailed())
            {
                WriteToSegment(segment, offset, new ReadOnlySpan<byte>((void*)source, (int)bytes));
            }
        }
        catch (Exception cause)
        {
            fail(cause);
        }

        callback(0, bytes, context);
        Interlocked.Decrement(ref pendingWrites);
        Interlocked.Exchange(ref endOfWrite, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }

    private void WriteToSegment(int segment, long offset, ReadOnlySpan<byte> written)
    {
        if (isInline)
        {
            Segment(segment).Write(offset, written);
        }
        else
        {
            WriteSummed(segment, offset, written);
        }

        dirty[segment] = true;
    }

    /// <summary>By way of a copy: FASTER marks records in a page that is being written, and the checksum has to be that of what comes to the disk.</summary>
    private void WriteSummed(int segment, long offset, ReadOnlySpan<byte> written)
    {
        var rented = ArrayPool<byte>.Shared.Rent(written.Length);
        try
        {
            var copy = rented.AsSpan(0, written.Length);
            written.CopyTo(copy);
            if (WritesOver)
            {
                WriteOver(segment, offset, copy);
            }
            else
            {
                Segment(segment).Write(offset, copy);
            }

            Sums(segment).Write(offset, copy);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private void WriteOver(int segment, long offset, ReadOnlySpan<byte> sectors)
    {
        Sums(segment).Forget(offset, sectors);
        Segment(segment).Write(offset, sectors);
        Segment(segment).Sync();
    }

    private (int Segment, long Offset) PlaceOf(long address) => ((int)(address / SegmentSize), address % SegmentSize);

    private void Read(IntPtr target, int segment, long offset, uint bytes, DeviceIOCompletionCallback callback, object context)
    {
        var span = new Span<byte>((void*)target, (int)bytes);
        try
        {
            // Before the read: what is written by now stays as it is.
            var writtenBelow = isInline ? 0 : WrittenBelow();

            // FASTER reads whole sectors, past the end of what was written too: those bytes are zeros.
            span[ReadSegment(segment, offset, span)..].Clear();
            if (!IsSound(segment, offset, span, writtenBelow))
            {
                span.Clear();
            }
        }
        catch (Exception) when (segment < Volatile.Read(ref deletedBelow))
        {
            span.Clear();
        }
        catch (Exception cause)
        {
            // As for a write: a scan that is told would wait for ever.
            span.Clear();
            fail(cause);
        }

        callback(0, bytes, context);
    }

    /// <summary>A read that was under way when its segment was deleted finds nothing; its record has moved, and its reader looks again.</summary>
    private int ReadSegment(int segment, long offset, Span<byte> into) =>
        segment < Volatile.Read(ref deletedBelow) ? 0 : Segment(segment).Read(offset, into);

    private bool IsSound(int segment, long offset, ReadOnlySpan<byte> found, long writtenBelow)
    {
        var certain = Math.Clamp(writtenBelow - (segment * SegmentSize) - offset, 0, found.Length) & -SectorSums.SectorBytes;
        if (certain == 0 || segment < Volatile.Read(ref deletedBelow) || Sums(segment).FirstRotten(offset, found[..(int)certain]) is not { } rotten || segment < Volatile.Read(ref deletedBelow))
        {
            return true;
        }

        Interlocked.CompareExchange(
            ref damage, $"The store's records are damaged: {PathOf(segment)} at offset {rotten}: expected {SectorSums.SectorBytes} bytes that match their checksum, found some that do not.", null);
        return false;
    }

    private SectorSums Sums(int segment) =>
        sums.GetOrAdd(segment, id => new Lazy<SectorSums>(() => new SectorSums(files.Open(SumsPathOf(id), FileOpening.ExistingOrCreate)))).Value;

    private IStorageFile Segment(int segment) =>
        open.GetOrAdd(segment, id => new Lazy<IStorageFile>(() => files.Open(PathOf(id), FileOpening.ExistingOrCreate))).Value;

    private string PathOf(int segment) => FileName + "." + segment.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private string SumsPathOf(int segment) => Path.Combine(Path.GetDirectoryName(FileName)!, StoreLog.SumsFileName) + "." + segment.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
