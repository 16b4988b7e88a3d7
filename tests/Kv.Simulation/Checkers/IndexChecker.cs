using Kv.Core.Indexes;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Simulation.Running;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>Every store has the index entries of its objects and no others, at any moment: they come and go in one batch.</summary>
internal sealed class IndexChecker(SimWorld world)
{
    private readonly HashSet<string> ordered = [.. world.Plan.Types.Where(type => type.IsOrdered).Select(type => type.Name)];
    private readonly HashSet<(SimVolume Volume, PartitionId Partition)> reported = [];

    public void Check()
    {
        foreach (var node in ordered.Count == 0 ? [] : world.Cluster.Nodes)
        {
            foreach (var partition in node.Volume.Partitions.Except(node.Volume.Rotten))
            {
                if (!IsOfItsObjects(node.Volume, partition) && reported.Add((node.Volume, partition)))
                {
                    world.Journal.Violation($"{node.Name}, partition {partition}: the index does not have the entries of the objects");
                }
            }
        }
    }

    private bool IsOfItsObjects(SimVolume volume, PartitionId partition)
    {
        var entries = new HashSet<ReadOnlyMemory<byte>>(KeyBytesComparer.Instance);
        foreach (var (encoded, stored) in volume.Contents(partition))
        {
            if (ObjectKeyCodec.TryDecode(encoded, out var key) && ordered.Contains(key.BucketType))
            {
                entries.UnionWith(IndexEntries.Of(key, ObjectCodec.Decode(stored)));
            }
        }

        return entries.SetEquals(volume.Index(partition).Select(entry => new ReadOnlyMemory<byte>(entry)));
    }
}
