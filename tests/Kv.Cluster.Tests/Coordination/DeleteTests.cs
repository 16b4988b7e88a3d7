using Kv.Cluster.Peers;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Quorum;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

public sealed class DeleteTests
{
    [Fact]
    public void Delete_LeavesATombstoneForTheDelay_AndThenNothing() => DataCluster.Run(1, 5, async cluster =>
    {
        var node = cluster.Outsider();
        await node.StoreAsync("v");
        Assert.IsType<KvOutcome.Deleted>(await node.AskAsync(Delete()));
        Assert.NotNull(Assert.IsType<KvOutcome.NotFound>(await node.AskAsync(Story.Get())).TombstoneContext);
        await cluster.WaitAsync(2);
        Assert.All(await cluster.HeldByPrimariesAsync(), held => Assert.True(held!.IsTombstone));
        await cluster.WaitAsync(3);
        Assert.All(await cluster.HeldByPrimariesAsync(), Assert.Null);
        Assert.Equal(new KvOutcome.NotFound(null), await node.AskAsync(Story.Get()));
    });

    [Fact]
    public void Delete_OfNothing_IsNotFound() => DataCluster.Run(2, 5, async cluster =>
        Assert.Equal(new KvOutcome.NotFound(null), await cluster.Nodes[0].AskAsync(Delete())));

    [Fact]
    public void Delete_WithAContext_WritesWithoutReading() => DataCluster.Run(3, 5, async cluster =>
    {
        Assert.IsType<KvOutcome.Deleted>(await cluster.Primary().AskAsync(Delete() with { Context = VersionVector.Empty }));
        Assert.True((await cluster.HeldByPrimariesAsync())[0]!.IsTombstone);
    });

    [Fact]
    public void Delete_BesideAConcurrentWrite_LeavesBothToSee() => DataCluster.Run(4, 5, async cluster =>
    {
        var node = cluster.Primary();
        await node.StoreAsync("v1");
        var clock = Story.Clock(await node.AskAsync(Story.Get()));
        await node.StoreAsync("v2", clock);
        Assert.IsType<KvOutcome.Deleted>(await node.AskAsync(Delete() with { Context = clock }));
        Assert.Equal(["(deleted)", "v2"], Story.Values(await node.AskAsync(Story.Get())));
    });

    [Theory]
    [InlineData("keep", 60)]
    [InlineData("immediate", 0.3)]
    public void Delete_ReapsByTheBucketsMode(string mode, double seconds) => DataCluster.Run(5, 5, async cluster =>
    {
        Assert.True(DeleteMode.TryParse(mode, out var parsed));
        cluster.SetType("mode", BucketProps.NewType with { DeleteMode = parsed });
        var key = Story.Key(type: "mode");
        await cluster.Primary(0, key).StoreAsync("v", key: key);
        await cluster.Primary(0, key).AskAsync(new KvRequest.Delete { Key = key });
        await cluster.WaitAsync(seconds);
        var held = await cluster.HeldByPrimariesAsync(key);
        Assert.All(held, one => Assert.Equal(parsed.Keeps, one is not null));
    });

    [Fact]
    public void Reap_WithAPrimaryDown_DoesNotHappen_UntilItIsBackAndARead() => DataCluster.Run(6, 5, async cluster =>
    {
        var node = cluster.Primary(0);
        await node.StoreAsync("v");
        cluster.Primary(2).Kill();
        cluster.Detect();
        Assert.IsType<KvOutcome.Deleted>(await node.AskAsync(Delete()));
        await cluster.WaitAsync(30);
        Assert.True((await cluster.HeldByPrimariesAsync())[0]!.IsTombstone);

        await cluster.Primary(2).StartAsync(cluster.Document);
        cluster.Detect();
        await cluster.HandBackAsync();
        Assert.IsType<KvOutcome.NotFound>(await node.AskAsync(Story.Get() with { R = QuorumValue.All }));
        await cluster.WaitAsync(1);
        await node.AskAsync(Story.Get());
        await cluster.WaitAsync(10);
        Assert.All(await cluster.HeldByPrimariesAsync(), Assert.Null);
        Assert.IsType<KvOutcome.NotFound>(await node.AskAsync(Story.Get() with { R = QuorumValue.All }));
    });

    [Fact]
    public void Reap_WhileAStandInHoldsTheOldValue_DoesNotHappen() => DataCluster.Run(7, 5, async cluster =>
    {
        // Written past a primary that was down: its stand-in keeps the value and does not get to hear of the delete.
        cluster.Primary(2).Kill();
        cluster.Detect();
        await cluster.Primary(0).StoreAsync("v");
        await cluster.WaitAsync(1);
        await cluster.Primary(2).StartAsync(cluster.Document);
        cluster.Detect();
        Assert.IsType<KvOutcome.Deleted>(await cluster.Primary(0).AskAsync(Delete()));
        await cluster.WaitAsync(30);
        Assert.True((await cluster.HeldByPrimariesAsync())[0]!.IsTombstone);

        await cluster.HandBackAsync();
        await cluster.Primary(0).AskAsync(Story.Get() with { R = QuorumValue.All });
        await cluster.WaitAsync(10);
        Assert.All(await cluster.HeldByPrimariesAsync(), Assert.Null);
    });

    [Fact]
    public void Reap_OfAnotherObject_IsRefused() => DataCluster.Run(8, 5, async cluster =>
    {
        await cluster.Primary(0).StoreAsync("v");
        var clock = Story.Clock(await cluster.Primary(0).AskAsync(Story.Get()));
        var node = cluster.Primary(0);
        foreach (var hash in new[] { clock.StableHash(), 1UL })
        {
            var request = new PeerRequest.Reap([new ReapedKey(Story.Key(), hash)]) { DocumentVersion = cluster.Document.Version };
            var reply = await node.Context.CallAsync(() => node.Gate.Reaps.HandleAsync(node.Id, request));
            Assert.Equal([false], Assert.IsType<PeerReply.DoneEach>(reply).Keys);
        }

        Assert.NotNull((await cluster.HeldByPrimariesAsync())[0]);
    });

    [Fact]
    public void Put_AfterAReap_IsNotHiddenByAnOldReplicaThatReturns() => DataCluster.Run(9, 5, async cluster =>
    {
        var node = cluster.Primary(0);
        await node.StoreAsync("old");
        await cluster.WaitAsync(1);
        await node.AskAsync(Delete());
        await cluster.WaitAsync(10);
        Assert.All(await cluster.HeldByPrimariesAsync(), Assert.Null);
        await node.StoreAsync("new");
        await cluster.WaitAsync(1);
        foreach (var place in new[] { 0, 1, 2 })
        {
            Assert.Equal(["new"], Story.Values((await cluster.HeldByPrimariesAsync())[place]!));
        }
    });

    [Fact]
    public void Delete_UsesRwForQuorumsThatItDoesNotName() => DataCluster.Run(10, 5, async cluster =>
    {
        await cluster.Primary(0).StoreAsync("v");
        cluster.Primary(1).Kill();
        cluster.Primary(2).Kill();
        cluster.Detect();
        var strict = Delete() with { SloppyQuorum = false };
        Assert.IsType<KvOutcome.Deleted>(await cluster.Primary(0).AskAsync(strict with { Rw = QuorumValue.One }));
        Assert.IsType<KvError.InsufficientVnodes>(Story.Error(await cluster.Primary(0).AskAsync(strict with { Rw = QuorumValue.Quorum })));
        Assert.Equal(new KvError.NValViolation(3), Story.Error(await cluster.Primary(0).AskAsync(strict with { Rw = QuorumValue.Of(4) })));
    });

    [Fact]
    public void Delete_WithNodeConfirms_FailsOnTooFewNodes() => DataCluster.Run(11, 2, async cluster =>
    {
        await cluster.Nodes[0].StoreAsync("v");
        Assert.Equal(
            new KvError.Unsatisfied("node_confirms", 3, 2, Indeterminate: false), Story.Error(await cluster.Nodes[0].AskAsync(Delete() with { NodeConfirms = QuorumValue.Of(3) })));
        Assert.IsType<KvOutcome.Deleted>(await cluster.Nodes[0].AskAsync(Delete() with { NodeConfirms = QuorumValue.Of(2) }));
    });

    private static KvRequest.Delete Delete() => new() { Key = Story.Key() };
}
