namespace Kv.Cluster.Vnodes;

/// <summary>The reasons a vnode gives with <see cref="Peers.PeerReply.Refused"/> that coordinators tell apart.</summary>
internal static class VnodeRefusals
{
    public const string StorageFailed = "storage failed";

    /// <summary>The node stops, or the partition is another's by now: nothing was done.</summary>
    public const string Closed = "the vnode is closed";

    /// <summary>The partition's data here is damaged or gone: as if this replica were down, and nothing was done.</summary>
    public const string Damaged = "the data of this replica is damaged";

    /// <summary>The vnode's transfer is about to complete and its target did not take the write: acknowledging it could lose it.</summary>
    public const string TransferTargetFailed = "the transfer's target did not take the write";

    /// <summary>The vnode's hash trees were built by another layout than the asker's, or are not built yet.</summary>
    public const string OtherLayout = "no hash trees of that layout";

    /// <summary>The store has to learn its keys by segment first.</summary>
    public const string NoSegments = "the keys are not known by segment";

    /// <summary>Hash trees and data were found to differ: they are built anew.</summary>
    public const string DoubtfulTrees = "the hash trees are not those of the data";

    /// <summary>Hash trees have been built anew since the exchange began, with fewer leaves.</summary>
    public const string OtherDepth = "the hash trees are others by now";

    /// <summary>A listing's cursor is not known (any more).</summary>
    public const string UnknownCursor = "unknown cursor";
}
