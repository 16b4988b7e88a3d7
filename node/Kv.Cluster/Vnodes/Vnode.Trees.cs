using Kv.Cluster.Peers;
using Kv.Core.AntiEntropy;

namespace Kv.Cluster.Vnodes;

/// <summary>Its hash trees: see TreeKeeper.</summary>
public sealed partial class Vnode
{
    /// <summary>See <see cref="Core.Stores.IPartitionStore.Trees"/>.</summary>
    public HashTrees Trees => store.Trees;

    /// <summary>Whether the store has to learn its keys by segment before trees are built.</summary>
    internal bool NeedsIndex => keeper.MustIndex || !store.HasSegments;

    /// <summary>Reads all data to learn its keys by segment.</summary>
    internal async ValueTask IndexAsync(CancellationToken cancel)
    {
        await store.IndexSegmentsAsync(cancel);
        keeper.MustIndex = false;
    }

    /// <summary>Carries out one step of building the trees; call it again until it is whole, refused or closed.</summary>
    internal async ValueTask<VnodeCommand.BuildTrees> BuildTreesAsync(TreeLayout layout, bool isFirst)
    {
        var step = new VnodeCommand.BuildTrees(layout, isFirst);
        step.Pending = await Send(step);
        return step;
    }

    /// <summary>Reads the keys of the segments from that one on, enough of them for a page; <see cref="VnodeCommand.ReadSegments"/>.</summary>
    internal async ValueTask<VnodeCommand.ReadSegments> ReadSegmentsAsync(int from)
    {
        var segments = new VnodeCommand.ReadSegments(from);
        segments.Pending = await Send(segments);
        return segments;
    }

    /// <summary>Reads a page of what a tree's leaves hold; see <see cref="VnodeCommand.ReadTree"/> for what the answer has.</summary>
    internal async ValueTask<(PeerReply Reply, VnodeCommand.ReadTree Page)> ReadTreeAsync(
        TreeRange range, ulong layout, int depth, IReadOnlyList<int> leaves, ReadOnlyMemory<byte> after)
    {
        var page = new VnodeCommand.ReadTree(range, layout, depth, leaves, after);
        return ((await Send(page)).Reply, page);
    }
}
