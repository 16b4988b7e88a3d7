using System.Globalization;

namespace Kv.Chaos.Machines;

/// <summary>A bit of a durable file that is turned over while no process has it open, as a disk forgets.</summary>
/// <param name="Partition">Whose file it is; null for one of the whole node, whose rot ends a start.</param>
internal sealed record BitRot(int? Partition, string File, long Offset)
{
    private const int SectorBytes = 512;
    private const string Checkpoint = "checkpoint";

    /// <summary>Before it a file's header says what it is and of which version: one of a later version is refused as such, and not as rotten.</summary>
    private const int FirstByte = 16;

    /// <summary>A segment's header, which is checked whatever follows it.</summary>
    private const int LogHeaderBytes = 44;

    /// <summary>A file of RocksDB's begins with keys and values, of which even a single one takes as much; the order of keys puts records before index entries.</summary>
    private const int OrderedBytes = 32;

    /// <summary>
    /// Strikes one of four: a store of these partitions that has a checkpoint, in that or in its records; a file of ordered records; the log; the node's cluster document. By lot, and the next one
    /// where there is nothing of a kind; null where there is nothing at all.
    /// </summary>
    /// <param name="data">What a node has on its disk.</param>
    public static BitRot? Strike(string data, IReadOnlySet<int> partitions, Random random)
    {
        Func<List<Place>>[] kinds = [() => OfStores(data, partitions), () => OfOrdered(data, partitions), () => OfLog(data), () => OfDocument(data)];
        var first = random.Next(kinds.Length);
        return Enumerable.Range(first, kinds.Length).Select(kind => Strike([.. kinds[kind % kinds.Length]()], random)).FirstOrDefault(rot => rot is not null);
    }

    /// <summary>Whether a file that is not needed any more may be deleted by a start that has not read it.</summary>
    public bool MayBeDeletedUnread => Path.GetExtension(File) is ".sst" or ".log";

    /// <summary>Where a file may be struck: from one byte to before another, or in what is written of it but for the last sector.</summary>
    private sealed record Place(int? Partition, string File, int From, long? End);

    private static BitRot? Strike(Place[] candidates, Random random)
    {
        random.Shuffle(candidates);
        foreach (var (partition, file, from, end) in candidates)
        {
            if (OffsetIn(file, from, end, random) is { } offset)
            {
                Turn(file, offset, random.Next(8));
                return new BitRot(partition, file, offset);
            }
        }

        return null;
    }

    /// <summary>The checkpoint, and files of records, where what the checkpoint covers is: not the last sector with anything in it, which a crash may have torn.</summary>
    private static List<Place> OfStores(string data, IReadOnlySet<int> partitions) =>
    [
        .. from store in StoresOf(data, partitions)
           where System.IO.File.Exists(Path.Combine(store.Directory, Checkpoint))
           from file in FilesOf(store.Directory, "records.*").Append(Path.Combine(store.Directory, Checkpoint))
           select Path.GetFileName(file) == Checkpoint ? new Place(store.Partition, file, FirstByte, long.MaxValue) : new Place(store.Partition, file, 0, null),
    ];

    private static List<Place> OfOrdered(string data, IReadOnlySet<int> partitions) =>
    [
        .. from store in StoresOf(data, partitions)
           from file in FilesOf(Volume.OrderedOf(store.Directory), "*.sst")
           select new Place(store.Partition, file, 0, OrderedBytes),
    ];

    /// <summary>Of the newest segment its header alone: of what is in it the last group may be torn.</summary>
    private static List<Place> OfLog(string data)
    {
        var segments = FilesOf(Volume.LogOf(data), "*.log");
        return [.. segments.Select((file, index) => new Place(null, file, FirstByte, index == segments.Count - 1 ? LogHeaderBytes : null))];
    }

    private static List<Place> OfDocument(string data) => [.. FilesOf(Path.Combine(data, "state"), "cluster-document*.state").Select(file => new Place(null, file, FirstByte, long.MaxValue))];

    private static IEnumerable<(string Directory, int Partition)> StoresOf(string data, IReadOnlySet<int> partitions) =>
        Directory.Exists(Volume.StoresOf(data))
            ? Directory.GetDirectories(Volume.StoresOf(data)).Order(StringComparer.Ordinal).Select(store => (store, PartitionOf(store))).Where(store => partitions.Contains(store.Item2))
            : [];

    private static List<string> FilesOf(string directory, string pattern) => Directory.Exists(directory) ? [.. Directory.GetFiles(directory, pattern).Order(StringComparer.Ordinal)] : [];

    private static int PartitionOf(string store) => int.Parse(Path.GetFileName(store)[1..].Split('-')[0], CultureInfo.InvariantCulture);

    /// <summary>A byte with something in it.</summary>
    private static long? OffsetIn(string file, int from, long? limit, Random random)
    {
        var bytes = System.IO.File.ReadAllBytes(file);
        var end = limit is { } most ? Math.Min(most, bytes.Length) : bytes.AsSpan().LastIndexOfAnyExcept((byte)0) / SectorBytes * SectorBytes;
        var places = Enumerable.Range(from, (int)Math.Max(end - from, 0)).Where(offset => bytes[offset] != 0).ToList();
        return places.Count > 0 ? places[random.Next(places.Count)] : null;
    }

    private static void Turn(string file, long offset, int bit)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
        stream.Position = offset;
        var found = stream.ReadByte();
        stream.Position = offset;
        stream.WriteByte((byte)(found ^ (1 << bit)));
    }
}
