using Kv.Cluster.Peers;
using Kv.Cluster.Tests.Coordination;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests;

public sealed class PeerDispatcherTests
{
    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void DataOfANodeThatIsNoMember_IsRefused_UnlessItMayHaveJoinedByANewerDocument(int ahead, bool isTaken) => SimCluster.Run(1, 4, async cluster =>
    {
        await cluster.FormAsync(3);
        var (node, stranger) = (cluster.Nodes[0], cluster.Nodes[3]);
        var version = cluster.Document.Version + ahead;
        var partition = new PartitionId(cluster.Document.Ring.Owners.IndexOf(node.Id));
        ReadOnlyMemory<byte> stored = ObjectCodec.Encode(KvObject.AsSent(Story.Value("v"), Kv.Core.Causality.VersionVector.Empty));
        var fence = (await AskAsync(new PeerRequest.Heartbeat())).Fence;
        var put = new PeerRequest.VnodePut(partition, Story.Key(type: ObjectKey.DefaultType), stored, VnodePutKind.Replicate, Durability.Synced) { DocumentVersion = version, Fence = fence };
        var batch = new PeerRequest.HandoffBatch(partition, [new StoredEntry(Story.Key(type: ObjectKey.DefaultType).Encoded, stored)]) { DocumentVersion = version, Fence = fence };
        foreach (var request in new PeerRequest[] { put, batch })
        {
            Assert.Equal(isTaken, await AskAsync(request) is PeerReply.Done);
        }

        async Task<PeerReply> AskAsync(PeerRequest request) => (await node.InAsync(async () => await node.Node.PeerHandler.HandleAsync(
            stranger.Id, request, Deadline.After(cluster.Scheduler.World.Time, TimeSpan.FromSeconds(1)), CancellationToken.None)))!;
    });
}
