using Kv.Cluster.Peers;
using Kv.Core.Rings;
using Kv.TestKit;

namespace Kv.Cluster.Tests.Membership;

/// <summary>Counts how many messages with a decided document are on their way from one node to another at one time.</summary>
internal sealed class LearnDocumentSeams : SimSeams
{
    private readonly Dictionary<NodeId, int> most = [];

    public int MostTo(NodeId node) => most.GetValueOrDefault(node);

    public override IPeerTransport Transport(SimNode node, SimContext context, IPeerTransport real) => new Counting(real, most);

    private sealed class Counting(IPeerTransport real, Dictionary<NodeId, int> most) : IPeerTransport
    {
        private readonly Dictionary<NodeId, int> underWay = [];

        public async ValueTask<PeerReply> SendAsync(NodeId to, PeerRequest request, PeerLane lane, Deadline deadline, CancellationToken cancel)
        {
            if (request is not PeerRequest.LearnDocument)
            {
                return await real.SendAsync(to, request, lane, deadline, cancel);
            }

            underWay[to] = underWay.GetValueOrDefault(to) + 1;
            most[to] = Math.Max(most.GetValueOrDefault(to), underWay[to]);
            try
            {
                return await real.SendAsync(to, request, lane, deadline, cancel);
            }
            finally
            {
                underWay[to]--;
            }
        }

        public ValueTask<PeerReply> SendAsync(string address, PeerRequest request, Deadline deadline, CancellationToken cancel) => real.SendAsync(address, request, deadline, cancel);

        public void SetPeers(IReadOnlyDictionary<NodeId, string> addresses) => real.SetPeers(addresses);
    }
}
