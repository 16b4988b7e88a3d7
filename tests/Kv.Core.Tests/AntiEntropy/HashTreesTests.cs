using CsCheck;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Xunit;

namespace Kv.Core.Tests.AntiEntropy;

public sealed class HashTreesTests
{
    private static readonly Gen<TreeChange[]> Changes =
        Gen.Select(Gen.Int[0, 4], Gen.Int[1, 3], Gen.Int[0, HashTree.Segments - 1], Gen.UInt)
            .Select((first, nVal, segment, hash) => new TreeChange(new TreeRange(new PartitionId(first), nVal), segment, hash))
            .Array[0, 60];

    [Fact]
    public void DurableForm_GivesTheSameTreesBack() => Changes.Sample(changes =>
    {
        var trees = TreesOf(changes, layout: 0xABCDEF, builtAt: 1_900_000_000);
        Assert.True(HashTrees.TryDecode(trees.Encode(), out var read, out var reason), reason);
        Assert.Equal((trees.Layout, trees.BuiltAt), (read.Layout, read.BuiltAt));
        Assert.Equal(trees.Ranges, read.Ranges);
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
    public void AnotherFormatVersion_IsRefusedWithItsNumber()
    {
        var bytes = new HashTrees().Encode();
        bytes[0] = 9;
        Assert.False(HashTrees.TryDecode(bytes, out _, out var reason));
        Assert.Contains("version 9", reason, StringComparison.Ordinal);
    }

    private static HashTrees TreesOf(IEnumerable<TreeChange> changes, ulong layout, long builtAt)
    {
        var trees = new HashTrees { Layout = layout, BuiltAt = builtAt };
        foreach (var change in changes)
        {
            trees.Apply(change);
        }

        return trees;
    }
}
