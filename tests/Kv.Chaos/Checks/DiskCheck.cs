using Kv.Chaos.Rings;

namespace Kv.Chaos.Checks;

/// <summary>Whether disks hold what their nodes own and no more: no store of a partition that went, and space that goes with live data and not with what was written.</summary>
internal static class DiskCheck
{
    /// <summary>Segments of a node's log, with those that are made ready ahead.</summary>
    private const long LogBytes = 5 * 64L << 20;

    /// <summary>A store's own files with hardly any data: pages, index and trees of its checkpoint.</summary>
    private const long StoreBytes = 6L << 20;

    /// <summary>Stores with less are not compacted, those with more where what is live is less than half.</summary>
    private const long CompactedFromBytes = 16L << 20;

    /// <summary>A file of a store's records, of which all but the end may have been let go.</summary>
    private const long SegmentBytes = 8L << 20;

    /// <summary>What is wrong now; compaction may still be at it.</summary>
    /// <param name="owned">How many partitions each of the nodes owns.</param>
    /// <param name="liveBytes">What all keys hold together: no store has more.</param>
    public static IReadOnlyList<string> Run(IEnumerable<(ChaosNode Node, int Owned)> owned, long liveBytes)
    {
        var found = new List<string>();
        foreach (var (node, partitions) in owned)
        {
            var stores = Directory.GetDirectories(node.Volume.Stores);
            if (stores.Length > partitions)
            {
                found.Add($"{node.Name} owns {partitions} partitions and has {stores.Length} stores on its disk");
            }

            var most = StoreBytes + SegmentBytes + Math.Max(CompactedFromBytes, 2 * liveBytes);
            found.AddRange(
                from store in stores
                let bytes = BytesOf(store)
                where bytes > most
                select $"{node.Name} takes {bytes >> 20} MiB of disk for {Path.GetFileName(store)}, more than {most >> 20} MiB");
            if (BytesOf(node.Volume.Log) is var log && log > LogBytes)
            {
                found.Add($"{node.Name} takes {log >> 20} MiB of disk for its log, more than {LogBytes >> 20} MiB");
            }
        }

        return found;
    }

    /// <summary>Of all files below; one that goes meanwhile takes none.</summary>
    private static long BytesOf(string directory) => new DirectoryInfo(directory).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true })
        .Sum(file =>
        {
            file.Refresh();
            return file.Exists ? file.Length : 0;
        });
}
