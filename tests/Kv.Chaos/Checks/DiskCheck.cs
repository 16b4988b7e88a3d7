using Kv.Chaos.Machines;
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

    /// <summary>A RocksDB with hardly any data: its logs, lists and options.</summary>
    private const long OrderedOwnBytes = 4L << 20;

    /// <summary>Files of its that are not merged yet; what a merge writes anew is there twice meanwhile.</summary>
    private const long OrderedUnmergedBytes = 4 * 8L << 20;

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

            var mostOrdered = OrderedOwnBytes + OrderedUnmergedBytes + (2 * liveBytes);
            var most = StoreBytes + SegmentBytes + Math.Max(CompactedFromBytes, 2 * liveBytes);
            found.AddRange(
                from store in stores
                let ordered = OrderedBytesOf(store)
                let bytes = BytesOf(store) - ordered
                from part in new[] { (What: "", Bytes: bytes, Most: most), (What: "the ordered records of ", Bytes: ordered, Most: mostOrdered) }
                where part.Bytes > part.Most
                select $"{node.Name} takes {part.Bytes >> 20} MiB of disk for {part.What}{Path.GetFileName(store)}, more than {part.Most >> 20} MiB: {PartsOf(store)}");
            if (partitions > 0 && !stores.Any(store => OrderedBytesOf(store) > 0))
            {
                found.Add($"{node.Name} has no ordered records on its disk, of which every member has some");
            }

            if (BytesOf(node.Volume.Log) is var log && log > LogBytes)
            {
                found.Add($"{node.Name} takes {log >> 20} MiB of disk for its log, more than {LogBytes >> 20} MiB");
            }
        }

        return found;
    }

    /// <summary>What all ordered records of a node take.</summary>
    public static long OrderedBytesOf(ChaosNode node) => Directory.Exists(node.Volume.Stores) ? Directory.GetDirectories(node.Volume.Stores).Sum(OrderedBytesOf) : 0;

    /// <summary>The store that takes most, for people.</summary>
    public static string Fullest(IEnumerable<ChaosNode> nodes)
    {
        var stores = nodes.Where(node => Directory.Exists(node.Volume.Stores)).SelectMany(node => Directory.GetDirectories(node.Volume.Stores).Select(store => (node.Name, Store: store))).ToList();
        return stores.Count == 0 ? "no store is there" : stores.MaxBy(one => BytesOf(one.Store)) is var (name, store) ? $"the fullest store is {Path.GetFileName(store)} of {name}: {PartsOf(store)}" : "";
    }

    /// <summary>What a store's files and directories take, those together whose names differ by their numbers alone.</summary>
    private static string PartsOf(string store) => string.Join(", ", new DirectoryInfo(store).EnumerateFileSystemInfos()
        .GroupBy(entry => entry.Name.Split('.')[0], entry => entry is DirectoryInfo ? BytesOf(entry.FullName) : BytesOf((FileInfo)entry))
        .OrderByDescending(part => part.Sum())
        .Select(part => $"{part.Key} {part.Sum() >> 10} KiB"));

    private static long OrderedBytesOf(string store) => Volume.OrderedOf(store) is var ordered && Directory.Exists(ordered) ? BytesOf(ordered) : 0;

    /// <summary>Of all files below; one that goes meanwhile takes none.</summary>
    private static long BytesOf(string directory) => new DirectoryInfo(directory).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true })
        .Sum(BytesOf);

    private static long BytesOf(FileInfo file)
    {
        file.Refresh();
        return file.Exists ? file.Length : 0;
    }
}
