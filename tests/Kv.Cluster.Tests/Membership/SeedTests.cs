using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Membership;

/// <summary>Members that are not where the document says.</summary>
public sealed class SeedTests
{
    private const int Count = 5;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void AllNodesThatMovedAtOnce_FindEachOtherByTheSeeds(int seed) => SimCluster.Run(
        seed,
        Count,
        async cluster =>
        {
            await FormAsync(cluster);
            await MoveAllAsync(cluster, n => $"new-{n}:9081");

            await cluster.UntilAsync(() => cluster.Nodes.All(node => IsAtItsAddress(cluster, node)), 60, "the document has all new addresses");
            await cluster.SettleAsync();
        },
        options: Options(n => $"new-{n}:9081"));

    /// <summary>Each is where another was: what answers there is not who was looked for, or the node itself.</summary>
    [Fact]
    public void AddressesThatChangedHands_AreSortedOut() => SimCluster.Run(
        4,
        Count,
        async cluster =>
        {
            await FormAsync(cluster);
            await MoveAllAsync(cluster, n => $"n{(n % Count) + 1}:9081");

            await cluster.UntilAsync(() => cluster.Nodes.All(node => IsAtItsAddress(cluster, node)), 60, "the document has all new addresses");
            await cluster.SettleAsync();
        },
        options: Options(n => $"n{n}:9081"));

    [Fact]
    public void WithoutSeeds_TheyDoNot_AndNobodyElsesWordIsTaken() => SimCluster.Run(
        5,
        Count + 1,
        async cluster =>
        {
            var stranger = cluster.Nodes[Count];
            SimCluster.Expect(await stranger.InAsync(async () => await stranger.Node.Admin.CreateClusterAsync(null, "stranger", 16, default)));
            await FormAsync(cluster);
            var version = cluster.Nodes[0].Document!.Version;
            await MoveAllAsync(cluster, n => $"new-{n}:9081");
            await cluster.DelayAsync(TimeSpan.FromSeconds(60));

            Assert.All(cluster.Nodes[..Count], node => Assert.Equal((version, 1), (node.Document!.Version, node.Node.State.Current.Up.Count)));
        },
        options: new ClusterOptions { RequestTimeout = TimeSpan.FromSeconds(5), AntiEntropy = false, Seeds = ["n6:9081", "nobody:9081"] });

    private static async Task FormAsync(SimCluster cluster)
    {
        cluster.Network.FindsByAddress = true;
        await cluster.FormAsync(Count);
    }

    private static async Task MoveAllAsync(SimCluster cluster, Func<int, string> address)
    {
        foreach (var node in cluster.Nodes[..Count])
        {
            await node.StopAsync();
        }

        for (var n = 1; n <= Count; n++)
        {
            cluster.Nodes[n - 1].Address = address(n);
        }

        await Task.WhenAll(cluster.Nodes[..Count].Select(node => node.StartAsync()));
    }

    private static ClusterOptions Options(Func<int, string> address) => new()
    {
        RequestTimeout = TimeSpan.FromSeconds(5),
        AntiEntropy = false,
        Seeds = [.. Enumerable.Range(1, Count).Select(address)],
    };

    private static bool IsAtItsAddress(SimCluster cluster, SimNode node) =>
        cluster.Nodes.All(other => other.Document!.FindMember(node.Id)!.Endpoints["peer"] == node.Address);
}
