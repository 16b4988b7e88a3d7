using Kv.Cluster.Peers;
using Kv.Core.Objects;

namespace Kv.Cluster.Vnodes;

/// <summary>
/// A vnode's answer within the node: what a peer would be told, and for a coordinated write also the object as it is now held, decoded and in stored
/// form, or the limit that the write would have broken.
/// </summary>
internal readonly record struct VnodeReply(PeerReply Reply, KvObject? Object = null, ReadOnlyMemory<byte> Stored = default, KvError? Error = null)
{
    public static VnodeReply Done { get; } = new(new PeerReply.Done());

    public static VnodeReply Overloaded { get; } = new(new PeerReply.Overloaded());

    public static VnodeReply StaleFence { get; } = new(new PeerReply.StaleFence());

    public static VnodeReply Missing { get; } = new(new PeerReply.Object(null));

    public static VnodeReply NoEpochLeft { get; } =
        new(new PeerReply.Done(), Error: new KvError.NotReady("the node's epochs are used up: a new node has to take its place"));

    public static VnodeReply Closed { get; } = new(new PeerReply.Refused(VnodeRefusals.Closed));

    public static VnodeReply Damaged { get; } = new(new PeerReply.Refused(VnodeRefusals.Damaged));

    public static VnodeReply StorageFailed { get; } = new(new PeerReply.Refused(VnodeRefusals.StorageFailed));
}
