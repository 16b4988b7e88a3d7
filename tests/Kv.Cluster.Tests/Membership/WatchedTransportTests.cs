using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Reaping;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Membership;

public sealed class WatchedTransportTests
{
    [Theory]
    [InlineData(3, 3)]
    [InlineData(0, 5)]
    public void AMessage_CarriesTheVersionItWasPlannedBy_OrTheNodesOwn(long planned, long carried)
    {
        var scheduler = new SimScheduler(1);
        var state = new ClusterState(new NodeId(1));
        state.SetDocument(new DataCluster(scheduler, 3).Document with { Version = 5 });
        var inner = new Recorder();
        var watched = new WatchedTransport(inner, state, new Fences(new NodeId(1)));
        var request = new PeerRequest.VnodeGet(new PartitionId(0), new("t", "b", "k"), HeadOnly: true) { DocumentVersion = planned };
        scheduler.Run(async () => await watched.SendAsync(new NodeId(2), request, PeerLane.Request, default, CancellationToken.None));
        Assert.Equal(carried, inner.Sent!.DocumentVersion);
    }

    private sealed class Recorder : IPeerTransport
    {
        public PeerRequest? Sent { get; private set; }

        public ValueTask<PeerReply> SendAsync(NodeId to, PeerRequest request, PeerLane lane, Deadline deadline, CancellationToken cancel)
        {
            Sent = request;
            return new(new PeerReply.Done());
        }

        public ValueTask<PeerReply> SendAsync(string address, PeerRequest request, Deadline deadline, CancellationToken cancel) => new(new PeerReply.Done());

        public void SetPeers(IReadOnlyDictionary<NodeId, string> addresses)
        {
            // Nobody is reached.
        }
    }
}
