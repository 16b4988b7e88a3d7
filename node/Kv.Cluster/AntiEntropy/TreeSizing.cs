using System.Numerics;
using Kv.Core.AntiEntropy;

namespace Kv.Cluster.AntiEntropy;

/// <summary>
/// How deep the trees of a vnode are, that keeps <paramref name="ranges"/> of them: so deep that a leaf has at most <see cref="ClusterOptions.TreeLeafKeys"/> keys, as far as
/// <see cref="ClusterOptions.TreeBytes"/> allow for all of them.
/// </summary>
internal readonly struct TreeSizing(ClusterOptions options, int ranges)
{
    /// <summary>A tree with so many times the keys that it would be built for is built anew: all data is read again for each such factor of growth.</summary>
    private const int Growth = 4;

    /// <summary>Of the blocks of leaves that are looked at; enough for an estimate of a few per cent.</summary>
    private const int Sampled = 256;

    private readonly int most = MostDepth(options.TreeBytes, ranges);
    private readonly double leafKeys = options.TreeLeafKeys;

    public int DepthFor(long keys)
    {
        var leaves = Math.Min(keys / leafKeys, HashTree.Segments << HashTree.MaxDepth);
        return Math.Min(most, BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)Math.Ceiling(Math.Max(leaves, HashTree.Segments)))) - BitOperations.Log2(HashTree.Segments));
    }

    /// <summary>Whether some tree of a vnode with so many keys has far more than it was built for, and room to be built deeper.</summary>
    public bool AreOutgrown(HashTrees trees, long keys)
    {
        foreach (var range in trees.Ranges)
        {
            if (trees.Find(range) is { } tree && DepthFor(keys / Growth) > tree.Depth && tree.EstimateKeys(Sampled) > Growth * leafKeys * tree.Leaves)
            {
                return true;
            }
        }

        return false;
    }

    private static int MostDepth(long bytes, int ranges)
    {
        var depth = 0;
        while (depth < HashTree.MaxDepth && (long)ranges * sizeof(uint) * HashTree.Segments << (depth + 1) <= bytes)
        {
            depth++;
        }

        return depth;
    }
}
