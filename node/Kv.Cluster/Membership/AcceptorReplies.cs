using System.Diagnostics;
using Kv.Cluster.Peers;
using Kv.Core.Membership;

namespace Kv.Cluster.Membership;

/// <summary>An acceptor's reply as the messages between nodes carry it, and back.</summary>
internal static class AcceptorReplies
{
    /// <summary>An acceptor that is behind answers with no document: the version it holds goes with every reply.</summary>
    public static PeerReply ToPeer(AcceptorReply reply) => reply switch
    {
        AcceptorReply.Promised promised => new PeerReply.Promised(promised.AcceptedBallot, promised.AcceptedDocument),
        AcceptorReply.Accepted => new PeerReply.Accepted(),
        AcceptorReply.Rejected rejected => new PeerReply.Rejected(rejected.Highest),
        AcceptorReply.AlreadyDecided decided => new PeerReply.Document(decided.Document),
        AcceptorReply.Behind => new PeerReply.Document(null),
        AcceptorReply.OtherCluster other => new PeerReply.Refused($"this node is in cluster {other.ClusterId}"),
        _ => throw new UnreachableException($"no message for {reply.GetType().Name}"),
    };

    /// <summary>Null where the peer gave no vote: it did not answer, or cannot.</summary>
    public static AcceptorReply? FromPeer(PeerReply reply) => reply switch
    {
        PeerReply.Promised promised => new AcceptorReply.Promised(promised.AcceptedBallot, promised.AcceptedDocument),
        PeerReply.Accepted => new AcceptorReply.Accepted(),
        PeerReply.Rejected rejected => new AcceptorReply.Rejected(rejected.Highest),
        PeerReply.Document { Held: { } decided } => new AcceptorReply.AlreadyDecided(decided),
        PeerReply.Document => new AcceptorReply.Behind(reply.DocumentVersion),
        _ => null,
    };
}
