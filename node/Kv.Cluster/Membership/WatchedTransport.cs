using System.Runtime.CompilerServices;
using Kv.Cluster.Peers;
using Kv.Cluster.Reaping;
using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>
/// The transport as the rest of the node sees it: each message carries the document version that it was planned by, or this node's where it needed no
/// plan, and each answer tells <see cref="NodeWatcher"/> that the peer lives and <see cref="Gossip"/> which document it holds.
/// </summary>
internal sealed class WatchedTransport(IPeerTransport inner, ClusterState state, Fences fences) : IPeerTransport
{
    /// <summary>Told of each answer and of the peer's document version; set once, before anything is sent.</summary>
    public Action<NodeId, long> OnAnswer { get; set; } = static (_, _) => { };

    public Action<NodeId> OnUnreachable { get; set; } = static _ => { };

    // hot
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<PeerReply> SendAsync(NodeId to, PeerRequest request, PeerLane lane, Deadline deadline, CancellationToken cancel)
    {
        var reply = await inner.SendAsync(to, Stamp(request), lane, deadline, cancel);
        switch (reply)
        {
            case PeerReply.Unreachable:
                OnUnreachable(to);
                break;

            // Made on this side of the wire: none says anything about the peer.
            case PeerReply.TimedOut or PeerReply.Overloaded or PeerReply.Refused { DocumentVersion: 0 }:
                break;

            default:
                fences.Saw(to, reply.Fence);
                OnAnswer(to, reply.DocumentVersion);
                break;
        }

        return reply;
    }

    public ValueTask<PeerReply> SendAsync(string address, PeerRequest request, Deadline deadline, CancellationToken cancel) =>
        inner.SendAsync(address, Stamp(request), deadline, cancel);

    public void SetPeers(IReadOnlyDictionary<NodeId, string> addresses) => inner.SetPeers(addresses);

    private PeerRequest Stamp(PeerRequest request) =>
        request.DocumentVersion == 0 && state.Current.DocumentVersion is > 0 and var version ? request with { DocumentVersion = version } : request;
}
