using System.Globalization;

namespace Kv.Chaos.Machines;

/// <summary>A bit of a durable file that is turned over while no process has it open, as a disk forgets.</summary>
internal sealed record BitRot(int Partition, string File, long Offset)
{
    private const int SectorBytes = 512;
    private const string Checkpoint = "checkpoint";

    /// <summary>
    /// Takes one of the stores of these partitions that has a checkpoint, and in it the checkpoint or a file of records, where what the checkpoint covers is. Not the last
    /// sector with anything in it: a crash may have torn that one. Null where there is nothing of the kind.
    /// </summary>
    /// <param name="stores">Directories `p[partition]-[birth]`.</param>
    public static BitRot? Strike(string stores, IReadOnlySet<int> partitions, Random random)
    {
        var candidates = Directory.GetDirectories(stores).Order(StringComparer.Ordinal)
            .Select(store => (Store: store, Partition: PartitionOf(store)))
            .Where(one => partitions.Contains(one.Partition) && System.IO.File.Exists(Path.Combine(one.Store, Checkpoint)))
            .SelectMany(one => Directory.GetFiles(one.Store, "records.*").Order(StringComparer.Ordinal).Append(Path.Combine(one.Store, Checkpoint)).Select(file => (one.Partition, File: file)))
            .ToArray();
        random.Shuffle(candidates);
        foreach (var (partition, file) in candidates)
        {
            if (Place(file, random) is { } offset)
            {
                Turn(file, offset, random.Next(8));
                return new BitRot(partition, file, offset);
            }
        }

        return null;
    }

    private static int PartitionOf(string store) => int.Parse(Path.GetFileName(store)[1..].Split('-')[0], CultureInfo.InvariantCulture);

    /// <summary>A byte with something in it, of a checkpoint any.</summary>
    private static long? Place(string file, Random random)
    {
        var bytes = System.IO.File.ReadAllBytes(file);
        var end = Path.GetFileName(file) == Checkpoint ? bytes.Length : bytes.AsSpan().LastIndexOfAnyExcept((byte)0) / SectorBytes * SectorBytes;
        var places = Enumerable.Range(0, Math.Max(end, 0)).Where(offset => bytes[offset] != 0).ToList();
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
