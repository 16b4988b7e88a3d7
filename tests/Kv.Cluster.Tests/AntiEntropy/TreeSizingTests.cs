using Kv.Cluster.AntiEntropy;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Xunit;

namespace Kv.Cluster.Tests.AntiEntropy;

public sealed class TreeSizingTests
{
    private static readonly TreeRange Range = new(new PartitionId(1), 3);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(65_536, 0)]
    [InlineData(65_537, 1)]
    [InlineData(1_000_000, 4)]
    [InlineData(16_777_216, 8)]
    [InlineData(long.MaxValue, 8)]
    public void ATree_HasALeafForAKey(long keys, int depth) =>
        Assert.Equal(depth, new TreeSizing(new ClusterOptions { TreeBytes = long.MaxValue }, ranges: 3).DepthFor(keys));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(768 << 10, 0)]
    [InlineData(3 << 20, 2)]
    [InlineData((6 << 20) - 1, 2)]
    public void TreesOfAVnode_TakeNoMoreThanTheirShareOfMemory(long bytes, int depth) =>
        Assert.Equal(depth, new TreeSizing(new ClusterOptions { TreeBytes = bytes }, ranges: 3).DepthFor(1_000_000));

    [Theory]
    [InlineData(0, 200_000, false)]
    [InlineData(0, 300_000, true)]
    [InlineData(2, 300_000, false)]
    [InlineData(1, 700_000, true)]
    public void TreesWithManyKeysToALeaf_AreOutgrown_WhereTheyMayBeDeeper(int depth, int keys, bool isOutgrown)
    {
        var random = new Random(depth + keys);
        var trees = new HashTrees { FirstDepth = depth };
        for (var key = 0; key < keys; key++)
        {
            trees.Apply(TreeChange.Of(Range, (ulong)random.NextInt64(), 0, (ulong)random.NextInt64()));
        }

        Assert.Equal(isOutgrown, new TreeSizing(new ClusterOptions(), ranges: 3).AreOutgrown(trees, keys));
        Assert.False(new TreeSizing(new ClusterOptions { TreeBytes = 3L * sizeof(uint) * HashTree.Segments << depth }, ranges: 3).AreOutgrown(trees, keys));
    }
}
