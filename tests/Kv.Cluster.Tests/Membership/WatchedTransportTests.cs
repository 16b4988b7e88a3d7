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

    [Fact]
    public void ARefusalOfTheTransport_IsNoSignOfLife()
    {
        var scheduler = new SimScheduler(1);
        var state = new ClusterState(new NodeId(1));
        state.SetDocument(new DataCluster(scheduler, 3).Document);
        var heard = new List<NodeId>();
        var inner = new Recorder { Reply = new PeerReply.Refused("wrong_node: a pod with a new volume") };
        var watched = new WatchedTransport(inner, state, new Fences(new NodeId(1))) { OnAnswer = (node, _) => heard.Add(node) };
        scheduler.Run(async () => await watched.SendAsync(new NodeId(2), new PeerRequest.Heartbeat(), PeerLane.Request, default, CancellationToken.None));
        Assert.Empty(heard);

        inner.Reply = new PeerReply.Refused("it is busy") { DocumentVersion = 1 };
        scheduler.Run(async () => await watched.SendAsync(new NodeId(2), new PeerRequest.Heartbeat(), PeerLane.Request, default, CancellationToken.None));
        Assert.Equal([new NodeId(2)], heard);
    }

    [Fact]
    public void AMemberAtTheNodesOwnAddress_IsNoPeer()
    {
        var scheduler = new SimScheduler(1);
        var document = new DataCluster(scheduler, 3).Document;
        document = document with { Members = [.. document.Members.Select(m => m with { Endpoints = m.Endpoints.SetItem(PeerEndpoint.Name, $"{m.Name}:8099") })] };
        var newcomer = document.Members[0] with { Id = new NodeId(0xfeed) };
        var peers = PeerEndpoint.OthersOf(document, newcomer);
        Assert.Equal(document.Members.Skip(1).Select(m => m.Id), peers.Keys.Order());
        Assert.Equal(document.Members.Skip(1).Select(m => m.Id), PeerEndpoint.OthersOf(document, document.Members[0]).Keys.Order());
    }

    private sealed class Recorder : IPeerTransport
    {
        public PeerRequest? Sent { get; private set; }

        public PeerReply Reply { get; set; } = new PeerReply.Done();

        public ValueTask<PeerReply> SendAsync(NodeId to, PeerRequest request, PeerLane lane, Deadline deadline, CancellationToken cancel)
        {
            Sent = request;
            return new(Reply);
        }

        public ValueTask<PeerReply> SendAsync(string address, PeerRequest request, Deadline deadline, CancellationToken cancel) => new(new PeerReply.Done());

        public void SetPeers(IReadOnlyDictionary<NodeId, string> addresses)
        {
            // Nobody is reached.
        }
    }
}
