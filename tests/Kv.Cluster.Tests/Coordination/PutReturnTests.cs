using Kv.Cluster.Peers;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

/// <summary>What a put answers that wants its object back.</summary>
public sealed class PutReturnTests
{
    [Fact]
    public void Put_ReturnsBodyOrHeadOrNothing_AsAsked() => DataCluster.Run(16, 5, async cluster =>
    {
        var node = cluster.Primary();
        await node.StoreAsync("a");
        var body = Assert.IsType<KvOutcome.Stored>(await node.AskAsync(Story.Put("b") with { ReturnBody = true }));
        Assert.Equal(["a", "b"], Story.Values(body.Object!));
        var head = Assert.IsType<KvOutcome.Stored>(await node.AskAsync(Story.Put("c") with { ReturnHead = true }));
        Assert.True(head.Object!.IsHead);
        Assert.Equal(3, head.Object.Siblings.Length);
        Assert.Null(Assert.IsType<KvOutcome.Stored>(await node.AskAsync(Story.Put("d"))).Object);
    });

    [Fact]
    public void Put_ReturnsWhatWasAcknowledgedBefore_ThoughItsCoordinatorHadMissedIt() => DataCluster.Run(43, 5, async cluster =>
    {
        var late = cluster.Primary(1).Id;
        cluster.Network.Drop = (_, to, request) => to == late && request is PeerRequest.VnodePut;
        await cluster.Primary(0).StoreAsync("a");

        var body = Assert.IsType<KvOutcome.Stored>(await cluster.Primary(1).AskAsync(Story.Put("b") with { ReturnBody = true }));

        Assert.Equal(["a", "b"], Story.Values(body.Object!));
        var head = Assert.IsType<KvOutcome.Stored>(await cluster.Primary(1).AskAsync(Story.Put("c", body.Object!.Clock) with { ReturnHead = true }));
        Assert.True(head.Object!.IsHead);
        Assert.Single(head.Object.Siblings);
    });

    [Fact]
    public void Put_WhoseObjectIsWantedBack_IsDone_ThoughNoOtherReplicaCanBeRead() => DataCluster.Run(44, 5, async cluster =>
    {
        cluster.Network.Drop = (_, _, request) => request is PeerRequest.VnodeGet;

        var body = Assert.IsType<KvOutcome.Stored>(await cluster.Primary(0).AskAsync(Story.Put("a") with { ReturnBody = true, Timeout = TimeSpan.FromSeconds(2) }));

        Assert.Equal(["a"], Story.Values(body.Object!));
    });

    [Fact]
    public void Put_WhoseClientIsGone_IsWaitedForAllTheSame() => DataCluster.Run(10, 5, async cluster =>
    {
        using var gone = new CancellationTokenSource();
        var outcome = await cluster.Primary().Context.CallAsync(() =>
        {
            var put = cluster.Primary().Client.ExecuteAsync(Story.Put("v"), gone.Token);
            gone.Cancel();
            return put;
        });
        Assert.IsType<KvOutcome.Stored>(outcome);
    });
}
