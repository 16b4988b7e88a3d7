using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Fuzz.Running;

namespace Kv.Fuzz.Targets;

/// <summary>A store's hash trees, as its log and the file beside its checkpoint have them.</summary>
internal sealed class TreesTarget : FuzzTarget
{
    /// <summary>Of the places of a tree of the greatest depth, of which ten bytes make one.</summary>
    private const int MostTreeBytes = (HashTree.Segments << HashTree.MaxDepth) / 256 * 8;

    private const int LeastTreeBytes = 10;

    public override string Name => "trees";

    public override long BytesPerByte => 256 + (3 * MostTreeBytes / LeastTreeBytes);

    /// <summary>Few trees: each takes its half of a MiB.</summary>
    public override int MostBytes => 3 * 1024;

    public override IEnumerable<byte[]> Seeds => [new HashTrees().Encode(), Of(0, 1), Of(3, 2), Of(HashTree.MaxDepth, 1)];

    public override void Take(byte[] input)
    {
        if (!HashTrees.TryDecode(input, out var trees, out _))
        {
            return;
        }

        var encoded = trees.Encode();
        FuzzFailure.Unless(HashTrees.TryDecode(encoded, out var again, out var reason), $"what was encoded cannot be read: {reason}");
        FuzzFailure.UnlessSame(encoded, again!.Encode(), "trees");
    }

    private static byte[] Of(int depth, int ranges)
    {
        var trees = new HashTrees { Layout = 7, BuiltAt = 1_700_000_000, FirstDepth = depth };
        for (var range = 0; range < ranges; range++)
        {
            trees.Apply(new TreeChange(new TreeRange(new PartitionId(range), 3), HashTree.PlaceOf(0x0102030405060708), 0xaabbccdd));
        }

        return trees.Encode();
    }
}
