using Kv.Cluster.Peers;
using Kv.Core.Buckets;
using Kv.Core.Quorum;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

/// <summary>Objects of a write-once type all have one clock: no condition on a clock is met or missed by it.</summary>
public sealed class WriteOnceTests
{
    [Fact]
    public void Get_IfModified_ShowsTheValueThatHasWonMeanwhile() => Run(61, async (cluster, node) =>
    {
        var key = Story.Key(type: "once");
        await node.StoreAsync("first", key: key);
        var seen = await node.AskAsync(Story.Get(key));
        Assert.Equal(["first"], Story.Values(seen));
        var clock = Story.Clock(seen);

        // Which of two wins is the same for the same values, and as good as random.
        var winner = "first";
        for (var number = 0; winner == "first"; number++)
        {
            await node.StoreAsync($"other{number}", key: key);
            await cluster.WaitAsync(1);
            winner = Assert.Single(Story.Values(await node.AskAsync(Story.Get(key))));
        }

        Assert.Equal(clock, Story.Clock(await node.AskAsync(Story.Get(key))));
        Assert.Equal([winner], Story.Values(await node.AskAsync(Story.Get(key) with { IfModified = clock })));
    });

    [Fact]
    public void Put_IfNotModified_IsRefused_AndIfNoneMatchIsNot() => Run(62, async (_, node) =>
    {
        var key = Story.Key(type: "once");
        Assert.IsType<KvOutcome.Stored>(await node.AskAsync(Story.Put("first", key: key) with { IfNoneMatch = true }));
        Assert.IsType<KvError.MatchFound>(Story.Error(await node.AskAsync(Story.Put("second", key: key) with { IfNoneMatch = true })));
        var clock = Story.Clock(await node.AskAsync(Story.Get(key)));
        Assert.IsType<KvError.InvalidRequest>(Story.Error(await node.AskAsync(Story.Put("second", clock, key) with { IfNotModified = true })));
        Assert.Equal(["first"], Story.Values(await node.AskAsync(Story.Get(key))));
    });

    /// <summary>What was sent may have lost to what was there: it would be shown as what is stored.</summary>
    [Fact]
    public void Put_ThatWantsItsObjectBack_GetsNone() => Run(63, async (_, node) =>
    {
        var key = Story.Key(type: "once");
        Assert.Equal(new KvOutcome.Stored(null), await node.AskAsync(Story.Put("first", key: key) with { ReturnBody = true }));
        Assert.Equal(new KvOutcome.Stored(null), await node.AskAsync(Story.Put("second", key: key) with { ReturnHead = true }));
    });

    [Theory]
    [InlineData(3, 1)]
    [InlineData(1, 3)]
    public void Put_ThatTooFewReplicasTake_FailsByW(int w, int dw) => Run(64, async (cluster, node) =>
    {
        var key = Story.Key(type: "once");
        var broken = cluster.Primaries(key).Select(entry => entry.Node).First(id => id != node.Id);
        cluster.Network.Instead = (_, to, request) => to == broken && request is PeerRequest.VnodePut ? new PeerReply.Refused("it is broken") : null;
        var put = Story.Put("value", key: key) with { W = QuorumValue.Of(w), Dw = QuorumValue.Of(dw) };
        var error = Assert.IsType<KvError.Unsatisfied>(Story.Error(await node.AskAsync(put)));
        Assert.Equal(("w", 3, true), (error.Option, error.Required, error.IsIndeterminate));
    });

    /// <summary>Any node sends to all replicas at once: nothing is read, and nothing handed to a node that coordinates.</summary>
    [Fact]
    public void Put_IsSentToReplicasAlone() => Run(65, async (cluster, _) =>
    {
        var key = Story.Key(type: "once");
        var asked = new List<PeerRequest>();
        cluster.Network.Instead = (_, _, request) =>
        {
            asked.Add(request);
            return null;
        };
        await cluster.Outsider(key: key).StoreAsync("value", key: key);
        await cluster.WaitAsync(1);
        Assert.Equal(3, asked.Count);
        Assert.All(asked, request => Assert.IsType<PeerRequest.VnodePut>(request));
    });

    private static void Run(int seed, Func<DataCluster, DataNode, Task> story) => DataCluster.Run(seed, 5, async cluster =>
    {
        cluster.SetType("once", BucketProps.NewType with { WriteOnce = true });
        await story(cluster, cluster.Nodes[0]);
    });
}
