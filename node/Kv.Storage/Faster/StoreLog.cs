using FASTER.core;
using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage.Faster;

/// <summary>The FasterKV of one store with its devices: made new or recovered from a checkpoint, and its log's addresses.</summary>
internal sealed class StoreLog : IDisposable
{
    public const string FileName = "records";
    public const string SumsFileName = "sums";
    private const long IndexBytesPerKey = 8;
    private const int BucketBytes = 64;

    private readonly IStoreHost host;
    private readonly IStorageFiles files;
    private readonly string directory;
    private readonly SegmentDevice device;
    private readonly CheckpointDevices checkpointDevices;
    private readonly DeviceLogCommitCheckpointManager checkpoints;
    private readonly FasterKV<SpanByte, SpanByte> faster;

    // Of the checkpoint that is on disk. One that ends at the same place has the same, and nobody wrote it since: what is on the disk may have rotted.
    private CheckpointTail? tail;

    /// <param name="host">The engine, which a device that fails ends. Of its sizes those of the checkpoint win where there is one, since they are part of what is on disk.</param>
    /// <param name="directory">The store's directory.</param>
    /// <param name="checkpoint">What to recover; null begins empty, and whatever records lie in the directory are deleted.</param>
    /// <exception cref="StoreDamagedException">The checkpoint is proven to be damaged.</exception>
    /// <exception cref="StoreException">It cannot be recovered now.</exception>
    public StoreLog(IStoreHost host, string directory, StoreCheckpoint? checkpoint)
    {
        this.host = host;
        files = host.Files;
        var options = host.Options;
        this.directory = directory;
        PageBytes = checkpoint?.PageBytes ?? options.PageBytes;
        SegmentBytes = checkpoint?.SegmentBytes ?? Math.Max(options.StoreSegmentBytes, PageBytes);
        DeleteSuperfluous(checkpoint);
        device = new SegmentDevice(files, Path.Combine(directory, FileName), isInline: false, HasFailed, Fail);
        checkpointDevices = new CheckpointDevices(files, directory, HasFailed, Fail);
        checkpoints = new DeviceLogCommitCheckpointManager(checkpointDevices, new DefaultCheckpointNamingScheme(), removeOutdated: false);
        faster = new FasterKV<SpanByte, SpanByte>(new FasterKVSettings<SpanByte, SpanByte>
        {
            LogDevice = device,
            PageSize = PageBytes,
            MemorySize = Math.Max(options.StoreMemoryBytes, 4L * PageBytes),
            SegmentSize = SegmentBytes,
            IndexSize = options.StoreIndexBytes,
            MutableFraction = 0.9,
            EqualityComparer = new SpanByteComparer(),
            CheckpointManager = checkpoints,
            TryRecoverLatest = false,
        });
        if (checkpoint is not null)
        {
            Recover(checkpoint);
        }

        // FASTER moves it from page to page, past those that are written to the end.
        device.WrittenBelow = () => faster.Log.HeadAddress;
    }

    public int PageBytes { get; }

    public long SegmentBytes { get; }

    public long TailAddress => faster.Log.TailAddress;

    /// <summary>Records below are on disk only.</summary>
    public long HeadAddress => faster.Log.HeadAddress;

    public long BeginAddress => faster.Log.BeginAddress;

    /// <summary>Bytes of records, live and dead.</summary>
    public long Bytes => TailAddress - BeginAddress;

    /// <summary>Bytes of the index in a checkpoint; overflow buckets are few.</summary>
    public long IndexBytes => faster.IndexSize * BucketBytes;

    /// <summary>The file and offset of an address, for people.</summary>
    public string PlaceOf(long address) => $"{Path.Combine(directory, FileName)}.{address / SegmentBytes} at offset {address % SegmentBytes}";

    /// <summary>What a scan came to, copied, if it is whole. A scan must not pass over a record that is not, which may be any key's.</summary>
    /// <exception cref="StoreDamagedException">It does not match its checksum.</exception>
    public (byte[] Key, byte[] Value, long Address) Scanned(IFasterScanIterator<SpanByte, SpanByte> scan)
    {
        ref var key = ref scan.GetKey();
        ref var value = ref scan.GetValue();
        if (key.Serialized && value.Serialized && key.Length >= StoreValue.KeyPrefixBytes && StoreValue.IsWhole(value.AsReadOnlySpan(), key.AsReadOnlySpan()))
        {
            return (key.ToByteArray(), value.ToByteArray(), scan.CurrentAddress);
        }

        throw new StoreDamagedException($"The store's records are damaged: {PlaceOf(scan.CurrentAddress)}: expected a record that matches its checksum, found one that does not.");
    }

    /// <summary>To be asked after every read and before what it gave is believed: of what rotted FASTER got zeros, and says "not found".</summary>
    /// <exception cref="StoreDamagedException">Something read from the disk is not as it was written.</exception>
    public void ThrowIfDamaged()
    {
        if (device.Damage is { } reason)
        {
            throw new StoreDamagedException(reason);
        }
    }

    public StoreSession NewSession(MovingKeys? moving = null)
    {
        var functions = new StoreFunctions();
        return new StoreSession(faster.For(functions).NewSession<StoreFunctions>(), functions, PageBytes) { Moving = moving };
    }

    /// <summary>
    /// Makes every record read-only and returns where the tail is: from here on a write of a key leaves its old record as it is and appends. FASTER would
    /// otherwise close the old record, which scans then skip. No write may run meanwhile.
    /// </summary>
    public long Freeze()
    {
        var tail = faster.Log.TailAddress;
        faster.Log.ShiftReadOnlyAddress(tail, wait: false);
        return tail;
    }

    /// <summary>A scan of the log's records in a range, for one page at a time.</summary>
    public IFasterScanIterator<SpanByte, SpanByte> Scan(long from, long to) => faster.Log.Scan(from, to, ScanBufferingMode.SinglePageBuffering);

    /// <summary>Doubles the index until it has 8 bytes for each key, but for one that has grown to its bound.</summary>
    public void GrowIndexFor(long keys, long maxBytes)
    {
        while (IndexBytes < keys * IndexBytesPerKey && IndexBytes * 2 <= maxBytes && faster.GrowIndex())
        {
            // Each round doubles it.
        }
    }

    /// <summary>Rounds down to a page and makes what lies below read-only and written to the disk; gives how far that reaches.</summary>
    public async Task<long> FreezeBelowAsync(long until)
    {
        until -= until % PageBytes;
        if (until > faster.Log.SafeReadOnlyAddress)
        {
            await WriteOutAsync(Math.Min(until, faster.Log.TailAddress));
            until = Math.Min(until, faster.Log.SafeReadOnlyAddress);
        }

        return until - (until % PageBytes);
    }

    /// <summary>Lets go of everything below. The space comes back with the next checkpoint.</summary>
    public void ShiftBegin(long address) => faster.Log.ShiftBeginAddress(address, truncateLog: false);

    /// <summary>Takes a checkpoint and returns its token and what it freed; all of it is on disk when this completes.</summary>
    public async Task<(Guid Token, long BeginAddress, int[] Removable)> CheckpointAsync()
    {
        var begin = faster.Log.BeginAddress;
        var (success, token) = await faster.TakeFullCheckpointAsync(CheckpointType.FoldOver);
        if (!success)
        {
            throw new StoreException($"The store in {directory} could not take a checkpoint: another one is under way.");
        }

        // FASTER waits only for what this checkpoint made read-only: not for pages that a fold did just before (Freeze), which may be on their way to the disk still, and would be missing from it after a crash.
        var end = EndOf(token);
        await WriteOutAsync(end);
        device.SyncAll();
        checkpointDevices.SyncAll();
        tail = tail?.End == end ? tail : device.TailAt(end);
        SectorSums.Mark(files, directory, IndexFilesOf(token), tail);
        CheckpointSums.Write(files, directory, IndexFilesOf(token), LogFilesOf(token));
        files.SyncDirectory(directory);
        return (token, begin, device.TakeRemoved());
    }

    /// <summary>Deletes what the checkpoint that is on disk now no longer needs: segments, and FASTER's checkpoints with other tokens.</summary>
    public void DeleteOutdated(Guid keep, IEnumerable<int> segments)
    {
        device.DeleteRemoved(segments);
        var kept = keep.ToString();
        var naming = new DefaultCheckpointNamingScheme();
        foreach (var holder in new[] { naming.IndexCheckpointBasePath(), naming.LogCheckpointBasePath() })
        {
            foreach (var name in files.List(Path.Combine(directory, holder)))
            {
                if (!string.Equals(name, kept, StringComparison.OrdinalIgnoreCase))
                {
                    files.DeleteDirectory(Path.Combine(directory, holder, name));
                }
            }
        }
    }

    public void Dispose()
    {
        faster.Dispose();
        device.Dispose();
    }

    private bool HasFailed() => host.HasFailed;

    private void Fail(Exception cause) => host.Fail($"The store in {directory} could not read or write its records", cause);

    /// <summary>Makes what lies below read-only and completes when the disk has it. FASTER's own wait for that spins: it comes last, when the writes that were under way have ended.</summary>
    private async Task WriteOutAsync(long until)
    {
        faster.Log.ShiftReadOnlyAddress(until, wait: false);
        for (var left = device.PendingWrites; left > 0; left--)
        {
            // Asked for before the look, so that no end comes between the two.
            var end = device.WhenWritten;
            if (device.PendingWrites == 0)
            {
                break;
            }

            await end;
        }

        faster.Log.ShiftReadOnlyAddress(until, wait: true);
    }

    private void RestoreTail(StoreCheckpoint checkpoint, long end)
    {
        if (SectorSums.ReadTail(files, directory, IndexFilesOf(checkpoint.IndexToken), end) is not { } kept)
        {
            return;
        }

        try
        {
            if (device.Restore(kept) is { } what)
            {
                host.Restored(what);
            }
        }
        catch (IOException error)
        {
            throw host.Fail($"The store in {directory} could not be read where its checkpoint ends: {error.Message}", error);
        }
    }

    private void Recover(StoreCheckpoint checkpoint)
    {
        try
        {
            // FASTER takes an index whose files are gone for an empty one.
            Require(Path.Combine(directory, IndexFilesOf(checkpoint.IndexToken)));
            Require(Path.Combine(directory, LogFilesOf(checkpoint.LogToken)));
            CheckpointSums.Check(files, directory, IndexFilesOf(checkpoint.IndexToken));
            var end = EndOf(checkpoint.LogToken);
            RestoreTail(checkpoint, end);
            device.WrittenBelow = () => end;
            device.WritesOver = true;
            faster.Recover(checkpoint.IndexToken, checkpoint.LogToken);
            device.WritesOver = false;

            // What a device that failed gave FASTER is zeros: nothing may be written on top of them.
            host.ThrowIfFailed();
            ThrowIfDamaged();

            // With what FASTER marked just now.
            tail = device.TailAt(end);
        }
        catch (Exception error)
        {
            Dispose();
            var message = $"The store in {directory} cannot be recovered from its checkpoint {checkpoint.LogToken} (covers sequence number {checkpoint.CoveredLsn}): {device.Damage ?? error.Message}";
            throw device.Damage is not null || IsProofOfDamage(error) ? new StoreDamagedException(message, error) : new StoreException(message, error);
        }

        DeleteOutdated(checkpoint.LogToken, []);
    }

    /// <summary>The address at which the records of a checkpoint end. The sector that it lies in may have been written over since: see <see cref="CheckpointTail"/>.</summary>
    private long EndOf(Guid token)
    {
        using var reader = new StreamReader(new MemoryStream(checkpoints.GetLogCheckpointMetadata(token, null, false, -1)));
        HybridLogRecoveryInfo info = default;
        info.Initialize(reader);
        return info.finalLogicalAddress;
    }

    /// <summary>
    /// Files that are gone, FASTER's checksums, and metadata that it cannot parse. Anything else (no memory, a disk or a table of files that fails for now) says nothing of the data, and the next start
    /// tries again.
    /// </summary>
    private static bool IsProofOfDamage(Exception error) =>
        error is StoreDamagedException or FileNotFoundException or FasterException or FormatException or OverflowException or ArgumentException or IndexOutOfRangeException;

    private static string IndexFilesOf(Guid token) => Path.Combine("index-checkpoints", $"{token}");

    private static string LogFilesOf(Guid token) => Path.Combine("cpr-checkpoints", $"{token}");

    private void Require(string checkpointFiles)
    {
        if (files.List(checkpointFiles).Count == 0)
        {
            throw new FileNotFoundException($"{checkpointFiles} is missing or empty");
        }
    }

    private void DeleteSuperfluous(StoreCheckpoint? checkpoint)
    {
        var first = checkpoint?.BeginAddress / SegmentBytes ?? long.MaxValue;
        var isSummed = checkpoint is not null && SectorSums.HasMark(files, directory, IndexFilesOf(checkpoint.IndexToken));
        DeleteSegments(FileName, segment => segment < first);
        DeleteSegments(SumsFileName, segment => segment < first || !isSummed);
    }

    private void DeleteSegments(string fileName, Predicate<long> isSuperfluous)
    {
        foreach (var name in files.List(directory))
        {
            var number = name.AsSpan().StartsWith(fileName + ".", StringComparison.Ordinal) ? name.AsSpan(fileName.Length + 1) : [];
            if (long.TryParse(number, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var segment) && isSuperfluous(segment))
            {
                files.Delete(Path.Combine(directory, name));
            }
        }
    }
}
