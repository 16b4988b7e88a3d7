using Kv.Core.AntiEntropy;
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

            foreach (var range in layout.RangesOf(partition))
            {
                var root = trees.Find(range)?.Root ?? 0;
                if (ExpectedTrees.WrongLeaves(trees, range, node.Volume.Contents(partition), partition, layout) is > 0 and var wrong)
                {
                    yield return $"{node.Name}, partition {partition}: {wrong} leaves of the tree of {range} are not those of the data";
                }
                else if (!roots.TryAdd(range, (root, node)) && roots[range].Root != root)
                {
                    yield return $"{node.Name} and {roots[range].Node.Name} have different trees of {range}";
                }
            }
        }
    }
}
