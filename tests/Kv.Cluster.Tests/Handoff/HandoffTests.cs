using System.Collections.Immutable;
using Kv.Cluster.Peers;
using Kv.Core.Buckets;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Handoff;

/// <summary>Data goes where it belongs, and nothing acknowledged is lost on the way, whatever dies.</summary>
public sealed class HandoffTests
{
    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(15)]
    public void FiveToSeven_UnderLoad_LosesNothingAndEndsBalanced(int seed) => SimCluster.Run(seed, 7, async cluster =>
    {
        await cluster.FormAsync(5, ringSize: 64);
        var load = await Load.BeginAsync(cluster);
        await cluster.DelayAsync(TimeSpan.FromSeconds(3));
        await cluster.JoinAsync(cluster.Nodes[2], cluster.Nodes[5..]);
        await cluster.UntilAsync(() => !RingTransition.HasPending(cluster.Document.Ring), 120, "all transfers are done under load");
        await load.EndAsync();

        var shares = RingTransition.Count(cluster.Document.Ring.Owners);
        Assert.Equal(7, shares.Count);
        Assert.InRange(shares.Values.Max() - shares.Values.Min(), 0, 1);
        Assert.Empty(load.Errors);
        Assert.True(load.Acknowledged > 100, $"only {load.Acknowledged} writes");
    });

    [Fact]
    public void Hints_GoBackToTheOwner_AndAreDroppedHere() => SimCluster.Run(21, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        var load = await Load.BeginAsync(cluster, clientCount: 0);
        var absent = cluster.Nodes[1];
        absent.Kill();
        await cluster.UntilAsync(() => cluster.Up.All(n => n.Node.State.Current.Up.Count == 4), 10, "all see that it is gone");
        await load.WriteAllAsync(cluster.Nodes[0]);
        Assert.Contains(cluster.Up, n => n.Node.Vnodes.Any(v => cluster.Document.Ring.Owner(v.Partition) == absent.Id));

        await absent.StartAsync();
        await cluster.SettleAsync();

        // Only what came back by handoff can answer for the others now.
        foreach (var partition in Enumerable.Range(0, 16).Where(p => cluster.Document.Ring.Owners[p] == absent.Id))
        {
            Assert.All(cluster.Up.Where(n => n != absent), n => Assert.DoesNotContain(n.Node.Vnodes, v => v.Partition.Number == partition));
        }

        Assert.True(absent.Node.Vnodes.Sum(v => v.ApproximateCount) > 0);
        await load.VerifyAsync();
    });

    [Fact]
    public void Hints_WhoseHolderLosesPower_StillGoBack() => SimCluster.Run(22, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        var load = await Load.BeginAsync(cluster, clientCount: 0);
        var absent = cluster.Nodes[1];
        absent.Kill();
        await cluster.UntilAsync(() => cluster.Up.All(n => n.Node.State.Current.Up.Count == 4), 10, "all see that it is gone");
        await load.WriteAllAsync(cluster.Nodes[0]);
        foreach (var holder in cluster.Nodes.Where(n => n != absent))
        {
            holder.Kill();
        }

        foreach (var node in cluster.Nodes)
        {
            await node.StartAsync();
        }

        await load.EndAsync();
    });

    [Fact]
    public void DataThatNobodyWantsHere_IsHandedToItsOwner() => SimCluster.Run(23, 4, async cluster =>
    {
        // The source loses power when the completion is decided and before it has heard of it: it comes back with data of partitions that are another's.
        await cluster.FormAsync(3);
        var load = await Load.BeginAsync(cluster, clientCount: 0);
        await load.WriteAllAsync(cluster.Nodes[0]);
        var source = cluster.Nodes[2];
        var owned = cluster.Document.Ring.Owners;
        cluster.Network.Drop = (from, _, request) =>
        {
            if (from == source.Id && request is PeerRequest.Propose { Change: Core.Membership.DocumentChange.CompleteTransfers })
            {
                // The message has arrived by then, and two phases with syncs take longer.
                cluster.Scheduler.World.After(TimeSpan.FromMilliseconds(2.1), () => KillIfUp(source));
            }

            return false;
        };
        await cluster.JoinAsync(cluster.Nodes[0], [cluster.Nodes[3]]);
        await cluster.UntilAsync(() => !source.IsUp && Moved(cluster, owned, source.Id), 60, "some of its partitions are another's");
        cluster.Network.Drop = null;
        await source.StartAsync();

        await load.EndAsync();
        Assert.All(source.Node.Vnodes, v => Assert.Equal(source.Id, cluster.Document.Ring.Owner(v.Partition)));
    });

    /// <summary>Each message of a handoff, and the end that dies at it: the first, the third and the seventh of its kind.</summary>
    public static TheoryData<string, bool, int> Steps()
    {
        var steps = new TheoryData<string, bool, int>();
        foreach (var message in new[] { "ask", "batch", "pass-on", "propose", "prepare", "accept", "learn" })
        {
            foreach (var nth in new[] { 1, 3, 7 })
            {
                steps.Add(message, true, nth);
                steps.Add(message, false, nth);
            }
        }

        return steps;
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void Handoff_WithAnEndThatDiesAtAStep_LosesNothing(string message, bool senderDies, int nth) => SimCluster.Run(31 + nth, 5, async cluster =>
    {
        await cluster.FormAsync(4);
        var load = await Load.BeginAsync(cluster);
        await load.WriteAllAsync(cluster.Nodes[0]);
        var seen = 0;
        SimNode? victim = null;
        cluster.Network.Drop = (from, to, request) =>
        {
            if (victim is null && IsStep(message, request) && ++seen == nth)
            {
                victim = cluster.Nodes.Single(n => n.Id == (senderDies ? from : to));
                cluster.Scheduler.World.After(TimeSpan.FromTicks(cluster.Scheduler.Random.Next(1, 30_000)), () => KillIfUp(victim));
            }

            return false;
        };
        var joining = cluster.JoinAsync(cluster.Nodes[0], [cluster.Nodes[4]]);
        await cluster.DelayAsync(TimeSpan.FromSeconds(8));
        if (victim is { IsUp: false })
        {
            await victim.StartAsync();
        }

        await joining;
        await load.EndAsync();
        Assert.Equal(5, RingTransition.Count(cluster.Document.Ring.Owners).Count);
    });

    [Fact]
    public void APartitionThatComesBackBeforeItsOldDataIsDropped_MovesUnderLoad() => SimCluster.Run(45, 4, async cluster =>
    {
        await cluster.FormAsync(3);
        var load = await Load.BeginAsync(cluster);
        var (admin, guest, before) = (cluster.Nodes[0], cluster.Nodes[3], cluster.Document.Ring.Owners);
        foreach (var node in cluster.Nodes)
        {
            node.Volume.RefusesDrops = true;
        }

        await cluster.JoinAsync(admin, [guest]);
        await cluster.UntilAsync(() => cluster.Document.Ring.Owners.Contains(guest.Id) && !RingTransition.HasPending(cluster.Document.Ring), 60, "the guest has its share");
        var passedBack = 0;
        cluster.Network.Drop = (from, to, request) =>
        {
            if (request is PeerRequest.VnodePut { Kind: VnodePutKind.Handoff } put && cluster.Nodes.Single(n => n.Id == from).Document is { Ring: var ring })
            {
                passedBack += ring.Owner(put.Partition) == to && ring.NextOwner(put.Partition) == from ? 1 : 0;
            }

            return false;
        };
        var plan = SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.StageLeaveAsync([guest.Id], false, allowFewerZones: false, default)));
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CommitAsync(plan.PlanId, default)));
        Assert.Contains(RingTransition.Pending(cluster.Document.Ring), transfer => before[transfer.Partition.Number] == transfer.To);
        await cluster.UntilAsync(() => !RingTransition.HasPending(cluster.Document.Ring), 60, "all is back");
        foreach (var node in cluster.Nodes)
        {
            node.Volume.RefusesDrops = false;
        }

        await cluster.UntilAsync(() => guest.Node.Admin.GetNode().Held == 0, 60, "the guest holds nothing");
        guest.Kill();
        await load.EndAsync();
        Assert.Equal(0, passedBack);
    });

    [Fact]
    public void AWriteThatTheNewOwnerMissed_IsNotAcknowledgedByTheOldOneAsTheOwner() => SimCluster.Run(
        46,
        4,
        async cluster =>
        {
            await cluster.FormAsync(3);
            var (source, guest) = (cluster.Nodes[1], cluster.Nodes[3]);
            cluster.Network.Hold = (from, _, request) => from == source.Id && request is PeerRequest.Propose { Change: Core.Membership.DocumentChange.CompleteTransfers }
                ? TimeSpan.FromSeconds(1)
                : TimeSpan.Zero;
            await cluster.JoinAsync(cluster.Nodes[0], [guest]);
            Kv.Cluster.Vnodes.Vnode? giving = null;
            await cluster.UntilAsync(() => (giving = source.Node.Vnodes.FirstOrDefault(vnode => vnode.Transfer is { IsCompleting: true } begun && begun.Target == guest.Id)) is not null, 60, "a partition is whole at the guest");
            var partition = giving!.Partition;

            // The guest stops hearing of the source, which hears of the decision and stands in.
            cluster.Network.Cut(source.Id, guest.Id);
            var key = KeyOf(cluster, partition);
            var write = source.AskAsync(new KvRequest.Put { Key = key, Content = new Sibling { Dot = null, Value = "v"u8.ToArray() }, W = QuorumValue.All });
            await cluster.UntilAsync(() => source.Document!.Ring.Owner(partition) == guest.Id && giving.Transfer!.IsEnded, 5, "the source stands in for the guest");
            Assert.False(write.IsCompleted);
            Assert.True(Assert.IsType<KvOutcome.Failed>(await write).Error.IsIndeterminate);
        },
        options: new ClusterOptions { AntiEntropy = false });

    /// <summary>A key whose first replica is in the partition.</summary>
    private static ObjectKey KeyOf(SimCluster cluster, PartitionId partition) => Enumerable.Range(0, 10_000)
        .Select(number => new ObjectKey("default", "b", $"key-{number}"))
        .First(key => RingHash.FirstPartition(key, BucketProps.NewType.ChashKeyFun, cluster.Document.Ring.Size) == partition);

    private static bool IsStep(string message, PeerRequest request) => (message, request) switch
    {
        ("ask", PeerRequest.HandoffBatch { Entries.Count: 0 }) => true,
        ("batch", PeerRequest.HandoffBatch { Entries.Count: > 0 }) => true,
        ("pass-on", PeerRequest.VnodePut { Kind: VnodePutKind.Handoff }) => true,
        ("propose", PeerRequest.Propose { Change: Core.Membership.DocumentChange.CompleteTransfers }) => true,
        ("prepare", PeerRequest.Prepare) => true,
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

    private static bool Moved(SimCluster cluster, ImmutableArray<NodeId> before, NodeId source) =>
        cluster.Document.Ring.Owners.Zip(before).Any(pair => pair.Second == source && pair.First != source);
}
