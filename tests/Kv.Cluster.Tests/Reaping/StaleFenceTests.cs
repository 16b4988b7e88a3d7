using System.Diagnostics.Metrics;
using Kv.Cluster.Handoff;
using Kv.Cluster.Peers;
using Kv.Cluster.Tests.Coordination;
using Kv.Core.Causality;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Reaping;

/// <summary>What a seal overtakes is refused, and arrives all the same as it is by then.</summary>
public sealed class StaleFenceTests
{
    [Fact]
    public void AWriteThatASealOvertakes_ArrivesAsTheCoordinatorHoldsItThen() => DataCluster.Run(1, 5, async cluster =>
    {
        var puts = Hold(cluster, cluster.Primary(2).Id);
        var writing = cluster.Primary(0).AskAsync(Story.Put("first") with { W = QuorumValue.All });
        await cluster.WaitAsync(0.1);
        Seal(cluster, 2);
        cluster.Network.Drop = (from, _, request) => from == cluster.Primary(1).Id && request is PeerRequest.VnodePut put && put.Partition == cluster.Partition(2);
        await cluster.Primary(1).StoreAsync("second");
        Assert.IsType<KvOutcome.Stored>(await writing);
        Assert.Equal(["first", "second"], Story.Values((await cluster.HeldByPrimariesAsync())[2]!));
        Assert.Contains(puts, put => put.Fence == cluster.Primary(2).Fences.Own && Holds(put, "second"));
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AWriteWithoutACoordinatorThatSealsOvertake_Arrives(bool everywhere) => DataCluster.Run(2, 5, async cluster =>
    {
        Hold(cluster, [.. cluster.Primaries(Story.Key()).Skip(everywhere ? 0 : 1).Select(entry => entry.Node)]);
        var clock = VersionVector.FromEntries([new ClockEntry(new ActorId(cluster.Outsider().Id, cluster.Partition(0), 1), 1, 1)]);
        var writing = cluster.Outsider().AskAsync(Story.Put("v", clock) with { AsIs = true, W = QuorumValue.All });
        await cluster.WaitAsync(0.1);
        for (var place = everywhere ? 0 : 1; place < 3; place++)
        {
            Seal(cluster, place);
        }

        Assert.IsType<KvOutcome.Stored>(await writing);
        Assert.All(await cluster.HeldByPrimariesAsync(), held => Assert.Equal(["v"], Story.Values(held!)));
    });

    [Fact]
    public void AWriteThatItsCoordinatorHoldsNoMore_IsNotTakenForStored_WhereASealOvertakesIt() => DataCluster.Run(6, 5, async cluster =>
    {
        var (node, vnode) = (cluster.Primary(0), cluster.Primary(0).Host.Find(cluster.Partition(0))!);
        await cluster.Primary(0, Story.Key("another")).StoreAsync("other", key: Story.Key("another"));
        Hold(cluster, cluster.Primary(2).Id);
        var writing = node.AskAsync(Story.Put("first") with { W = QuorumValue.All });
        await cluster.WaitAsync(0.1);
        Seal(cluster, 2);
        var held = (await cluster.HeldByPrimariesAsync())[0]!;
        Kv.Core.Stores.StoredEntry[] gone = [new(Story.Key().Encoded, ObjectCodec.Encode(held))];
        Assert.True(await node.Context.CallAsync(() => vnode.ForgetAsync(gone, vnode.Writes)));
        await cluster.PlantAsync(0, (await cluster.HeldByPrimariesAsync(Story.Key("another")))[0]!);
        Assert.IsType<KvOutcome.Failed>(await writing);
    });

    [Fact]
    public void AWriteThatIsPassedOnAndOvertaken_IsPassedOnAgain() => DataCluster.Run(3, 5, async cluster =>
    {
        var (node, target, partition) = (cluster.Primary(0), cluster.Outsider(), cluster.Partition(0));
        var transfer = await node.Context.CallAsync(() => node.Host.Find(partition)!.BeginTransferAsync(target.Id, CancellationToken.None));
        Hold(cluster, target.Id);
        var writing = node.AskAsync(Story.Put("v"));
        await cluster.WaitAsync(0.1);
        target.Fences.Seal([partition]);
        Assert.IsType<KvOutcome.Stored>(await writing);
        Assert.False(transfer!.HasMissed);
        Assert.Equal(["v"], Story.Values((await cluster.HeldAsync(target.Id, partition, Story.Key()))!));
    });

    [Fact]
    public void AWriteBetweenInspectionAndSeal_KeepsItsKeyFromBeingReaped() => DataCluster.Run(4, 5, async cluster =>
    {
        await cluster.Primary(0).StoreAsync("v");
        var asked = 0;
        cluster.Network.Hold = (_, _, request) => request is PeerRequest.Seal && asked++ < 4 ? TimeSpan.FromSeconds(2) : TimeSpan.Zero;
        Assert.IsType<KvOutcome.Deleted>(await cluster.Primary(0).AskAsync(new KvRequest.Delete { Key = Story.Key() }));
        await cluster.WaitAsync(3.5);
        Assert.Equal(4, asked);
        await cluster.Primary(0).StoreAsync("w");
        await cluster.WaitAsync(10);
        Assert.All(await cluster.HeldByPrimariesAsync(), held => Assert.Equal(["(deleted)", "w"], Story.Values(held!)));
        Assert.All(cluster.Nodes, node => Assert.Equal(0, node.Host.Inspections.Count));
        Assert.Equal(0, cluster.Nodes.Sum(node => node.Statistics.Reaps));
    });

    [Fact]
    public void ABatchThatASealOvertakes_IsReadAnew() => DataCluster.Run(5, 5, async cluster =>
    {
        var node = cluster.Primary(0);
        var vnode = node.Host.Find(cluster.Partition(0))!;
        await node.StoreAsync("kept");
        using var meter = new Meter("test");
        var transport = new Sealing(node, cluster.Outsider().Id, () => node.StoreAsync("newer"));
        var statistics = new HandoffStatistics(meter);
        var receiver = new HandoffReceiver(cluster.Options, node.State, node.Host, statistics);
        var sender = new HandoffSender(cluster.Options, node.Id, receiver, transport, node.Fences, statistics, node.Context.Time, new Random(1));
        var job = new HandoffJob(TransferKind.Hinted, new Transfer(vnode.Partition, node.Id, transport.Target, 0), 0);
        Assert.Null(await node.Context.CallAsync(() => sender.SendAllAsync(vnode, job, CancellationToken.None)));
        Assert.Equal(2, transport.Batches.Count);
        Assert.Equal(["kept"], ValuesOf(transport.Batches[0]));
        Assert.Equal(["kept", "newer"], ValuesOf(transport.Batches[1]));
        Assert.NotEqual(transport.Batches[0].Fence, transport.Batches[1].Fence);
    });

    /// <summary>The first write to each of these nodes comes a second late. Gives all that are sent there.</summary>
    private static List<PeerRequest.VnodePut> Hold(DataCluster cluster, params NodeId[] to)
    {
        var puts = new List<PeerRequest.VnodePut>();
        var waiting = to.ToHashSet();
        cluster.Network.Hold = (_, target, request) =>
        {
            if (request is not PeerRequest.VnodePut put || !to.Contains(target))
            {
                return TimeSpan.Zero;
            }

            puts.Add(put);
            return waiting.Remove(target) ? TimeSpan.FromSeconds(1) : TimeSpan.Zero;
        };
        return puts;
    }

    private static void Seal(DataCluster cluster, int place) => cluster.Primary(place).Fences.Seal([cluster.Partition(place)]);

    private static bool Holds(PeerRequest.VnodePut put, string value) => Story.Values(ObjectCodec.Decode(put.Object)).Contains(value);

    private static string[] ValuesOf(PeerRequest.HandoffBatch batch) =>
        [.. batch.Entries.Where(entry => entry.Key.Span.SequenceEqual(Story.Key().Encoded.Span)).SelectMany(entry => Story.Values(ObjectCodec.Decode(entry.Value)))];

    /// <summary>A target that seals the partition when the first batch arrives, while the sender's node goes on.</summary>
    private sealed class Sealing(DataNode sender, NodeId target, Func<Task> meanwhile) : IPeerTransport
    {
        public NodeId Target { get; } = target;

        public List<PeerRequest.HandoffBatch> Batches { get; } = [];

        public async ValueTask<PeerReply> SendAsync(NodeId to, PeerRequest request, PeerLane lane, Deadline deadline, CancellationToken cancel)
        {
            Batches.Add((PeerRequest.HandoffBatch)request);
            if (Batches.Count > 1)
            {
                return new PeerReply.Done();
            }

            await meanwhile();
            var known = sender.Fences.Known.Of(Target);
            sender.Fences.Saw(Target, known with { Generation = known.Generation + 1 });
            return new PeerReply.StaleFence();
        }

        public ValueTask<PeerReply> SendAsync(string address, PeerRequest request, Deadline deadline, CancellationToken cancel) => throw new NotSupportedException();

        public void SetPeers(IReadOnlyDictionary<NodeId, string> addresses) => throw new NotSupportedException();
    }
}
