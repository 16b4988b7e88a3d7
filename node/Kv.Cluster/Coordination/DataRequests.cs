using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.Rings;

namespace Kv.Cluster.Coordination;

/// <summary>Answers what peers ask about data: replicas and forwarded requests. The node's <see cref="IPeerHandler"/> hands it what is not membership or handoff.</summary>
public sealed class DataRequests(ClusterState state, VnodeGate gate, KvClient client)
{
    /// <summary>
    /// The answer to a request about replicas, to <see cref="PeerRequest.Forward"/> and to a reaper's rounds, with this node's document version and fence on
    /// it; null for a request of another kind. Throws nothing.
    /// </summary>
    public async ValueTask<PeerReply?> HandleAsync(NodeId from, PeerRequest request, Deadline deadline, CancellationToken cancel)
    {
        var reply = request switch
        {
            PeerRequest.Forward forward => new PeerReply.Forwarded(await client.ExecuteForwardedAsync(forward.Request, deadline)),
            PeerRequest.Inspect or PeerRequest.Seal or PeerRequest.Reap => await gate.Reaps.HandleAsync(from, request),
            _ => await gate.HandleAsync(request, cancel),
        };
        return reply is null ? null : reply with { DocumentVersion = state.Current.DocumentVersion, Fence = gate.Fences.Own };
    }
}
