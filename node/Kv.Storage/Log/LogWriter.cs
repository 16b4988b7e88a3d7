using Kv.Storage.Files;

namespace Kv.Storage.Log;

/// <summary>
/// Puts sealed groups into segments: one write and one sync each. Used by the log's thread alone, but for trimming, which the same lock guards.
/// </summary>
internal sealed class LogWriter : IDisposable
{
    /// <summary>What drops of all partitions take that may come at once on a full disk, and more.</summary>
    private const int SmallGroupsBytes = 8 * LogRecord.GroupAlignment;

    private readonly IStorageFiles files;
    private readonly string directory;
    private readonly LogOptions options;
    private readonly Guid logId;
    private readonly DiskReserve reserve;

    // Guards the list of segments and the manifest between the log's thread and whoever trims.
    private readonly Lock gate = new();
    private readonly List<(long FirstLsn, int Bytes)> segments;
    private IReadOnlyList<StoreCoverage> stores;
    private volatile Task? ready; // The making of the next segment's file; null where it has not begun.
    private IStorageFile? current;
    private volatile int currentBytes;
    private volatile int offset;

    public LogWriter(IStorageFiles files, string directory, LogOptions options, LogRecovery recovered)
    {
        this.files = files;
        this.directory = directory;
        this.options = options;
        stores = recovered.Manifest?.Stores ?? [];
        logId = recovered.Manifest?.LogId ?? Guid.NewGuid();
        segments = recovered.Segments.Select(first => (first, SizeOf(first))).ToList();
        reserve = new DiskReserve(files, directory);
        reserve.Make();
        ready = LogSegment.KeepReady(files, directory, options.SegmentBytes) ? Task.CompletedTask : null;
        if (recovered.Manifest is null)
        {
            new LogManifest(logId, 1, 0, []).Write(files, directory);
        }

        if (segments.Count == 0)
        {
            Rotate(recovered.NextLsn);
        }
        else
        {
            (var first, currentBytes) = segments[^1];
            current = files.Open(PathOf(first), FileOpening.Existing);
            offset = recovered.EndOffset;
            PrepareIfDue();
        }
    }

    /// <summary>Whether some small groups can be written though the disk has no room: into the segment, or into the next one, whose file is ready.</summary>
    public bool HasRoomAtHand => ready is { IsCompletedSuccessfully: true } || offset + SmallGroupsBytes <= currentBytes;

    /// <summary>Bytes of all segment files.</summary>
    public long TotalBytes
    {
        get
        {
            lock (gate)
            {
                return segments.Sum(segment => (long)segment.Bytes);
            }
        }
    }

    /// <summary>First sequence number of the segment in the middle: what needs older ones holds back half of the log.</summary>
    public long MiddleLsn
    {
        get
        {
            lock (gate)
            {
                return segments[segments.Count / 2].FirstLsn;
            }
        }
    }

    /// <summary>Writes and syncs one group.</summary>
    public void Write(ReadOnlySpan<byte> group, long firstLsn)
    {
        if (offset + group.Length > currentBytes)
        {
            Rotate(firstLsn);
        }

        current!.Write(offset, group);
        current.Sync();
        offset += group.Length;
        PrepareIfDue();
    }

    /// <summary>Deletes the segments all of whose records are below <paramref name="keepFrom"/>; what is covered goes into the manifest first.</summary>
    public void Trim(long keepFrom, IReadOnlyList<StoreCoverage> coverage)
    {
        lock (gate)
        {
            var superfluous = 0;
            while (superfluous + 1 < segments.Count && segments[superfluous + 1].FirstLsn <= keepFrom)
            {
                superfluous++;
            }

            if (superfluous == 0)
            {
                return;
            }

            var removed = segments.GetRange(0, superfluous);
            stores = coverage;
            Write(new LogManifest(logId, segments[superfluous].FirstLsn, segments[^1].FirstLsn, stores));
            segments.RemoveRange(0, superfluous);
            foreach (var (firstLsn, _) in removed)
            {
                files.Delete(PathOf(firstLsn));
            }

            files.SyncDirectory(directory);
        }
    }

    public void Dispose()
    {
        try
        {
            ready?.Wait();
        }
        catch (AggregateException)
        {
            // The segment that was being made ready is not needed any more, and its remains are deleted at the next start.
        }

        current?.Dispose();
        current = null;
    }

    private void Rotate(long firstLsn)
    {
        if (!IsReady())
        {
            LogSegment.MakeReady(files, directory, options.SegmentBytes);
        }

        ready = null;
        var next = LogSegment.Begin(files, directory, options.SegmentBytes, logId, firstLsn);
        lock (gate)
        {
            segments.Add((firstLsn, options.SegmentBytes));
            Write(new LogManifest(logId, segments[0].FirstLsn, firstLsn, stores));
        }

        current?.Dispose();
        (current, currentBytes) = (next, options.SegmentBytes);
        offset = LogSegment.HeaderBytes;
    }

    private void PrepareIfDue()
    {
        if (options.PrepareAhead && ready is null && offset > currentBytes / 2)
        {
            ready = Task.Run(() => LogSegment.MakeReady(files, directory, options.SegmentBytes));
        }
    }

    /// <summary>Whether the next segment was made ahead. On a disk that is full it was, before writes were refused; what could not be made then is tried again.</summary>
    private bool IsReady()
    {
        try
        {
            ready?.GetAwaiter().GetResult();
            return ready is not null;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Also on a full disk, where the record of a drop may be the one that begins a segment.</summary>
    private void Write(LogManifest manifest) =>
        reserve.Write(Path.Combine(directory, LogManifest.FileName), () => manifest.Write(files, directory));

    private int SizeOf(long firstLsn)
    {
        using var file = files.Open(PathOf(firstLsn), FileOpening.Existing);
        return (int)file.Length;
    }

    private string PathOf(long firstLsn) => Path.Combine(directory, LogSegment.FileName(firstLsn));
}
