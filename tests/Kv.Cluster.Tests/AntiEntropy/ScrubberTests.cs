using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.AntiEntropy;

/// <summary>What a disk forgot is found though nobody reads it and no trees are built from it.</summary>
public sealed class ScrubberTests
{
    private const int Age = 20;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Rot_WhereAntiEntropyIsOff_IsFoundWithinTheAge(int seed) => Run(seed, withTrees: false, async (cluster, load) =>
    {
        var node = cluster.Nodes[0];
        await cluster.UntilAsync(() => node.Volume.Rot(), 20, "something is on the disk");
        await cluster.UntilAsync(() => node.Node.Admin.GetNode().Damaged.Count > 0, Age + 5, "it is found");
        Assert.Equal(node.Volume.Rotten, node.Node.Admin.GetNode().Damaged.Keys);
        Assert.False(node.Node.Failed.IsCompleted);
    });

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void Rot_InWhatIsHeldForAnother_IsFoundWithinTheAge(int seed) => Run(seed, withTrees: true, async (cluster, load) =>
    {
        var (node, absent) = (cluster.Nodes[0], cluster.Nodes[2]);
        absent.Kill();
        await cluster.UntilAsync(() => cluster.Up.All(up => up.Node.State.Current.Up.Count == 3), 20, "all see that it is gone");
        await load.WriteAllAsync(node);
        var held = HeldBy(cluster, node).First();
        await cluster.UntilAsync(() => node.Volume.Rot(held), 20, "it is on the disk");
        await cluster.UntilAsync(() => node.Node.Admin.GetNode().Damaged.ContainsKey(held), Age + 5, "it is found");
    });

    [Fact]
    public void EachStore_IsReadOnceAnAge() => Run(5, withTrees: false, async (cluster, load) =>
    {
        await cluster.DelayAsync(TimeSpan.FromSeconds(Age));
        Assert.All(cluster.Nodes, node => Assert.InRange(node.Node.Statistics.AntiEntropy.Scrubs, node.Node.Vnodes.Count, 2 * node.Node.Vnodes.Count));
        var before = cluster.Nodes.Select(node => node.Node.Statistics.AntiEntropy.Scrubs).ToList();
        await cluster.DelayAsync(TimeSpan.FromSeconds(10 * Age));
        Assert.All(cluster.Nodes.Zip(before), pair => Assert.InRange(pair.First.Node.Statistics.AntiEntropy.Scrubs - pair.Second, 8 * pair.First.Node.Vnodes.Count, 10 * pair.First.Node.Vnodes.Count));
    });

    [Fact]
    public void AStore_ThatTreesAreBuiltFrom_IsNotReadTwice() => Run(6, withTrees: true, async (cluster, load) =>
    {
        await cluster.DelayAsync(TimeSpan.FromSeconds(5 * Age));
        Assert.All(cluster.Nodes, node => Assert.Empty(HeldBy(cluster, node)));
        Assert.All(cluster.Nodes, node => Assert.Equal(0, node.Node.Statistics.AntiEntropy.Scrubs));
        Assert.All(cluster.Nodes, node => Assert.InRange(node.Node.Statistics.AntiEntropy.Builds, 4 * node.Node.Vnodes.Count, int.MaxValue));
    });

    private static IEnumerable<PartitionId> HeldBy(SimCluster cluster, SimNode node) =>
        node.Node.Vnodes.Select(vnode => vnode.Partition).Where(partition => cluster.Document.Ring.Owner(partition) != node.Id);

    private static void Run(int seed, bool withTrees, Func<SimCluster, Load, Task> story) => SimCluster.Run(
        seed,
        4,
        async cluster =>
        {
            await cluster.FormAsync(4, ringSize: 8);
            var load = await Load.BeginAsync(cluster, clientCount: 0, keyCount: 100);
            await load.WriteAllAsync(cluster.Nodes[1]);
            await cluster.SettleAsync();
            await story(cluster, load);
        },
        options: new ClusterOptions { RequestTimeout = TimeSpan.FromSeconds(5), AntiEntropy = withTrees, TreeMaxAge = TimeSpan.FromSeconds(Age) });
}
