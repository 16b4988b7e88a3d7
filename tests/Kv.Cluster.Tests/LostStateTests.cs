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

    [Fact]
    public void ANode_WithNeitherDataNorFacts_IsANewOne() => SimCluster.Run(4, 3, async cluster =>
    {
        await cluster.FormAsync(2);
        cluster.Nodes[2].Kill();
        await cluster.Nodes[2].StartAsync();
        Assert.Null(cluster.Nodes[2].Document);
    });
}
