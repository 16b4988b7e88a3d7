namespace Kv.Cluster.Vnodes;

/// <summary>The reasons a vnode gives with <see cref="Peers.PeerReply.Refused"/> that coordinators tell apart.</summary>
internal static class VnodeRefusals
{
    public const string StorageFailed = "storage failed";

    /// <summary>The vnode's transfer is about to complete and its target did not take the write: acknowledging it could lose it.</summary>
    public const string TransferTargetFailed = "the transfer's target did not take the write";

    /// <summary>A listing's cursor is not known (any more).</summary>
    public const string UnknownCursor = "unknown cursor";
}
