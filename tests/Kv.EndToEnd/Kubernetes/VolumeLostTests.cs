using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>A node's volume is lost under load: nothing is done without an order; by an order the new node takes the old one's place and rebuilds what it had, and nothing is lost.</summary>
[Collection("Kubernetes")]
public sealed class VolumeLostTests(KubernetesCluster cluster, OperatorRelease release)
{
    [Fact]
    public async Task Volume_LostUnderLoad_IsRebuiltByANewNode_ThoughTheOperatorIsDeleted()
    {
        await release.RequireAsync();
        await using var storage = await StorageCluster.CreateAsync(cluster, nodes: 4);
        await using var load = await HttpLoad.StartAsync(storage);
        var lost = await NodeIdAsync(storage);

        await storage.KubectlAsync("delete", "pvc", "data-small-1", "--wait=false");
        await storage.KubectlAsync("delete", "pod", "small-1", "--wait=false");
        await storage.UntilAsync(async () => await BlockedAsync(storage) == "IdentityLost", TimeSpan.FromMinutes(3), "the operator says that small-1 has an empty volume");
        await load.GrowsAsync(200);

        await storage.PatchAsync($$"""{"lostNodes":["{{lost}}"]}""");
        await storage.UntilAsync(async () => await storage.StatusAsync("operation.kind") == "Replace", TimeSpan.FromMinutes(1), "the replacement has begun");
        await cluster.KubectlAsync("-n", OperatorRelease.Namespace, "delete", "pod", await release.LeaderAsync(), "--wait=false");
        await storage.SettledAsync(TimeSpan.FromMinutes(4), "the new node has rebuilt its part");
        Assert.NotEqual(lost, await NodeIdAsync(storage));
        Assert.Matches(@"cluster\.kv\.dev/small +True +4 +4 ", await storage.ShowAsync("replaced"));
        await load.GrowsAsync(200);
        load.AssertOnlyRetryableFailures();
        await load.AssertNothingLostAsync();
    }

    private static Task<string> NodeIdAsync(StorageCluster storage) => storage.StatusAsync("nodeStatuses[?(@.name==\"small-1\")].nodeId");

    private static Task<string> BlockedAsync(StorageCluster storage) => storage.StatusAsync("conditions[?(@.type==\"Blocked\")].reason");
}
