using Kv.Core.AntiEntropy;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Simulation.Running;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>Every owner has hash trees by the document's layout, those of its data bit for bit, and the owners of a range have equal ones.</summary>
internal sealed class TreeChecker(SimWorld world)
{
    /// <summary>What is not as it should be now.</summary>
    public IEnumerable<string> Problems()
    {
        var document = world.Cluster.Document;
        var layout = TreeLayout.Of(document);
        var roots = new Dictionary<TreeRange, (uint Root, SimNode Node)>();
        foreach (var partition in Enumerable.Range(0, document.Ring.Size).Select(number => new PartitionId(number)))
        {
            var node = world.Cluster.Nodes.Single(node => node.Id == document.Ring.Owner(partition));
            var trees = node.Volume.Trees(partition);
            if (trees.Layout != layout.Id)
            {
                yield return $"{node.Name} has no trees of partition {partition} by the document's layout";
                continue;
            }

            var expected = Expected(node, partition, layout);
            foreach (var range in layout.RangesOf(partition))
            {
                var root = trees.Find(range)?.Root ?? 0;
                if (HashTree.Differing(trees.Find(range) ?? new HashTree(), expected.Find(range) ?? new HashTree()) is { Count: > 0 } differing)
                {
                    yield return $"{node.Name}, partition {partition}: {differing.Count} segments of the tree of {range} are not those of the data";
                }
                else if (!roots.TryAdd(range, (root, node)) && roots[range].Root != root)
                {
                    yield return $"{node.Name} and {roots[range].Node.Name} have different trees of {range}";
                }
            }
        }
    }

    private static HashTrees Expected(SimNode node, PartitionId partition, TreeLayout layout)
    {
        var expected = new HashTrees();
        foreach (var (key, value) in node.Volume.Contents(partition))
        {
            if (ObjectKeyCodec.TryDecode(key, out var name) && layout.RangeAt(partition, name) is { } range)
            {
                var hash = EntryHash.OfKey(key);
                expected.Apply(TreeChange.Of(range, hash, 0, EntryHash.OfEntry(hash, value)));
            }
        }

        return expected;
    }
}
