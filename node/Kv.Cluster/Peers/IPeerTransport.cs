using Kv.Core.Rings;

namespace Kv.Cluster.Peers;

/// <summary>
/// The way to other nodes. Requests of the lane <see cref="PeerLane.Request"/> are pipelined and batched; those of <see cref="PeerLane.Bulk"/>
/// go by a stream of their own, so that handoff never delays a request. Each lane has a bounded queue: a full one answers
/// <see cref="PeerReply.Overloaded"/> at once. Nothing is thrown for what a network does: a peer that cannot be reached, hangs
/// up or stays silent past the deadline is <see cref="PeerReply.Unreachable"/> or <see cref="PeerReply.TimedOut"/>. A request reaches the peer once at most: the
/// transport sends nothing again. Sending to oneself is a bug.
/// </summary>
public interface IPeerTransport
{
    ValueTask<PeerReply> SendAsync(NodeId to, PeerRequest request, PeerLane lane, Deadline deadline, CancellationToken cancel);

    /// <summary>
    /// Sends to a node that is not a member yet, by its peer address (`host:port`): how a joining node is met first.
    /// </summary>
    ValueTask<PeerReply> SendAsync(string address, PeerRequest request, Deadline deadline, CancellationToken cancel);

    /// <summary>Tells the transport where members are; called with each new document.</summary>
    void SetPeers(IReadOnlyDictionary<NodeId, string> addresses);
}
