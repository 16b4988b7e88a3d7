using Kv.Cluster.Tests.Coordination;
using Kv.Cluster.Vnodes;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Vnodes;

public sealed class VnodeHostTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void AStart_OpensSoManyVnodesAtOnce(int atOnce) => Run(atOnce, async cluster =>
    {
        var node = cluster.Nodes[0];
        Assert.Equal(atOnce, node.Volume.MostOpening);
        Assert.Equal(16, node.Host.Open.Count);
        node.Kill();
        await node.StartAsync(cluster.Document);
        Assert.Equal(atOnce, node.Volume.MostOpening);
        Assert.Equal(16, node.Host.Open.Count);
    });

    [Fact]
    public void AStart_ThatCannotOpenAStore_FailsWhenNothingIsBeingOpenedAnyMore() => Run(3, async cluster =>
    {
        var node = cluster.Nodes[0];
        node.Kill();
        node.Volume.Broken = new PartitionId(4);
        var failure = await Assert.ThrowsAsync<StoreException>(() => node.StartAsync(cluster.Document));
        Assert.Contains("cannot be opened", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0, node.Volume.Opening);
        Assert.InRange(node.Host.Open.Count, 4, 6);
        Assert.True(node.Host.Failed.IsCompleted);
    });

    [Fact]
    public void AStart_ThatMeetsADamagedPartition_OpensTheOthers() => Run(3, async cluster =>
    {
        var node = cluster.Nodes[0];
        node.Kill();
        node.Volume.Damaged = new PartitionId(4);
        await node.StartAsync(cluster.Document);
        Assert.Equal(15, node.Host.Open.Count);
        Assert.Contains("damaged", node.Host.Damaged[new PartitionId(4)], StringComparison.Ordinal);
        Assert.False(node.Host.Failed.IsCompleted);
    });

    /// <summary>Two nodes of eight partitions each, and no memory for more, come to own one of the other's.</summary>
    [Fact]
    public void AFullNode_TakesNoOtherPartition_UntilOneGoes() => DataCluster.Run(7, 2, async cluster =>
    {
        var node = cluster.Nodes[0];
        var owners = cluster.Document.Ring.Owners;
        var (given, taken) = (new PartitionId(owners.IndexOf(node.Id)), new PartitionId(owners.IndexOf(cluster.Nodes[1].Id)));
        var swapped = owners.SetItem(given.Number, cluster.Nodes[1].Id).SetItem(taken.Number, node.Id);
        cluster.Decide(document => document with { Ring = new Ring(swapped, swapped) });
        var refused = await Assert.ThrowsAsync<StoreRefusedException>(() => node.Context.Enter(async () => await node.Host.OpenAsync(taken, CancellationToken.None)));
        Assert.Contains("8 partitions", refused.Message, StringComparison.Ordinal);
        Assert.Null(node.Host.Find(taken));

        var leaving = node.Host.Find(given)!;
        Assert.True(await node.Context.CallAsync(() => node.Host.TryDropAsync(leaving, leaving.Writes, null, CancellationToken.None)));
        await cluster.WaitAsync(1);
        Assert.NotNull(node.Host.Find(taken));
    }, options: new ClusterOptions { MaxVnodes = 8 });

    /// <summary>What has no room for its next turn must not look as if it waited for one.</summary>
    [Fact]
    public void AVnodeThatCannotBeginATurn_AnswersWhatWaits_AndFailsTheNode() => Run(1, async cluster =>
    {
        var node = cluster.Nodes[0];
        var vnode = node.Host.Open[0];
        var asked = node.Context.Enter(() =>
        {
            var reads = new[] { GetAsync(vnode), GetAsync(vnode) };

            // Stands for all that can be thrown there: no turn knows what to do with its keys.
            node.State.SetDocument(cluster.Document with { Version = 2, BucketTypes = null! });
            return reads;
        });
        Assert.All(await Task.WhenAll(asked), reply => Assert.Equal(VnodeReply.StorageFailed, reply));
        Assert.True(node.Host.Failed.IsCompleted);
        Assert.True(vnode.IsClosed);
    });

    private static async Task<VnodeReply> GetAsync(Vnode vnode) => await vnode.GetAsync(Story.Key().Encoded, headOnly: false);

    private static void Run(int atOnce, Func<DataCluster, Task> story) =>
        DataCluster.Run(7, 1, story, options: new ClusterOptions { MaxConcurrentOpens = atOnce });
}
