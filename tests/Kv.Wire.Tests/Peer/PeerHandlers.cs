using Kv.Cluster;
using Kv.Cluster.Peers;
using Kv.Core.Rings;

namespace Kv.Wire.Tests.Peer;

/// <summary>A peer's answers by a function.</summary>
internal sealed class PeerHandlers(Func<NodeId, PeerRequest, Deadline, ValueTask<PeerReply>> answer) : IPeerHandler
{
    public static PeerHandlers Done { get; } = new((_, _, _) => new ValueTask<PeerReply>(new PeerReply.Done()));

    public ValueTask<PeerReply> HandleAsync(NodeId from, PeerRequest request, Deadline deadline, CancellationToken cancel) => answer(from, request, deadline);
}
