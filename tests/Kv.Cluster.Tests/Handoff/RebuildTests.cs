using Kv.Cluster.Handoff;
using Kv.Cluster.Peers;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Handoff;

/// <summary>Dead members are replaced or removed, and their data comes back from the other replicas: all of it, whatever dies meanwhile, and nobody counts on it before.</summary>
public sealed class RebuildTests
{
    private static readonly NodeId NewId = new(101);

    [Theory]
    [InlineData(1, 5, 32)]
    [InlineData(2, 5, 32)]
    [InlineData(3, 5, 32)]
    [InlineData(4, 5, 32)]
    [InlineData(5, 5, 32)]
    [InlineData(6, 3, 64)]
    [InlineData(7, 3, 64)]
    [InlineData(8, 3, 8)]
    public void Replace_OfALostVolume_UnderLoad_LosesNothing(int seed, int nodes, int ringSize) => SimCluster.Run(seed, nodes, async cluster =>
    {
        await cluster.FormAsync(nodes, ringSize);
        var load = await Load.BeginAsync(cluster);
        await load.WriteAllAsync(cluster.Nodes[0]);
        var lost = cluster.Nodes[seed % nodes];
        var before = cluster.Document.Ring.Owners;
        var dead = await LoseAsync(cluster, lost, NewId);
        await cluster.ReplaceAsync(cluster.Nodes[(seed + 1) % nodes], dead, lost);
        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty, 120, "the partitions are rebuilt under load");
        await load.StopClientsAsync();

        // What two have acknowledged is on its way to the third.
        await cluster.DelayAsync(TimeSpan.FromSeconds(1));
        await cluster.SettleAsync();

        load.VerifyHeldBy(lost);
        await load.VerifyAsync();
        Assert.Equal(before.Select(owner => owner == dead ? NewId : owner), cluster.Document.Ring.Owners);
        Assert.True(load.Acknowledged > 60, $"only {load.Acknowledged} writes");
    });

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void Remove_UnderLoad_LosesNothing(int seed) => SimCluster.Run(seed, 5, async cluster =>
    {
        await cluster.FormAsync(5, ringSize: 32);
        var load = await Load.BeginAsync(cluster);
        await load.WriteAllAsync(cluster.Nodes[0]);
        var dead = cluster.Nodes[seed % 5];
        dead.Kill();
        await cluster.RemoveAsync(cluster.Nodes[(seed + 1) % 5], dead.Id);
        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty && !RingTransition.HasPending(cluster.Document.Ring), 120, "all is rebuilt and moved");
        await load.EndAsync();

        Assert.DoesNotContain(dead.Id, cluster.Document.Ring.Owners);
        var shares = RingTransition.Count(cluster.Document.Ring.Owners).Values;
        Assert.InRange(shares.Max() - shares.Min(), 0, 1);
        await dead.StartAsync();
        await cluster.UntilAsync(() => dead.Node.Admin.GetNode().IsRemoved, 20, "the dead member knows that it was given up");
        await load.VerifyAsync();
    });

    /// <summary>The only copies of a write: one on the member that dies, the other somewhere else; and what is done about it.</summary>
    [Theory]
    [InlineData(21, false, false)]
    [InlineData(22, false, true)]
    [InlineData(23, true, false)]
    [InlineData(24, true, true)]
    public void AWriteThatOneOtherHas_MaybeAsAStandIn_IsOnTheNewOwner(int seed, bool byStandIn, bool isRemoved) => SimCluster.Run(seed, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        var load = await Load.BeginAsync(cluster, clientCount: 0);
        var (dead, absent) = (cluster.Nodes[1], cluster.Nodes[3]);
        var deadId = dead.Id;
        if (byStandIn)
        {
            absent.Kill();
            await cluster.UntilAsync(() => cluster.Up.All(n => n.Node.State.Current.Up.Count == 4), 10, "all see that it is gone");
        }

        // Of what is neither coordinated by nor meant for the two, nothing arrives.
        cluster.Network.Drop = (_, to, request) => request is PeerRequest.VnodePut put && !IsOf(cluster, put, deadId) && !IsOf(cluster, put, absent.Id) && to != deadId;
        foreach (var node in new[] { dead, cluster.Nodes[0] })
        {
            await load.WriteAllAsync(node);
        }

        cluster.Network.Drop = null;
        if (byStandIn)
        {
            await absent.StartAsync();
        }

        dead.Kill();
        if (isRemoved)
        {
            await cluster.RemoveAsync(cluster.Nodes[0], deadId);
        }
        else
        {
            dead.LoseVolume(NewId);
            await dead.StartAsync();
            await cluster.ReplaceAsync(cluster.Nodes[0], deadId, dead);
        }

        var rebuilt = cluster.Document.Ring.Rebuilding;
        Assert.NotEmpty(rebuilt);
        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty, 120, "the partitions are rebuilt");
        foreach (var node in cluster.Up.Where(n => rebuilt.Any(p => cluster.Document.Ring.Owner(p) == n.Id)))
        {
            load.VerifyHeldBy(node, rebuilt);
        }

        await cluster.SettleAsync();
        await load.VerifyAsync();
    });

    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    public void TwoMembers_LostOneAfterTheOther_AreRebuiltFromTheThirdReplica(int seed) => SimCluster.Run(seed, 6, async cluster =>
    {
        await cluster.FormAsync(6, ringSize: 32);
        var load = await Load.BeginAsync(cluster, clientCount: 0);
        await load.WriteAllAsync(cluster.Nodes[0]);
        await cluster.SettleAsync();
        var (first, second) = (cluster.Nodes[1], cluster.Nodes[2]);
        var firstId = await LoseAsync(cluster, first, NewId);

        // The second goes while the first is rebuilt, before anything has arrived.
        cluster.Network.Drop = (_, _, request) => request is PeerRequest.Rebuild { Step: RebuildStep.Send };
        await cluster.ReplaceAsync(cluster.Nodes[0], firstId, first);
        await cluster.DelayAsync(TimeSpan.FromSeconds(5));
        var secondId = await LoseAsync(cluster, second, new NodeId(102));
        cluster.Network.Drop = null;
        await cluster.DelayAsync(TimeSpan.FromSeconds(20));
        Assert.NotEmpty(cluster.Document.Ring.Rebuilding);
        Assert.Contains(first.Node.Admin.GetTransfers(), t => t.Kind == TransferKind.Rebuild && t.From == secondId && t.LastError.Contains("down", StringComparison.Ordinal));

        await cluster.ReplaceAsync(cluster.Nodes[0], secondId, second);
        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty, 120, "both are rebuilt");
        load.VerifyHeldBy(first);
        load.VerifyHeldBy(second);
        await cluster.SettleAsync();
        await load.VerifyAsync();
    });

    /// <summary>Each message of a rebuild, and the end that dies at it.</summary>
    public static TheoryData<string, bool, int> Steps()
    {
        var steps = new TheoryData<string, bool, int>();
        foreach (var message in new[] { "held", "send", "batch", "propose", "accept", "learn" })
        {
            foreach (var nth in new[] { 1, 3, 8 })
            {
                steps.Add(message, true, nth);
                steps.Add(message, false, nth);
            }
        }

        return steps;
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void Rebuild_WithAnEndThatDiesAtAStep_IsWhole(string message, bool senderDies, int nth) => SimCluster.Run(41 + nth, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        var load = await Load.BeginAsync(cluster);
        await load.WriteAllAsync(cluster.Nodes[0]);
        var lost = cluster.Nodes[2];
        var dead = await LoseAsync(cluster, lost, NewId);
        var seen = 0;
        SimNode? victim = null;
        cluster.Network.Drop = (from, to, request) =>
        {
            if (victim is null && cluster.Document is { Ring.Rebuilding.IsEmpty: false } && IsStep(message, request) && ++seen == nth)
            {
                victim = cluster.Nodes.Single(n => n.Id == (senderDies ? from : to));
                cluster.Scheduler.World.After(TimeSpan.FromTicks(cluster.Scheduler.Random.Next(1, 30_000)), () => KillIfUp(victim));
            }

            return false;
        };
        await cluster.ReplaceAsync(cluster.Nodes[0], dead, lost);
        await cluster.DelayAsync(TimeSpan.FromSeconds(8));
        if (victim is { IsUp: false })
        {
            await victim.StartAsync();
        }

        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty, 120, "the partitions are rebuilt");
        await load.EndAsync();
    });

    [Theory]
    [InlineData(52, true)]
    [InlineData(53, false)]
    public void AnOwnerThatRestarts_IsNotSentAllAgain(int seed, bool losesPower) => SimCluster.Run(seed, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        var load = await Load.BeginAsync(cluster, clientCount: 0, keyCount: 60);
        await load.WriteAllAsync(cluster.Nodes[0]);
        await cluster.SettleAsync();
        var lost = cluster.Nodes[2];
        var slow = cluster.Nodes[4];
        var dead = await LoseAsync(cluster, lost, NewId);

        // One member does not come to send: all others have when the owner dies.
        var sent = new Dictionary<(NodeId, PartitionId), int>();
        cluster.Network.Drop = (from, to, request) =>
        {
            if (to == lost.Id && request is PeerRequest.HandoffBatch { Entries.Count: > 0 } batch)
            {
                sent[(from, batch.Partition)] = sent.GetValueOrDefault((from, batch.Partition)) + batch.Entries.Count;
            }

            return to == slow.Id && request is PeerRequest.Rebuild { Step: RebuildStep.Send };
        };
        await cluster.ReplaceAsync(cluster.Nodes[0], dead, lost);
        await cluster.DelayAsync(TimeSpan.FromSeconds(15));
        Assert.NotEmpty(cluster.Document.Ring.Rebuilding);
        var before = sent.ToDictionary();
        Assert.NotEmpty(before);
        lost.Kill(losesPower);
        await cluster.DelayAsync(TimeSpan.FromSeconds(5));
        await lost.StartAsync();
        await cluster.DelayAsync(TimeSpan.FromSeconds(15));
        Assert.Equal(before, sent);
        cluster.Network.Drop = null;
        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty, 120, "the partitions are rebuilt");
        load.VerifyHeldBy(lost);
        await cluster.SettleAsync();
        await load.VerifyAsync();
    });

    [Fact]
    public void WhileItIsRebuilt_AnOwnerCountsForNothingButWrites() => SimCluster.Run(51, 4, async cluster =>
    {
        await cluster.FormAsync(4);
        var load = await Load.BeginAsync(cluster, clientCount: 0);
        await load.WriteAllAsync(cluster.Nodes[0]);
        await cluster.SettleAsync();
        var lost = cluster.Nodes[2];
        var dead = await LoseAsync(cluster, lost, NewId);
        cluster.Network.Drop = (_, _, request) => request is PeerRequest.Rebuild or PeerRequest.VnodePut { Kind: VnodePutKind.Repair };
        await cluster.ReplaceAsync(cluster.Nodes[0], dead, lost);
        await cluster.UntilAsync(() => cluster.Up.All(n => n.Document!.Version == cluster.Document.Version), 20, "all know");

        foreach (var key in load.Keys)
        {
            var read = await lost.AskAsync(new KvRequest.Get { Key = key });
            Assert.IsType<KvOutcome.Found>(read);
            Assert.IsType<KvOutcome.Found>(await lost.AskAsync(new KvRequest.Get { Key = key, Pr = QuorumValue.Of(2) }));
            var isRebuilt = Primaries(cluster, key).Any(p => p.Node == lost.Id);
            var all = await lost.AskAsync(new KvRequest.Get { Key = key, Pr = QuorumValue.All });
            Assert.Equal(isRebuilt, all is KvOutcome.Failed { Error: KvError.Unsatisfied { Option: "pr", Required: 3, Got: 2 } });
        }

        var first = load.Keys[0];
        Assert.IsType<KvOutcome.Deleted>(await lost.AskAsync(new KvRequest.Delete { Key = first }));
        await cluster.DelayAsync(TimeSpan.FromSeconds(15));
        Assert.Equal(3, Holders(cluster, first));
        cluster.Network.Drop = null;
        await cluster.UntilAsync(() => cluster.Document.Ring.Rebuilding.IsEmpty, 120, "the partitions are rebuilt");
        await cluster.SettleAsync();
        Assert.IsType<KvOutcome.NotFound>(await lost.AskAsync(new KvRequest.Get { Key = first }));
        await cluster.UntilAsync(() => Holders(cluster, first) == 0, 30, "the tombstone goes when all is rebuilt");
    });

    /// <summary>The member's volume is lost and the node that starts in its place, under its name, is outside the cluster.</summary>
    private static async Task<NodeId> LoseAsync(SimCluster cluster, SimNode node, NodeId newId)
    {
        var dead = node.Id;
        node.Kill();
        node.LoseVolume(newId);
        await node.StartAsync();
        return dead;
    }

    private static PreflistEntry[] Primaries(SimCluster cluster, ObjectKey key) =>
        PreferenceList.Primaries(cluster.Document.Ring, RingHash.FirstPartition(key, cluster.Document.EffectiveProps(new BucketName(key.BucketType, key.Bucket))!.ChashKeyFun, cluster.Document.Ring.Size), 3);

    private static int Holders(SimCluster cluster, ObjectKey key) => Primaries(cluster, key)
        .Count(p => cluster.Nodes.Single(n => n.Id == p.Node).Volume.Contents(p.Partition).ContainsKey(key.Encoded.ToArray()));

    private static bool IsOf(SimCluster cluster, PeerRequest.VnodePut put, NodeId node) => cluster.Document.Ring.Owner(put.Partition) == node;

    private static bool IsStep(string message, PeerRequest request) => (message, request) switch
    {
        ("held", PeerRequest.Rebuild { Step: RebuildStep.SendHeld }) => true,
        ("send", PeerRequest.Rebuild { Step: RebuildStep.Send }) => true,
        ("batch", PeerRequest.HandoffBatch { Entries.Count: > 0 }) => true,
        ("propose", PeerRequest.Propose { Change: Core.Membership.DocumentChange.CompleteRebuild }) => true,
        ("accept", PeerRequest.Accept { Document.Staged.IsEmpty: true }) => true,
        ("learn", PeerRequest.LearnDocument { Document.Staged.IsEmpty: true }) => true,
        _ => false,
    };

    private static void KillIfUp(SimNode node)
    {
        if (node.IsUp)
        {
            node.Kill();
        }
    }
}
