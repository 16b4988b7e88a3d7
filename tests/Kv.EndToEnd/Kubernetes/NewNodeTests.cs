using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>A node of a cluster under load is another one afterwards, of the same name: by an order to leave, or since its volume was lost. Nothing is lost.</summary>
[Collection(KubernetesCollection.Name)]
public sealed class NewNodeTests(OperatorRelease release, StandingCluster standing)
{
    private const string Node = "small-1";

    /// <summary>Its volume stays, since that is the default, and is made anew when the name is used again.</summary>
    [Fact]
    public async Task Node_NamedInTheMiddle_Leaves_AndANewOneTakesItsPlace()
    {
        await release.RequireAsync();
        var storage = await standing.TakeAsync(nodes: 4);
        await using var load = await HttpLoad.StartAsync(storage);
        var id = await NodeIdAsync(storage);

        await storage.PatchAsync($$"""{"leavingNodes":["{{id}}"]}""");
        await storage.UntilAsync(async () => await NodeIdAsync(storage) is { Length: 16 } now && now != id, TimeSpan.FromMinutes(4), "small-1 is another node");
        await AssertWholeAsync(storage, load);
    }

    /// <summary>Nothing is done without an order; by an order the new node takes the old one's place and rebuilds what it had.</summary>
    [Fact]
    public async Task Volume_LostUnderLoad_IsRebuiltByANewNode_ThoughTheOperatorIsKilled()
    {
        await release.RequireAsync();
        var storage = await standing.TakeAsync(nodes: 4);
        await using var load = await HttpLoad.StartAsync(storage);
        var lost = await NodeIdAsync(storage);

        await storage.KubectlAsync("delete", "pvc", $"data-{Node}", "--wait=false");
        await storage.KubectlAsync("delete", "pod", Node, "--wait=false");
        await storage.UntilAsync(async () => await BlockedAsync(storage) == "IdentityLost", TimeSpan.FromMinutes(3), "the operator says that small-1 has an empty volume");
        await load.GrowsAsync(200);

        await storage.PatchAsync($$"""{"lostNodes":["{{lost}}"]}""");
        await storage.UntilAsync(async () => await storage.StatusAsync("operation.kind") == "Replace", TimeSpan.FromMinutes(1), "the replacement has begun");
        await release.KillLeaderAsync();
        await AssertWholeAsync(storage, load);
        Assert.NotEqual(lost, await NodeIdAsync(storage));
    }

    private static async Task AssertWholeAsync(StorageCluster storage, HttpLoad load)
    {
        await storage.SettledAsync(TimeSpan.FromMinutes(4), "the new node has its part of the ring");
        Assert.Matches(@"cluster\.kv\.dev/small +True +4 +4 ", await storage.ShowAsync("small-1 is a new node"));
        await storage.AssertBalancedAsync(4);
        await load.GrowsAsync(200);
        load.AssertOnlyRetryableFailures();
        await load.AssertNothingLostAsync();
    }

    private static Task<string> NodeIdAsync(StorageCluster storage) => storage.StatusAsync($"nodeStatuses[?(@.name==\"{Node}\")].nodeId");

    private static Task<string> BlockedAsync(StorageCluster storage) => storage.StatusAsync("conditions[?(@.type==\"Blocked\")].reason");
}
