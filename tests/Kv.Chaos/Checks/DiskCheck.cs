using Kv.Chaos.Rings;

namespace Kv.Chaos.Checks;

/// <summary>Whether disks hold what their nodes own and no more: no store of a partition that went, and space that goes with live data and not with what was written.</summary>
internal static class DiskCheck
{
    /// <summary>What a node takes with hardly any data: segments of its log, made ready ahead.</summary>
    private const long LogBytes = 5 * 64L << 20;

    /// <summary>A store's own files with hardly any data: pages, index and trees of its checkpoint.</summary>
    private const long StoreBytes = 6L << 20;

    /// <param name="owned">How many partitions each of the nodes owns.</param>
    public static IReadOnlyList<string> Run(IEnumerable<(ChaosNode Node, int Owned)> owned)
    {
        var found = new List<string>();
        foreach (var (node, partitions) in owned)
        {
            var stores = Directory.GetDirectories(Path.Combine(node.Volume.Data, "stores")).Length;
            if (stores > partitions)
            {
                found.Add($"{node.Name} owns {partitions} partitions and has {stores} stores on its disk");
            }

            var most = LogBytes + (partitions * StoreBytes);
            if (node.Volume.Used > most)
            {
                found.Add($"{node.Name} takes {node.Volume.Used >> 20} MiB of disk, more than {most >> 20} MiB");
            }
        }

        return found;
    }
}
