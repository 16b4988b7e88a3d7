namespace Kv.Storage.Log;

/// <summary>
/// Tells what a crash left of a group at the log's end from one that was whole and rotted. A disk writes sectors whole and in any order, and the log writes into zeros: of a group that was
/// being written some sector is still zeros, of one that was written whole none is, whatever rotted in it since (etcd: wal/decoder.go, isTornEntry). Zeros that a payload has of its own
/// pass for a sector that is missing: a group must not be called damaged that was never acknowledged.
/// </summary>
internal static class TornGroup
{
    private const int SectorBytes = 512;

    /// <summary>Whether the record at the offset, which does not match its checksum, may be one that was never written whole.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="at">Where the record begins.</param>
    /// <param name="lsn">The sequence number that it has to have.</param>
    /// <param name="groupLsn">That of the first record of the group that was read last, which may be its own.</param>
    /// <param name="isBehindZeros">It was looked for at the next multiple of 4096, behind zeros, where a later part of a longer group may lie whose beginning was not written.</param>
    public static bool IsPossible(ReadOnlySpan<byte> segment, int at, long lsn, long groupLsn, bool isBehindZeros)
    {
        var headerEnd = at + LogRecord.HeaderBytes;
        if (headerEnd > segment.Length || LacksSector(segment, at, headerEnd))
        {
            return true;
        }

        var record = LogRecord.ReadHeader(segment[at..]);
        if (record.Lsn == lsn && (record.GroupLsn == lsn || record.GroupLsn == groupLsn) && record.PayloadBytes >= 0 && record.PayloadBytes <= segment.Length - headerEnd)
        {
            // The header is as it was written: its length tells what else has to be there.
            return LacksSector(segment, at, headerEnd + record.PayloadBytes);
        }

        return isBehindZeros && record.Lsn != lsn && record.GroupLsn != lsn;
    }

    /// <summary>Whether, of some sector, all that lies in the range is zeros.</summary>
    private static bool LacksSector(ReadOnlySpan<byte> segment, int from, int to)
    {
        while (from < to)
        {
            var end = Math.Min(to, ((from / SectorBytes) + 1) * SectorBytes);
            if (segment[from..end].IndexOfAnyExcept((byte)0) < 0)
            {
                return true;
            }

            from = end;
        }

        return false;
    }
}
