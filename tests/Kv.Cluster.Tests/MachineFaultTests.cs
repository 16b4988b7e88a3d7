using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests;

/// <summary>What machines and links do to a ring under load beyond dying and parting: they pause, drift, jump, rot, and hear in one direction only.</summary>
public sealed class MachineFaultTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Load_WhileAProcessIsPaused_LosesNothing(int seed) => UnderLoad(seed, async cluster =>
    {
        var node = cluster.Nodes[seed % 4];
        node.Pause();
        await cluster.UntilAsync(() => cluster.Up.Where(other => other != node).All(other => !other.Node.State.Current.IsUp(node.Id)), 20, "the others take it for down");
        await cluster.DelayAsync(TimeSpan.FromSeconds(5));
        node.Resume();
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Load_WhileALinkIsCutOneWayAndAnotherIsSlow_LosesNothing(int seed) => UnderLoad(seed, async cluster =>
    {
        cluster.Network.CutOneWay(cluster.Nodes[0].Id, cluster.Nodes[seed % 3 + 1].Id);
        cluster.Network.Slow(cluster.Nodes[3].Id, cluster.Nodes[2].Id, 50);
        await cluster.DelayAsync(TimeSpan.FromSeconds(15));
        cluster.Network.HealAll();
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Load_WhileClocksDriftAndJump_LosesNothing(int seed) => UnderLoad(seed, async cluster =>
    {
        cluster.Nodes[0].Clock.Drift(1.3);
        cluster.Nodes[1].Clock.Drift(0.8);
        cluster.Nodes[2].Clock.Jump(TimeSpan.FromDays(400));
        await cluster.DelayAsync(TimeSpan.FromSeconds(10));
        cluster.Nodes[2].Clock.Jump(TimeSpan.FromDays(-800));
        cluster.Nodes[0].Kill();
        await cluster.DelayAsync(TimeSpan.FromSeconds(5));
        await cluster.Nodes[0].StartAsync();
    });

    [Fact]
    public void ARottenStore_IsNotOpenedAgain_AndTheNodeGoesOnWithoutIt() => SimCluster.Run(7, 4, async cluster =>
    {
        await cluster.FormAsync(4);
        var load = await Load.BeginAsync(cluster);
        await load.WriteAllAsync(cluster.Nodes[1]);
        var node = cluster.Nodes[0];
        await cluster.UntilAsync(() => node.Volume.Rot(), 20, "something is on the disk");
        node.Kill(losesPower: false);
        var rotten = Assert.Single(node.Volume.Rotten);
        await node.StartAsync();
        Assert.Equal([rotten], node.Node.Admin.GetNode().Damaged.Keys);
        Assert.DoesNotContain(node.Node.Vnodes, vnode => vnode.Partition == rotten);
        await cluster.DelayAsync(TimeSpan.FromSeconds(5));
        await load.StopClientsAsync();
    });

    private static void UnderLoad(int seed, Func<SimCluster, Task> faults) => SimCluster.Run(seed, 4, async cluster =>
    {
        await cluster.FormAsync(4);
        var load = await Load.BeginAsync(cluster);
        await faults(cluster);
        await load.EndAsync();
        Assert.True(load.Acknowledged > 50, $"seed {seed}: only {load.Acknowledged} writes were acknowledged");
    });
}
