using Kv.Core.Rings;

namespace Kv.Cluster.Peers;

/// <summary>The other end of <see cref="IPeerTransport"/>: answers what peers ask of this node. Never throws; may answer in any order.</summary>
public interface IPeerHandler
{
    ValueTask<PeerReply> HandleAsync(NodeId from, PeerRequest request, Deadline deadline, CancellationToken cancel);
}
