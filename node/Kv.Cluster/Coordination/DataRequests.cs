using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.Rings;

namespace Kv.Cluster.Coordination;

/// <summary>Answers what peers ask about data: replicas and forwarded requests. The node's <see cref="IPeerHandler"/> hands it what is not membership or handoff.</summary>
public sealed class DataRequests(ClusterState state, VnodeGate gate, KvClient client)
{
    /// <summary>
    /// The answer to <see cref="PeerRequest.VnodeGet"/>, <see cref="PeerRequest.VnodePut"/>, <see cref="PeerRequest.VnodeReap"/>,
    /// <see cref="PeerRequest.VnodeList"/> and <see cref="PeerRequest.Forward"/>; null for a request of another kind. Throws nothing.
    /// </summary>
    public async ValueTask<PeerReply?> HandleAsync(NodeId from, PeerRequest request, Deadline deadline, CancellationToken cancel)
    {
        if (request is not PeerRequest.Forward forward)
        {
            return await gate.HandleAsync(request, cancel);
        }

        var outcome = await client.ExecuteForwardedAsync(forward.Request, deadline);
        return new PeerReply.Forwarded(outcome) { DocumentVersion = state.Current.DocumentVersion };
    }
}
