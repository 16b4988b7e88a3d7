using Kv.Cluster.Peers;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

public sealed class PutTests
{
    [Fact]
    public void Put_AtAnyNode_IsFoundAtEveryNode() => DataCluster.Run(1, 5, async cluster =>
    {
        foreach (var (node, number) in cluster.Nodes.Select((node, number) => (node, number)))
        {
            var key = Story.Key($"k{number}");
            await node.StoreAsync("v", key: key);
            foreach (var reader in cluster.Nodes)
            {
                Assert.Equal(["v"], Story.Values(await reader.AskAsync(Story.Get(key))));
            }
        }
    });

    [Fact]
    public void Put_AtAnOutsider_IsForwardedOnceAndCoordinatedByAPrimary() => DataCluster.Run(2, 5, async cluster =>
    {
        await cluster.Outsider().StoreAsync("v");
        var held = (await cluster.HeldByPrimariesAsync())[0]!;
        Assert.Equal(cluster.Primary().Id, held.Siblings[0].Dot!.Value.Actor.Node);
        Assert.Equal(1, cluster.Outsider().Statistics.ForwardedRequests);
    });

    [Fact]
    public void Put_ForwardedToADeadNode_GoesToTheNext() => DataCluster.Run(3, 5, async cluster =>
    {
        cluster.Primary(0).Kill();
        await cluster.Outsider().StoreAsync("v");
        var held = await cluster.HeldByPrimariesAsync();
        Assert.Equal(cluster.Primary(1).Id, held[1]!.Siblings[0].Dot!.Value.Actor.Node);
    });

    [Fact]
    public void Put_WhoseForwardingBroke_IsDoneOnce() => DataCluster.Run(6, 5, async cluster =>
    {
        var calm = cluster.Network.Options;
        cluster.Network.Options = calm with { ReplyLoss = 1 };
        Assert.Equal(new KvError.Timeout(Indeterminate: true), Story.Error(await cluster.Outsider().AskAsync(Story.Put("v"))));

        cluster.Network.Options = calm;
        var dots = (await cluster.HeldByPrimariesAsync()).SelectMany(held => held?.Siblings ?? []).Select(sibling => sibling.Dot!.Value).Distinct();
        Assert.Equal(cluster.Primary(0).Id, Assert.Single(dots).Actor.Node);
    });

    public static TheoryData<PeerReply, KvError> LostAnswers => new()
    {
        { new PeerReply.TimedOut(), new KvError.Timeout(Indeterminate: true) },
        { new PeerReply.Refused(PeerReply.Refused.Internal + "it broke down"), new KvError.Timeout(Indeterminate: true) },
        { new PeerReply.Overloaded { IsOfAnswer = true }, new KvError.Overload(Indeterminate: true) },
    };

    [Theory]
    [MemberData(nameof(LostAnswers))]
    public void Put_WhoseForwardedAnswerIsLost_IsDoneOnce(PeerReply heard, KvError error) => DataCluster.Run(7, 5, async cluster =>
    {
        cluster.Network.Turn = (_, to, reply) => reply is PeerReply.Forwarded && to == cluster.Outsider().Id ? heard : reply;
        Assert.Equal(error, Story.Error(await cluster.Outsider().AskAsync(Story.Put("v"))));
        var dots = (await cluster.HeldByPrimariesAsync()).SelectMany(held => held?.Siblings ?? []).Select(sibling => sibling.Dot!.Value).Distinct();
        Assert.Equal(cluster.Primary(0).Id, Assert.Single(dots).Actor.Node);
    });

    [Fact]
    public void Put_WithAllPrimariesCutOff_IsTakenByWhoeverIsReached() => DataCluster.Run(4, 5, async cluster =>
    {
        var lonely = cluster.Outsider();
        foreach (var other in cluster.Nodes.Where(node => node != lonely))
        {
            cluster.Network.Cut(lonely.Id, other.Id);
        }

        cluster.Detect();
        await lonely.StoreAsync("v");
        Assert.Equal(["v"], Story.Values(await lonely.AskAsync(Story.Get())));
    });

    [Fact]
    public void Put_WithOnePrimaryDown_UsesFallback_AndItsDataComesHome() => DataCluster.Run(5, 5, async cluster =>
    {
        cluster.Primary(1).Kill();
        cluster.Detect();
        await cluster.Primary(0).StoreAsync("v");
        var standIn = cluster.Nodes.Single(node => node.IsUp && node.Host.Find(cluster.Partition(1)) is not null);
        Assert.NotNull(await cluster.HeldAsync(standIn.Id, cluster.Partition(1), Story.Key()));

        await cluster.Primary(1).StartAsync(cluster.Document);
        cluster.Detect();
        await cluster.HandBackAsync();
        Assert.NotNull((await cluster.HeldByPrimariesAsync())[1]);
        Assert.Null(standIn.Host.Find(cluster.Partition(1)));
    });

    [Fact]
    public void Put_WithADeadPrimaryNobodyKnowsOf_StillReachesThreeReplicas() => DataCluster.Run(6, 5, async cluster =>
    {
        cluster.Primary(1).Kill();
        var put = Story.Put("v") with { W = QuorumValue.All, Dw = QuorumValue.All };
        Assert.IsType<KvOutcome.Stored>(await cluster.Primary(0).AskAsync(put));
        Assert.Contains(cluster.Nodes, node => node.IsUp && node.Host.Find(cluster.Partition(1)) is not null);
    });

    [Theory]
    [InlineData("w")]
    [InlineData("dw")]
    [InlineData("pw")]
    [InlineData("node_confirms")]
    public void Put_WithAQuorumAboveNVal_IsAViolation(string option) => DataCluster.Run(7, 5, async cluster =>
    {
        var put = With(Story.Put("v"), option, QuorumValue.Of(4));
        Assert.Equal(new KvError.NValViolation(3), Story.Error(await cluster.Nodes[0].AskAsync(put)));
    });

    [Fact]
    public void Put_WithPwAboveThePrimariesThatAreUp_FailsBeforeAnyoneIsAsked() => DataCluster.Run(8, 5, async cluster =>
    {
        cluster.Primary(2).Kill();
        cluster.Detect();
        var sent = cluster.Network.Sent;
        var put = Story.Put("v") with { Pw = QuorumValue.All };
        Assert.Equal(new KvError.Unsatisfied("pw", 3, 2, Indeterminate: false), Story.Error(await cluster.Primary(0).AskAsync(put)));
        Assert.Equal(sent, cluster.Network.Sent);
        Assert.IsType<KvOutcome.NotFound>(await cluster.Primary(0).AskAsync(Story.Get()));
    });

    [Fact]
    public void Put_WithPw_DoesNotCountAStandInForADeadPrimary() => DataCluster.Run(9, 5, async cluster =>
    {
        cluster.Primary(2).Kill();
        var put = Story.Put("v") with { Pw = QuorumValue.All };
        var unmet = Assert.IsType<KvError.Unsatisfied>(Story.Error(await cluster.Primary(0).AskAsync(put)));
        Assert.Equal(("pw", 3, true), (unmet.Option, unmet.Required, unmet.Indeterminate));
    });

    [Fact]
    public void Put_WithDwAll_WaitsForEveryDisk() => DataCluster.Run(10, 5, async cluster =>
    {
        cluster.Primary(2).Volume.MostSyncTime = TimeSpan.FromHours(1);
        await cluster.Primary(0).StoreAsync("v");
        var put = Story.Put("w", key: Story.Key("k")) with { Dw = QuorumValue.All, Timeout = TimeSpan.FromSeconds(2) };
        Assert.Equal(new KvError.Timeout(Indeterminate: true), Story.Error(await cluster.Primary(0).AskAsync(put)));
    });

    [Fact]
    public void Put_WithSloppyQuorumOff_FailsWhereAFallbackIsNeeded() => DataCluster.Run(13, 5, async cluster =>
    {
        cluster.Primary(1).Kill();
        cluster.Primary(2).Kill();
        cluster.Detect();
        var strict = Story.Put("v") with { SloppyQuorum = false };
        Assert.Equal(new KvError.InsufficientVnodes(1, 2), Story.Error(await cluster.Primary(0).AskAsync(strict)));
        await cluster.Primary(0).StoreAsync("v");
    });

    [Fact]
    public void Put_WithNodeConfirms_FailsOnTooFewNodes() => DataCluster.Run(14, 2, async cluster =>
    {
        await cluster.Nodes[0].StoreAsync("v");
        var put = Story.Put("v") with { NodeConfirms = QuorumValue.Of(3) };
        Assert.Equal(new KvError.Unsatisfied("node_confirms", 3, 2, Indeterminate: false), Story.Error(await cluster.Nodes[0].AskAsync(put)));
    });

    [Fact]
    public void Put_WithFewerReplicas_WritesThatManyAndNoMore() => DataCluster.Run(15, 5, async cluster =>
    {
        await cluster.Primary(0).AskAsync(Story.Put("v") with { NVal = 1 });
        await cluster.WaitAsync(1);
        var held = await cluster.HeldByPrimariesAsync();
        Assert.NotNull(held[0]);
        Assert.Null(held[1]);
        Assert.Null(held[2]);
        Assert.Equal(new KvError.NValViolation(3), Story.Error(await cluster.Primary(0).AskAsync(Story.Put("v") with { NVal = 4 })));
    });

    [Fact]
    public void Put_ToANodeThatIsStopping_IsNotReady_SinceNothingWasDone() => DataCluster.Run(45, 5, async cluster =>
    {
        var node = cluster.Primary();
        await node.Context.Enter(node.Host.StopAsync);
        Assert.IsType<KvError.NotReady>(Story.Error(await node.AskAsync(Story.Put("v"))));
        Assert.All((await cluster.HeldByPrimariesAsync()).Skip(1), Assert.Null);
    });

    [Fact]
    public void Put_IfNoneMatch_PassesOnNothingAndOnATombstoneOnly() => DataCluster.Run(17, 5, async cluster =>
    {
        var node = cluster.Primary();
        var put = Story.Put("v") with { IfNoneMatch = true };
        Assert.IsType<KvOutcome.Stored>(await node.AskAsync(put));
        Assert.IsType<KvError.MatchFound>(Story.Error(await node.AskAsync(put)));
        Assert.IsType<KvOutcome.Deleted>(await node.AskAsync(new KvRequest.Delete { Key = Story.Key() }));
        Assert.IsType<KvOutcome.Stored>(await node.AskAsync(put));
    });

    [Fact]
    public void Put_IfNotModified_PassesUnderTheSameClockOnly() => DataCluster.Run(18, 5, async cluster =>
    {
        var node = cluster.Primary();
        var put = Story.Put("v2") with { IfNotModified = true };
        Assert.IsType<KvError.NotFoundForCondition>(Story.Error(await node.AskAsync(put)));
        await node.StoreAsync("v1");
        Assert.IsType<KvError.Modified>(Story.Error(await node.AskAsync(put)));
        var clock = Story.Clock(await node.AskAsync(Story.Get()));
        Assert.IsType<KvOutcome.Stored>(await node.AskAsync(put with { Context = clock }));
        Assert.IsType<KvError.Modified>(Story.Error(await node.AskAsync(put with { Context = clock })));
        Assert.Equal(["v2"], Story.Values(await node.AskAsync(Story.Get())));
    });

    [Fact]
    public void Put_AsIs_KeepsTheClockItCameWith() => DataCluster.Run(19, 5, async cluster =>
    {
        var node = cluster.Outsider();
        await node.StoreAsync("v");
        var clock = Story.Clock(await node.AskAsync(Story.Get()));
        var other = Story.Key("other");
        Assert.IsType<KvOutcome.Stored>(await node.AskAsync(Story.Put("as it is", clock, other) with { AsIs = true }));
        Assert.True(clock.SameHistory(Story.Clock(await node.AskAsync(Story.Get(other)))));
        Assert.Null(Assert.IsType<KvOutcome.Found>(await node.AskAsync(Story.Get(other))).Object.Siblings[0].Dot);
    });

    [Fact]
    public void Put_OfAWriteOnceType_KeepsOneOfTwoValuesEverywhere() => DataCluster.Run(20, 5, async cluster =>
    {
        cluster.SetType("once", BucketProps.NewType with { WriteOnce = true });
        var key = Story.Key(type: "once");
        await cluster.Nodes[0].StoreAsync("a", key: key);
        await cluster.Nodes[1].StoreAsync("b", key: key);
        await cluster.WaitAsync(1);
        var held = await cluster.HeldByPrimariesAsync(key);
        Assert.Single(held.Select(one => Assert.Single(Story.Values(one!))).Distinct());
    });

    [Fact]
    public void Put_WithoutContext_KeepsOneValueInTheDefaultTypeAndSiblingsInACreatedOne() => DataCluster.Run(21, 5, async cluster =>
    {
        var plain = Story.Key(type: ObjectKey.DefaultType);
        var node = cluster.Primary();
        foreach (var value in new[] { "a", "b", "c" })
        {
            await node.StoreAsync(value, key: plain);
            await node.StoreAsync(value);
        }

        Assert.Equal(["c"], Story.Values(await node.AskAsync(Story.Get(plain))));
        var read = await node.AskAsync(Story.Get());
        Assert.Equal(["a", "b", "c"], Story.Values(read));
        await cluster.Primary(1).StoreAsync("all", Story.Clock(read));
        Assert.Equal(["all"], Story.Values(await node.AskAsync(Story.Get())));
    });

    [Fact]
    public void Put_ByStaleWriters_LeavesAsManySiblingsAsWriters() => DataCluster.Run(22, 5, async cluster =>
    {
        var node = cluster.Primary();
        VersionVector[] seen = [VersionVector.Empty, VersionVector.Empty];
        for (var turn = 0; turn < 20; turn++)
        {
            var writer = turn % 2;
            await node.StoreAsync($"{writer}:{turn}", seen[writer]);
            seen[writer] = Story.Clock(await node.AskAsync(Story.Get()));
        }

        Assert.InRange(Story.Values(await node.AskAsync(Story.Get())).Length, 1, 2);
    });

    [Fact]
    public void Put_BeyondTheSiblingLimit_IsRefusedAndChangesNothing() => DataCluster.Run(
        23,
        5,
        async cluster =>
        {
            var node = cluster.Primary();
            for (var number = 0; number < 3; number++)
            {
                await node.StoreAsync($"{number}");
            }

            Assert.Equal(new KvError.TooManySiblings(4, 3), Story.Error(await node.AskAsync(Story.Put("3"))));
            Assert.Equal(3, Story.Values(await node.AskAsync(Story.Get())).Length);
            Assert.Equal(1, node.Statistics.SiblingWarnings);
        },
        options: new ClusterOptions { MaxSiblings = 3, WarnSiblings = 2 });

    [Fact]
    public void Put_OfALargeValue_IsRefusedAtTheLimit() => DataCluster.Run(
        24,
        5,
        async cluster =>
        {
            var error = Assert.IsType<KvError.ObjectTooLarge>(Story.Error(await cluster.Nodes[0].AskAsync(Story.Put(new string('x', 2000)))));
            Assert.Equal(1000, error.Maximum);
            await cluster.Primary().StoreAsync(new string('x', 600));
            Assert.IsType<KvError.ObjectTooLarge>(Story.Error(await cluster.Primary().AskAsync(Story.Put(new string('y', 600)))));
            Assert.Equal(1, cluster.Primary().Statistics.ObjectSizeWarnings);
        },
        options: new ClusterOptions { MaxObjectBytes = 1000, WarnObjectBytes = 500 });

    [Fact]
    public void Put_BeyondTheConcurrencyLimit_IsRefusedAtOnce() => DataCluster.Run(
        25,
        5,
        async cluster =>
        {
            var node = cluster.Primary();
            var first = node.AskAsync(Story.Put("a"));
            var second = await node.AskAsync(Story.Put("b"));
            Assert.Equal(new KvError.Overload(Indeterminate: false), Story.Error(second));
            Assert.IsType<KvOutcome.Stored>(await first);
            Assert.Equal(1, node.Statistics.RequestOverloads);
        },
        options: new ClusterOptions { MaxConcurrentRequests = 1 });

    [Fact]
    public void Put_ToAnUnknownType_OrWithABadName_IsRefused() => DataCluster.Run(26, 5, async cluster =>
    {
        var node = cluster.Nodes[0];
        Assert.Equal(new KvError.UnknownBucketType("nope"), Story.Error(await node.AskAsync(Story.Put("v", key: Story.Key(type: "nope")))));
        Assert.IsType<KvError.InvalidRequest>(Story.Error(await node.AskAsync(Story.Put("v", key: new ObjectKey("siblings", "b", "")))));
        Assert.IsType<KvError.InvalidRequest>(Story.Error(await node.AskAsync(Story.Put("v", key: new ObjectKey("siblings", "", "k")))));
        var both = Story.Put("v") with { IfNoneMatch = true, IfNotModified = true };
        Assert.IsType<KvError.InvalidRequest>(Story.Error(await node.AskAsync(both)));
    });

    [Fact]
    public void Put_WhoseCoordinatorDiesBeforeItAnswers_LeavesNoDotTwice() => DataCluster.Run(27, 5, async cluster =>
    {
        var coordinator = cluster.Primary(0);
        var asked = coordinator.AskAsync(Story.Put("lost answer"));
        await cluster.WaitAsync(0.0001);
        coordinator.Kill(losesPower: true);
        Assert.Null(await asked);
        await coordinator.StartAsync(cluster.Document);
        await coordinator.StoreAsync("later");
        await cluster.WaitAsync(1);
        var objects = (await cluster.HeldByPrimariesAsync()).OfType<KvObject>().SelectMany(held => held.Siblings);
        foreach (var sameDot in objects.GroupBy(sibling => sibling.Dot))
        {
            Assert.Single(sameDot.Select(sibling => Story.Values(KvObject.Create(VersionVector.Empty, [sibling]))[0]).Distinct());
        }

        Assert.Contains("later", Story.Values(await cluster.Primary(1).AskAsync(Story.Get())));
    });

    [Fact]
    public void Put_AfterTheCoordinatorLostItsDisk_LosesNoOlderValue() => DataCluster.Run(28, 5, async cluster =>
    {
        var coordinator = cluster.Primary(0);
        await coordinator.StoreAsync("old");
        await cluster.WaitAsync(1);
        var dropped = coordinator.Host.Find(cluster.Partition(0))!;
        await coordinator.Context.CallAsync(() => dropped.TryDropAsync(dropped.Writes, null));
        await coordinator.Context.CallAsync(() => coordinator.Host.WhenForgottenAsync(dropped));
        await coordinator.StoreAsync("new");
        await cluster.WaitAsync(1);
        Assert.Equal(["new", "old"], Story.Values(await cluster.Primary(1).AskAsync(Story.Get() with { R = QuorumValue.All })));
    });

    [Fact]
    public void Put_ToAPartitionThatMoved_FollowsTheNewerDocument() => DataCluster.Run(29, 5, async cluster =>
    {
        // Only the replica knows yet that the partition is another's.
        var (from, to) = (cluster.Primary(1), cluster.Outsider());
        var moved = cluster.Partition(1);
        var old = cluster.Document;
        var owners = old.Ring.Owners.SetItem(moved.Number, to.Id);
        var next = old with { Version = old.Version + 1, Ring = new Kv.Core.Rings.Ring(owners, owners) };
        from.Context.Enter(() => Set(from, next));
        to.Context.Enter(() => Set(to, next));
        var writing = cluster.Primary(0).AskAsync(Story.Put("v") with { W = QuorumValue.All, Dw = QuorumValue.All });
        await cluster.WaitAsync(0.1);
        Assert.False(writing.IsCompleted);
        cluster.Primary(0).Context.Enter(() => Set(cluster.Primary(0), next));
        Assert.IsType<KvOutcome.Stored>(await writing);
        Assert.NotNull(await cluster.HeldAsync(to.Id, moved, Story.Key()));
        Assert.Null(await cluster.HeldAsync(from.Id, moved, Story.Key()));

        static bool Set(DataNode node, Kv.Core.Membership.ClusterDocument document)
        {
            node.State.SetDocument(document);
            return true;
        }
    });

    [Fact]
    public void Mailbox_ThatIsFull_RefusesAtOnceAndRecovers() => DataCluster.Run(30, 5, async cluster =>
    {
        await cluster.Primary(0).StoreAsync("v");
        var put = Story.Put("w") with { W = QuorumValue.All, Dw = QuorumValue.All };
        var partition = cluster.Partition(1);
        var vnode = cluster.Primary(1).Host.Find(partition)!;

        // All in one step of the world, before the mailbox's turn comes.
        cluster.Primary(1).Context.Enter(() => Enumerable.Range(0, cluster.Options.VnodeMailboxLimit).Select(_ => vnode.GetAsync(Story.Key().Encoded, true)).ToArray());
        var reply = await cluster.Primary(1).Context.CallAsync(() => vnode.GetAsync(Story.Key().Encoded, true));
        Assert.IsType<PeerReply.Overloaded>(reply.Reply);
        Assert.Equal(1, cluster.Primary(1).Statistics.VnodeOverloads);
        Assert.IsType<KvOutcome.Stored>(await cluster.Primary(0).AskAsync(put));
    });

    private static KvRequest.Put With(KvRequest.Put put, string option, QuorumValue value) => option switch
    {
        "w" => put with { W = value },
        "dw" => put with { Dw = value },
        "pw" => put with { Pw = value },
        _ => put with { NodeConfirms = value },
    };
}
