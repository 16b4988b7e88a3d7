using Kv.Core.AntiEntropy;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.AntiEntropy;

/// <summary>What replicas hold, looked at from outside: on their disks, with no client touching a key.</summary>
internal static class Replicas
{
    /// <summary>Whether all primaries that are up hold the same under every key that has trees.</summary>
    public static bool AreAlike(SimCluster cluster) => FirstDifference(cluster) is null;

    /// <summary>A key that two primaries hold differently; null where there is none.</summary>
    public static string? FirstDifference(SimCluster cluster)
    {
        var ring = cluster.Document.Ring;
        var layout = TreeLayout.Of(cluster.Document);
        var held = new Dictionary<(ObjectKey Key, PartitionId Partition), byte[]>();
        var keys = new Dictionary<ObjectKey, TreeRange>();
        foreach (var (node, partition) in Owned(cluster))
        {
            foreach (var (key, value) in node.Volume.Contents(partition))
            {
                if (ObjectKeyCodec.TryDecode(key, out var name) && layout.RangeAt(partition, name) is { } range)
                {
                    held[(name, partition)] = value;
                    keys[name] = range;
                }
            }
        }

        foreach (var (key, range) in keys)
        {
            var copies = PreferenceList.Primaries(ring, range.First, range.NVal).Where(entry => IsUp(cluster, entry.Node)).Select(entry => held.GetValueOrDefault((key, entry.Partition))).ToList();
            if (copies.Any(copy => copy is null || !copy.AsSpan().SequenceEqual(copies[0])))
            {
                return $"{key}: {string.Join(", ", copies.Select(copy => copy is null ? "none" : $"{copy.Length} bytes"))}";
            }
        }

        return null;
    }

    /// <summary>Every vnode that has built its trees by the document's layout has those of its data, bit for bit.</summary>
    public static void AssertTreesAreOfTheData(SimCluster cluster)
    {
        var layout = TreeLayout.Of(cluster.Document);
        foreach (var (node, partition) in Owned(cluster))
        {
            if (node.Node.Vnodes.SingleOrDefault(vnode => vnode.Partition == partition) is not { } vnode || vnode.Trees.Layout != layout.Id)
            {
                continue;
            }

            foreach (var range in layout.RangesOf(partition))
            {
                var wrong = ExpectedTrees.WrongLeaves(vnode.Trees, range, node.Volume.Contents(partition), partition, layout);
                Assert.True(wrong == 0, $"seed {cluster.Scheduler.Seed}: {node.Name}, partition {partition}, {range}: {wrong} leaves are not those of the data");
            }
        }
    }

    /// <summary>Whether every vnode of its own that a node has up holds trees of the document's layout.</summary>
    public static bool AreAllBuilt(SimCluster cluster)
    {
        var layout = TreeLayout.Of(cluster.Document).Id;
        return Owned(cluster).All(held => held.Node.Node.Vnodes.Any(vnode => vnode.Partition == held.Partition && vnode.Trees.Layout == layout));
    }

    private static IEnumerable<(SimNode Node, PartitionId Partition)> Owned(SimCluster cluster) =>
        from number in Enumerable.Range(0, cluster.Document.Ring.Size)
        let partition = new PartitionId(number)
        from node in cluster.Up
        where node.Id == cluster.Document.Ring.Owner(partition)
        select (node, partition);

    private static bool IsUp(SimCluster cluster, NodeId node) => cluster.Up.Any(up => up.Id == node);
}
