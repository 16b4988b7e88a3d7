using CsCheck;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Xunit;

namespace Kv.Core.Tests.AntiEntropy;

public sealed class HashTreesTests
{
    private static readonly Gen<TreeChange[]> Changes =
        Gen.Select(Gen.Int[0, 4], Gen.Int[1, 3], Gen.Int[0, (HashTree.Segments << HashTree.MaxDepth) - 1], Gen.UInt)
            .Select((first, nVal, place, hash) => new TreeChange(new TreeRange(new PartitionId(first), nVal), place, hash))
            .Array[0, 60];

    [Fact]
    public void DurableForm_GivesTheSameTreesBack() => Gen.Select(Changes, Gen.Int[0, HashTree.MaxDepth]).Sample((changes, depth) =>
    {
        var trees = TreesOf(changes, layout: 0xABCDEF, builtAt: 1_900_000_000, depth);
        Assert.True(HashTrees.TryDecode(trees.Encode(), out var read, out var reason), reason);
        Assert.Equal((trees.Layout, trees.BuiltAt), (read.Layout, read.BuiltAt));
        Assert.Equal(trees.Ranges, read.Ranges);
        Assert.All(trees.Ranges, range => Assert.Equal(depth, read.Find(range)!.Depth));
        Assert.All(trees.Ranges, range => Assert.Empty(HashTree.Differing(trees.Find(range)!, read.Find(range)!)));
        Assert.Equal(trees.Encode(), read.Encode());
    });

    [Fact]
    public void Changes_DoneTwice_LeaveNothing() => Changes.Sample(changes =>
    {
        var trees = TreesOf([.. changes, .. changes], 1, 1);
        Assert.All(trees.Ranges, range => Assert.Equal(0u, trees.Find(range)!.BranchHashes().Aggregate(0u, (any, hash) => any | hash)));
    });

    [Fact]
    public void DamagedBytes_AreRefusedOrRead_AndNeverThrow() =>
        Gen.Select(Changes, Gen.Int[0, int.MaxValue], Gen.Byte).Sample((changes, at, value) =>
        {
            var bytes = TreesOf(changes, 7, 8).Encode();
            Assert.False(HashTrees.TryDecode(bytes.AsSpan(0, at % bytes.Length), out _, out var cut));
            Assert.NotEmpty(cut);
            Assert.False(HashTrees.TryDecode([.. bytes, 0], out _, out _));
            bytes[at % Math.Min(bytes.Length, 64)] = value;
            HashTrees.TryDecode(bytes, out _, out _);
        });

    [Fact]
    public void FormOfBeforeThereWereDepths_IsRead()
    {
        byte[] bytes =
        [
            1, 9, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
            3, 0, 0, 0, 3, 1, 0, 0, 0, 2, .. Enumerable.Range(0, 256).SelectMany(leaf => BitConverter.GetBytes(leaf == 7 ? 0xFEDCBA98 : 0)),
        ];
        Assert.True(HashTrees.TryDecode(bytes, out var read, out var reason), reason);
        var tree = read.Find(new TreeRange(new PartitionId(3), 3))!;
        Assert.Equal((9UL, 5L, 0, 0xFEDCBA98), (read.Layout, read.BuiltAt, tree.Depth, tree.HashOf((2 * 256) + 7, 0)));
        Assert.Equal(tree.HashOf((2 * 256) + 7, 0), tree.Root);
    }

    [Fact]
    public void Folding_LeavesTheEntries() => Gen.Select(Changes, Gen.Int[0, HashTree.MaxDepth]).Sample((changes, depth) =>
    {
        var deep = TreesOf(changes, 3, 4, HashTree.MaxDepth);
        var folded = deep.FoldedTo(_ => depth);
        Assert.Equal(TreesOf(changes, 3, 4, depth).Encode(), folded.Encode());
    }, iter: 30);

    [Fact]
    public void AnotherFormatVersion_IsRefusedWithItsNumber()
    {
        var bytes = new HashTrees().Encode();
        bytes[0] = 9;
        Assert.False(HashTrees.TryDecode(bytes, out _, out var reason));
        Assert.Contains("version 9", reason, StringComparison.Ordinal);
    }

    private static HashTrees TreesOf(IEnumerable<TreeChange> changes, ulong layout, long builtAt, int depth = 0)
    {
        var trees = new HashTrees { Layout = layout, BuiltAt = builtAt, FirstDepth = depth };
        foreach (var change in changes)
        {
            trees.Apply(change);
        }

        return trees;
    }
}
