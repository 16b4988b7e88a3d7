using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage.Log;

/// <summary>
/// Reads and verifies the whole log at start. Only one group is ever in flight, so all that a crash can leave is one damaged group at the very
/// end, whatever order the disk wrote its blocks in: that is cut and zeroed again. A damaged record that was acknowledged once, because a later group is behind it, it is in a
/// segment that is not the last or a checkpoint covers it, is refused, and so is one that no crash leaves (<see cref="TornGroup"/>).
/// </summary>
/// <param name="acknowledged">A sequence number that the log has had on disk, as something else on the disk proves; 0 where nothing does.</param>
internal sealed class LogRecovery(IStorageFiles files, string directory, long acknowledged, Action<LogRecord, LogLocation> found)
{
    private readonly List<long> segments = [];

    /// <summary>Where the last group of the segment that was read begins, and its number.</summary>
    private int lastGroupAt;
    private long lastGroupLsn;

    /// <summary>First sequence number of each segment, oldest first.</summary>
    public IReadOnlyList<long> Segments => segments;

    /// <summary>The sequence number that the next record gets.</summary>
    public long NextLsn { get; private set; } = 1;

    /// <summary>Where the next group starts in the last segment.</summary>
    public int EndOffset { get; private set; }

    /// <summary>Bytes behind the last good record that were cut: a group that was being written when the process died.</summary>
    public long TornBytes { get; private set; }

    /// <summary>Size of the last segment, which later ones may differ from where the option was changed.</summary>
    public int LastSegmentBytes { get; private set; }

    /// <summary>The identity and oldest segment that the manifest tells; null for a new log.</summary>
    public LogManifest? Manifest { get; private set; }

    public void Run()
    {
        foreach (var name in files.List(directory))
        {
            if (name.EndsWith(SealedFile.TemporarySuffix, StringComparison.Ordinal))
            {
                files.Delete(Path.Combine(directory, name));
            }
            else if (LogSegment.TryParseName(name, out var firstLsn))
            {
                segments.Add(firstLsn);
            }
        }

        Manifest = LogManifest.Read(files, directory);
        if (Manifest is null)
        {
            if (segments.Count > 0)
            {
                throw LogDamage.At(Path.Combine(directory, LogManifest.FileName), 0, "a manifest beside the log's segments", "no such file");
            }

            ThrowIfAcknowledged(Path.Combine(directory, LogManifest.FileName), 0, "no log");
            return;
        }

        // A trim writes the manifest first and then deletes: what a crash left over of the deleting goes now.
        segments.Sort();
        while (segments.Count > 0 && segments[0] < Manifest.OldestLsn)
        {
            files.Delete(SegmentPath(segments[0]));
            segments.RemoveAt(0);
        }

        CheckEnds(Manifest);
        NextLsn = segments.Count > 0 ? segments[0] : 1;
        if (segments.Count == 0)
        {
            ThrowIfAcknowledged(SegmentPath(1), 0, "no segment");
        }

        for (var index = 0; index < segments.Count; index++)
        {
            ReadSegment(segments[index], index == segments.Count - 1);
        }

        // As for the last group: the last segment's name may not be on disk yet.
        files.SyncDirectory(directory);
    }

    private void CheckEnds(LogManifest manifest)
    {
        // No segment at all is a log whose making was cut short, and only that: its manifest says that nothing was ever written.
        var isUnbegun = segments.Count == 0 && manifest.OldestLsn == 1 && manifest.NewestLsn == 0;
        if (!isUnbegun && (segments.Count == 0 || segments[0] != Math.Max(1, manifest.OldestLsn)))
        {
            throw LogDamage.At(
                SegmentPath(Math.Max(1, manifest.OldestLsn)), 0, "the log's oldest segment", segments.Count == 0 ? "no segment" : $"{LogSegment.FileName(segments[0])} as the oldest");
        }

        if (!isUnbegun && segments[^1] < manifest.NewestLsn)
        {
            throw LogDamage.At(SegmentPath(manifest.NewestLsn), 0, "the log's newest segment", $"{LogSegment.FileName(segments[^1])} as the newest");
        }
    }

    private void ThrowIfAcknowledged(string path, long offset, string there)
    {
        if (NextLsn <= acknowledged)
        {
            throw LogDamage.At(path, offset, $"the record with sequence number {NextLsn}, since a store has {acknowledged}", $"{there}; or the log is an older copy than the stores");
        }
    }

    private void ReadSegment(long firstLsn, bool isLast)
    {
        var path = SegmentPath(firstLsn);
        using var file = files.Open(path, FileOpening.Existing);
        var length = file.Length;
        if (length is < LogSegment.HeaderBytes or > int.MaxValue)
        {
            throw LogDamage.At(path, 0, "a segment file", $"{length} bytes");
        }

        // One segment in memory at a time, read whole: the search behind a damaged record needs all of it.
        var bytes = new byte[length];
        var got = file.Read(0, bytes);
        LogSegment.CheckHeader(path, bytes.AsSpan(0, Math.Min(got, LogSegment.HeaderBytes)), length, Manifest!.LogId, firstLsn);
        if (firstLsn != NextLsn)
        {
            throw LogDamage.At(path, 32, $"the segment that starts with sequence number {NextLsn}", $"one that starts with {firstLsn}");
        }

        var (end, stop) = ReadRecords(bytes, path, firstLsn);
        var rest = bytes.AsSpan(end).IndexOfAnyExcept((byte)0);
        if (rest >= 0)
        {
            ThrowUnlessTorn(bytes, stop, path, isLast, isBehindZeros: stop > end);
            TornBytes = bytes.AsSpan(end).LastIndexOfAnyExcept((byte)0) + 1;
        }

        if (isLast)
        {
            ThrowIfAcknowledged(path, stop, "zeros");
            if (rest >= 0)
            {
                LogSegment.WriteZeros(file, end, length);
            }

            // The last group may be read back from the system's memory alone: its process died between write and sync, or its sync failed, after which another
            // one says yes and writes nothing. From here on it counts as durable, so it is written and synced again.
            file.Write(lastGroupAt, bytes.AsSpan(lastGroupAt, end - lastGroupAt));
            file.Sync();
            EndOffset = AlignUp(end, LogRecord.GroupAlignment);
            LastSegmentBytes = (int)length;
        }
    }

    private void ThrowUnlessTorn(ReadOnlySpan<byte> bytes, int at, string path, bool isLast, bool isBehindZeros)
    {
        var found = !isLast || HasLaterGroup(bytes, at) ? "none that matches its checksum, and acknowledged ones behind it"
            : NextLsn <= acknowledged ? $"none that matches its checksum, and a store that has {acknowledged}"
            : !TornGroup.IsPossible(bytes, at, NextLsn, lastGroupLsn, isBehindZeros) ? "one that was written whole and does not match its checksum"
            : null;
        if (found is not null)
        {
            throw LogDamage.At(path, at, $"the record with sequence number {NextLsn}", found);
        }
    }

    /// <summary>Hands on the good records from the start of the segment; gives the offset behind the last of them, and the one where the next would be.</summary>
    private (int End, int Stop) ReadRecords(ReadOnlySpan<byte> bytes, string path, long firstLsn)
    {
        var at = LogSegment.HeaderBytes;
        var end = at;
        lastGroupAt = at;
        while (at < bytes.Length)
        {
            if (LogRecord.TryRead(bytes[at..]) is { } record && record.Lsn == NextLsn)
            {
                if (record.Kind is < LogRecordKind.Batch or > LogRecordKind.Drop)
                {
                    throw new StoreException($"{path} at offset {at} has a record of kind {(byte)record.Kind}, which this program does not know; start a newer version.");
                }

                found(record, new LogLocation(firstLsn, at));
                (lastGroupAt, lastGroupLsn) = record.Lsn == record.GroupLsn ? (at, record.Lsn) : (lastGroupAt, lastGroupLsn);
                NextLsn++;
                at += LogRecord.Footprint(record.PayloadBytes);
                end = at;
            }
            else if (at % LogRecord.GroupAlignment != 0 && bytes[at..AlignUp(at, LogRecord.GroupAlignment)].IndexOfAnyExcept((byte)0) < 0)
            {
                at = AlignUp(at, LogRecord.GroupAlignment);
            }
            else
            {
                break;
            }
        }

        return (end, at);
    }

    /// <summary>
    /// Whether a group starts behind the damaged one: it was written after the damaged one's sync, so that one was acknowledged. Also the very next, where what is damaged are the zeros in front of it,
    /// or where the end of the damaged one is zeros, so that its next record was looked for where the next group starts. A crash leaves none: the group in flight is the last, and of its records the first alone
    /// has the group's number, which is the next one at most, and that would be read. Payloads are anybody's bytes, and may hold what looks like a group: one with a number that the bytes before it have no room
    /// for is none of this log's.
    /// </summary>
    private bool HasLaterGroup(ReadOnlySpan<byte> bytes, int damagedAt)
    {
        for (var at = AlignUp(damagedAt, LogRecord.GroupAlignment); at < bytes.Length; at += LogRecord.GroupAlignment)
        {
            var highest = NextLsn + ((at - damagedAt + LogRecord.GroupAlignment) / LogRecord.HeaderBytes); // Zeros before it may have been passed over.
            if (LogRecord.TryRead(bytes[at..]) is { } record && record.Lsn == record.GroupLsn && record.Lsn >= NextLsn && record.Lsn <= highest)
            {
                return true;
            }
        }

        return false;
    }

    private string SegmentPath(long firstLsn) => Path.Combine(directory, LogSegment.FileName(firstLsn));

    private static int AlignUp(int value, int alignment) => (value + alignment - 1) & -alignment;
}
