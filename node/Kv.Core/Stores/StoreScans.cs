namespace Kv.Core.Stores;

/// <summary>What <see cref="IPartitionStore.ScanAsync"/> means, for engines that hold all in memory.</summary>
public static class StoreScans
{
    /// <summary>The stretch of entries that come in byte order of their keys. The entries are taken as they are.</summary>
    public static ScanStretch Read(IEnumerable<StoredEntry> inOrder, in StoreScan scan)
    {
        var found = new List<StoredEntry>();
        var bytes = 0L;
        foreach (var entry in inOrder)
        {
            if (entry.Key.Span.SequenceCompareTo(scan.From.Span) < 0)
            {
                continue;
            }

            if (!scan.Until.IsEmpty && entry.Key.Span.SequenceCompareTo(scan.Until.Span) >= 0)
            {
                break;
            }

            if (found.Count >= scan.MaxEntries || bytes >= scan.MaxBytes)
            {
                return new ScanStretch(found, IsLast: false);
            }

            found.Add(entry);
            bytes += entry.Key.Length + entry.Value.Length;
        }

        return new ScanStretch(found, IsLast: true);
    }
}
