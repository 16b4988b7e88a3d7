using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Stores;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests;

public sealed class LostStateTests
{
    [Theory]
    [InlineData("cluster-document")]
    [InlineData("vnode-actors")]
    [InlineData("starts")]
    public void ANode_WithDataAndWithoutAFactOfItsOwn_DoesNotStart(string name) => SimCluster.Run(3, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        var load = await Load.BeginAsync(cluster);
        await load.WriteAllAsync(cluster.Nodes[1]);
        var node = cluster.Nodes[0];
        node.Kill();
        Assert.NotEmpty(node.Volume.Partitions);
        node.Volume.LoseState(name);
        var refusal = await Assert.ThrowsAsync<StoreException>(node.StartAsync);
        Assert.Contains($"and no `{name}` in its `state`", refusal.Message, StringComparison.Ordinal);
        node.Kill();
        await load.StopClientsAsync();
    });

    /// <summary>It accepted something, and does not know any more: a majority with it could accept something else.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void ANode_ThatLostItsVotes_LeavesTheVersionToTheOthers_AndVotesOnTheNext(int which) => SimCluster.Run(5, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        var (voter, other) = (cluster.Nodes[which], cluster.Nodes[1]);
        var held = voter.Document!;
        var next = held.Version + 1;
        var ballot = new Ballot(1000, other.Id);
        Assert.IsType<PeerReply.Promised>(await AskAsync(cluster, voter, new PeerRequest.Prepare(held.ClusterId, next, ballot)));
        Assert.IsType<PeerReply.Accepted>(await AskAsync(cluster, voter, new PeerRequest.Accept(held.ClusterId, next, ballot, held with { Version = next })));
        voter.Kill();
        voter.Volume.LoseState("document-acceptor");
        for (var start = 0; start < 2; start++)
        {
            await voter.StartAsync();
            Assert.Equal(held.Version, voter.Document!.Version);
            Assert.Null(Assert.IsType<PeerReply.Document>(await AskAsync(cluster, voter, new PeerRequest.Prepare(held.ClusterId, next, new Ballot(2000, other.Id)))).Held);
            Assert.Null(Assert.IsType<PeerReply.Document>(await AskAsync(cluster, voter, new PeerRequest.Accept(held.ClusterId, next, ballot, held with { Version = next }))).Held);
            voter.Kill();
        }

        await voter.StartAsync();
        SimCluster.Expect(await voter.InAsync(async () => await voter.Node.Admin.CreateBucketTypeAsync("by-the-others", "{}", default)));
        Assert.Equal(next, voter.Document!.Version);
        Assert.IsType<PeerReply.Promised>(await AskAsync(cluster, voter, new PeerRequest.Prepare(held.ClusterId, next + 1, new Ballot(1, other.Id))));
    });

    [Fact]
    public void WhereTheOthersAreTooFew_NothingIsDecided() => SimCluster.Run(6, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        var (voter, other) = (cluster.Nodes[0], cluster.Nodes[1]);
        voter.Kill();
        voter.Volume.LoseState("document-acceptor");
        await voter.StartAsync();
        cluster.Nodes[2].Kill();
        var held = cluster.Document.Version;
        Assert.False((await other.InAsync(async () => await other.Node.Admin.CreateBucketTypeAsync("t", "{}", default)))!.IsOk);
        Assert.Equal(held, cluster.Document.Version);
        await cluster.Nodes[2].StartAsync();
        SimCluster.Expect(await other.InAsync(async () => await other.Node.Admin.CreateBucketTypeAsync("t", "{}", default)));
    });

    [Fact]
    public void TheOnlyMember_ThatLostItsVotes_GoesOn() => SimCluster.Run(7, 1, async cluster =>
    {
        await cluster.FormAsync(1);
        var node = cluster.Nodes[0];
        node.Kill();
        node.Volume.LoseState("document-acceptor");
        await node.StartAsync();
        SimCluster.Expect(await node.InAsync(async () => await node.Node.Admin.CreateBucketTypeAsync("t", "{}", default)));
    });

    /// <summary>Earlier programs wrote what they had voted alone: a node that never did has a vote.</summary>
    [Fact]
    public void ANode_ThatAnEarlierProgramLeftWithoutVotes_VotesOnTheNextVersion() => SimCluster.Run(8, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        foreach (var node in cluster.Nodes)
        {
            node.Kill();
            node.Volume.LoseState("document-acceptor");
            node.Volume.LoseState("document-acceptor-begun");
            await node.StartAsync();
        }

        SimCluster.Expect(await cluster.Nodes[0].InAsync(async () => await cluster.Nodes[0].Node.Admin.CreateBucketTypeAsync("t", "{}", default)));
    });

    private static async Task<PeerReply> AskAsync(SimCluster cluster, SimNode node, PeerRequest request) =>
        (await node.InAsync(async () => await node.Node.PeerHandler.HandleAsync(cluster.Nodes[1].Id, request, Deadline.After(cluster.Scheduler.World.Time, TimeSpan.FromSeconds(1)), default)))!;

    [Fact]
    public void ANode_WithNeitherDataNorFacts_IsANewOne() => SimCluster.Run(4, 3, async cluster =>
    {
        await cluster.FormAsync(2);
        cluster.Nodes[2].Kill();
        await cluster.Nodes[2].StartAsync();
        Assert.Null(cluster.Nodes[2].Document);
    });
}
