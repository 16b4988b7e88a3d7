using Kv.Core.AntiEntropy;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Cluster.AntiEntropy;

/// <summary>
/// Trees on their way to be built from the data, segment by segment: those below <see cref="Next"/> hold what the store holds and follow each write, those from it on
/// will be read with whatever was written by then. So a write is counted once, whenever it comes. They are as deep as they may have to be, and folded to what their keys need in the end. The mailbox's own.
/// </summary>
internal sealed class TreeBuild(TreeLayout layout, long startedAtUnixSeconds, int depth)
{
    public TreeLayout Layout { get; } = layout;

    public HashTrees Trees { get; private set; } = new() { Layout = layout.Id, BuiltAt = startedAtUnixSeconds, FirstDepth = depth };

    /// <summary>The first segment that was not read yet.</summary>
    public int Next { get; set; }

    public bool IsWhole => Next == HashTree.Segments;

    /// <summary>An entry of the segments that are read.</summary>
    public void Read(PartitionId partition, in TreeEntry entry)
    {
        if (ObjectKeyCodec.TryDecode(entry.Key, out var name) && Layout.RangeAt(partition, name) is { } range)
        {
            Trees.Apply(TreeChange.Of(range, EntryHash.OfKey(entry.Key.Span), 0, entry.Hash));
        }
    }

    /// <summary>The last segments are read.</summary>
    public void Fold(TreeSizing sizing) => Trees = Trees.FoldedTo(tree => Math.Min(tree.Depth, sizing.DepthFor(tree.EstimateKeys())));

    /// <summary>A write that the store has taken.</summary>
    public void Follow(in TreeChange change)
    {
        if (change.Segment < Next)
        {
            Trees.Apply(change);
        }
    }
}
