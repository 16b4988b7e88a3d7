using Kv.Cluster.Peers;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

public sealed class GetTests
{
    [Theory]
    [InlineData("r")]
    [InlineData("pr")]
    [InlineData("node_confirms")]
    public void Get_WithAQuorumAboveNVal_IsAViolation(string option) => DataCluster.Run(1, 5, async cluster =>
    {
        var get = option switch
        {
            "r" => Story.Get() with { R = QuorumValue.Of(4) },
            "pr" => Story.Get() with { Pr = QuorumValue.Of(4) },
            _ => Story.Get() with { NodeConfirms = QuorumValue.Of(4) },
        };
        Assert.Equal(new KvError.NValViolation(3), Story.Error(await cluster.Nodes[0].AskAsync(get)));
    });

    [Fact]
    public void Get_WithPrAboveThePrimariesThatAreUp_FailsBeforeAnyoneIsAsked() => DataCluster.Run(2, 5, async cluster =>
    {
        cluster.Primary(2).Kill();
        cluster.Detect();
        var sent = cluster.Network.Sent;
        var get = Story.Get() with { Pr = QuorumValue.All };
        Assert.Equal(new KvError.Unsatisfied("pr", 3, 2, Indeterminate: false), Story.Error(await cluster.Primary(0).AskAsync(get)));
        Assert.Equal(sent, cluster.Network.Sent);
    });

    [Fact]
    public void Get_WithSloppyQuorumOff_FailsWhereAFallbackIsNeeded() => DataCluster.Run(3, 5, async cluster =>
    {
        await cluster.Primary(0).StoreAsync("v");
        cluster.Primary(1).Kill();
        cluster.Primary(2).Kill();
        cluster.Detect();
        var strict = Story.Get() with { SloppyQuorum = false };
        Assert.Equal(new KvError.InsufficientVnodes(1, 2), Story.Error(await cluster.Primary(0).AskAsync(strict)));
        Assert.Equal(["v"], Story.Values(await cluster.Primary(0).AskAsync(Story.Get())));
    });

    [Fact]
    public void Get_WithTwoOfFiveDead_GoesOnForEveryKey_DetectedOrNot() => DataCluster.Run(4, 5, async cluster =>
    {
        ObjectKey[] keys = [.. Enumerable.Range(0, 30).Select(number => Story.Key($"k{number}"))];
        foreach (var key in keys)
        {
            await cluster.Nodes[2].StoreAsync("v", key: key);
        }

        await cluster.WaitAsync(1);
        cluster.Nodes[0].Kill();
        cluster.Nodes[1].Kill();
        foreach (var isDetected in new[] { false, true })
        {
            if (isDetected)
            {
                cluster.Detect();
            }

            foreach (var key in keys)
            {
                Assert.Equal(["v"], Story.Values(await cluster.Nodes[3].AskAsync(Story.Get(key))));
                await cluster.Nodes[4].StoreAsync("v", Story.Clock(await cluster.Nodes[2].AskAsync(Story.Get(key))), key);
            }
        }
    });

    [Fact]
    public void Get_FromTwoEmptyStandIns_DoesNotOutvoteTheLivingOwner() => DataCluster.Run(5, 5, async cluster =>
    {
        await cluster.Primary(0).StoreAsync("v");
        await cluster.WaitAsync(1);
        cluster.Primary(1).Kill();
        cluster.Primary(2).Kill();
        cluster.Detect();

        // The owner is slow; the stand-ins are quick with their nothing.
        var owner = cluster.Primary(0).Id;
        cluster.Network.Options = cluster.Network.Options with { MostDelay = TimeSpan.FromMilliseconds(50) };
        for (var turn = 0; turn < 20; turn++)
        {
            Assert.Equal(["v"], Story.Values(await cluster.Nodes.First(node => node.IsUp && node.Id != owner).AskAsync(Story.Get())));
        }
    });

    [Fact]
    public void Get_OfNothing_IsNotFound_WhateverTheOptionsMakeOfNotFounds() => DataCluster.Run(6, 5, async cluster =>
    {
        Assert.Equal(new KvOutcome.NotFound(null), await cluster.Nodes[0].AskAsync(Story.Get()));
        Assert.Equal(new KvOutcome.NotFound(null), await cluster.Nodes[0].AskAsync(Story.Get() with { NotFoundOk = false }));
    });

    [Fact]
    public void Get_WithNotFoundNotOk_AsksOnUntilAnObjectComes() => DataCluster.Run(7, 5, async cluster =>
    {
        var held = Only(cluster, "v");
        await cluster.PlantAsync(2, held);
        Assert.Equal(["v"], Story.Values(await cluster.Primary(0).AskAsync(Story.Get() with { R = QuorumValue.One, NotFoundOk = false })));
    });

    [Fact]
    public void Get_WithBasicQuorum_GivesUpAtAQuorumOfNotFounds() => DataCluster.Run(8, 5, async cluster =>
    {
        var last = cluster.Primary(2).Id;
        await cluster.PlantAsync(2, Only(cluster, "v"));
        cluster.Network.Drop = (_, to, request) => request is PeerRequest.VnodeGet && to == last;
        var get = Story.Get() with { NotFoundOk = false, R = QuorumValue.One };
        Assert.IsType<KvOutcome.NotFound>(await cluster.Primary(0).AskAsync(get with { BasicQuorum = true }));
        Assert.IsType<KvError.Timeout>(Story.Error(await cluster.Primary(0).AskAsync(get with { Timeout = TimeSpan.FromSeconds(1) })));
    });

    [Fact]
    public void Get_PastItsTimeout_Fails_NotBefore() => DataCluster.Run(9, 5, async cluster =>
    {
        cluster.Network.Drop = (_, _, request) => request is PeerRequest.VnodeGet;
        var began = cluster.Scheduler.Now;
        Assert.Equal(
            new KvError.Timeout(Indeterminate: false),
            Story.Error(await cluster.Primary(0).AskAsync(Story.Get() with { Timeout = TimeSpan.FromMilliseconds(700) })));
        Assert.InRange(TimeSpan.FromTicks(cluster.Scheduler.Now - began).TotalMilliseconds, 700, 750);
    });

    [Fact]
    public void Get_HeadOnly_HasSizesAndNoValues() => DataCluster.Run(10, 5, async cluster =>
    {
        await cluster.Primary(0).StoreAsync("value");
        var found = Assert.IsType<KvOutcome.Found>(await cluster.Outsider().AskAsync(Story.Get() with { HeadOnly = true }));
        Assert.True(found.Object.IsHead);
        Assert.True(found.Object.Siblings[0].Value.IsEmpty);
    });

    [Fact]
    public void Get_IfModified_SaysUnchangedUnderTheSameClock() => DataCluster.Run(11, 5, async cluster =>
    {
        await cluster.Primary(0).StoreAsync("v");
        var clock = Story.Clock(await cluster.Primary(0).AskAsync(Story.Get()));
        Assert.IsType<KvOutcome.Unchanged>(await cluster.Primary(1).AskAsync(Story.Get() with { IfModified = clock }));
        await cluster.Primary(0).StoreAsync("w", clock);
        Assert.Equal(["w"], Story.Values(await cluster.Primary(1).AskAsync(Story.Get() with { IfModified = clock })));
    });

    [Fact]
    public void Get_OfReplicasThatDiffer_FetchesWhatHeadsShowAndMerges() => DataCluster.Run(12, 5, async cluster =>
    {
        await cluster.PlantAsync(0, Only(cluster, "a", 901));
        await cluster.PlantAsync(1, Only(cluster, "b", 902));
        await cluster.PlantAsync(2, Only(cluster, "c", 903));
        Assert.Equal(["a", "b", "c"], Story.Values(await cluster.Primary(0).AskAsync(Story.Get() with { R = QuorumValue.All })));
        await cluster.WaitAsync(1);
        foreach (var held in await cluster.HeldByPrimariesAsync())
        {
            Assert.Equal(["a", "b", "c"], Story.Values(held!));
        }
    });

    [Fact]
    public void Get_WhoseFetchOfAValueFails_CountsWhoIsLeftAgain() => DataCluster.Run(20, 5, async cluster =>
    {
        await cluster.PlantAsync(0, Only(cluster, "old", 901));
        await cluster.PlantAsync(1, Only(cluster, "new", 902));
        cluster.Primary(2).Kill();
        cluster.Detect();
        cluster.Network.Drop = (_, to, request) =>
        {
            // Its head came, and then the connection breaks.
            var isFetch = to == cluster.Primary(1).Id && request is PeerRequest.VnodeGet { HeadOnly: false };
            cluster.Network.Options = cluster.Network.Options with { RequestLoss = isFetch ? 1 : 0 };
            return false;
        };

        Assert.Equal(new KvError.Unsatisfied("pr", 2, 1, Indeterminate: false), Story.Error(await cluster.Primary(0).AskAsync(Story.Get() with { Pr = QuorumValue.Of(2) })));
    });

    [Fact]
    public void ReadRepair_FillsTheMissingAndTheStale_NotTheEqual_AndGrowsNoClock() => DataCluster.Run(13, 5, async cluster =>
    {
        var node = cluster.Primary(0);
        var first = Only(cluster, "old", 901);
        var second = KvObject.Coordinate(first, Story.Value("new"), first.Clock, DotOf(902), 0, cluster.Props());
        await cluster.PlantAsync(0, second);
        await cluster.PlantAsync(1, first);
        Assert.Equal(["new"], Story.Values(await node.AskAsync(Story.Get())));
        await cluster.WaitAsync(1);
        foreach (var held in await cluster.HeldByPrimariesAsync())
        {
            Assert.Equal(second, held);
        }

        Assert.Equal(2, node.Statistics.ReadRepairs);
        await node.AskAsync(Story.Get());
        await cluster.WaitAsync(1);
        Assert.Equal(2, node.Statistics.ReadRepairs);
    });

    [Fact]
    public void ReadRepair_WithTooManyUnderWay_IsSkippedAndCounted() => DataCluster.Run(
        14,
        5,
        async cluster =>
        {
            await cluster.PlantAsync(0, Only(cluster, "v"));
            Assert.Equal(["v"], Story.Values(await cluster.Primary(0).AskAsync(Story.Get())));
            await cluster.WaitAsync(1);
            Assert.Equal(1, cluster.Primary(0).Statistics.SkippedRepairs);
            Assert.Null((await cluster.HeldByPrimariesAsync())[1]);
        },
        options: new ClusterOptions { MaxConcurrentRepairs = 0 });

    [Fact]
    public void Get_WithNodeConfirms_CountsNodesAndNotPlaces() => DataCluster.Run(15, 2, async cluster =>
    {
        await cluster.Nodes[0].StoreAsync("v");
        Assert.Equal(["v"], Story.Values(await cluster.Nodes[0].AskAsync(Story.Get() with { NodeConfirms = QuorumValue.Of(2) })));
        var three = Story.Get() with { NodeConfirms = QuorumValue.Of(3) };
        Assert.Equal(new KvError.Unsatisfied("node_confirms", 3, 2, Indeterminate: false), Story.Error(await cluster.Nodes[0].AskAsync(three)));
    });

    [Fact]
    public void Get_WithFewerReplicas_AsksThatMany() => DataCluster.Run(16, 5, async cluster =>
    {
        await cluster.PlantAsync(2, Only(cluster, "v"));
        Assert.IsType<KvOutcome.NotFound>(await cluster.Primary(0).AskAsync(Story.Get() with { NVal = 2 }));
        Assert.IsType<KvOutcome.Found>(await cluster.Primary(0).AskAsync(Story.Get() with { R = QuorumValue.All }));
    });

    [Fact]
    public void Get_WhileTheNodeIsInNoCluster_IsNotReady() => DataCluster.Run(17, 3, async cluster =>
    {
        cluster.Nodes[0].Context.Enter(() =>
        {
            cluster.Nodes[0].State.SetDocument(null);
            return true;
        });
        Assert.IsType<KvError.NotReady>(Story.Error(await cluster.Nodes[0].AskAsync(Story.Get())));
    });

    [Fact]
    public void Counters_TellOfRequestsByOperationAndOutcome() => DataCluster.Run(18, 3, async cluster =>
    {
        var node = cluster.Nodes[0];
        await node.StoreAsync("v");
        await node.AskAsync(Story.Get());
        await node.AskAsync(Story.Get() with { R = QuorumValue.Of(9) });
        Assert.Equal(2, node.Statistics.LatencyMicroseconds(KvOperation.Get).Count);
        Assert.Equal(1, node.Statistics.Failures(KvOperation.Get));
        Assert.Equal(1, node.Statistics.LatencyMicroseconds(KvOperation.Put).Count);
        Assert.Equal(0, node.Statistics.ActiveRequests);
        Assert.Equal(0, node.Client.Active);
    });

    private static Dot DotOf(ulong counter) => new(new ActorId(new NodeId(99), new PartitionId(0), 1), counter);

    private static KvObject Only(DataCluster cluster, string value, ulong counter = 900) =>
        KvObject.Coordinate(null, Story.Value(value), VersionVector.Empty, new Dot(new ActorId(new NodeId(counter), new PartitionId(0), 1), counter), 0, cluster.Props());
}
