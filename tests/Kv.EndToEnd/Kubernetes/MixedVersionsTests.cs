using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>A cluster of the image of the commit before, taken to this one by the operator under load: in between pods of both are one ring, and nothing is lost.</summary>
[Collection(KubernetesCollection.Name)]
public sealed class MixedVersionsTests(KubernetesCluster cluster, OperatorRelease release)
{
    [Fact]
    public async Task UpgradeFromThePreviousImage_UnderLoad_LosesNothing_ThoughTheOperatorIsKilled()
    {
        await release.RequireAsync();
        await cluster.RequirePreviousImageAsync();
        await using var storage = await StorageCluster.CreateAsync(cluster, image: KubernetesCluster.PreviousNodeImage);
        await using var load = await HttpLoad.StartAsync(storage);
        Assert.Equal([KubernetesCluster.PreviousNodeImage], (await ImagesAsync(storage)).Distinct());
        var before = await storage.PodUidsAsync();

        await storage.PatchAsync($$"""{"image":"{{KubernetesCluster.NodeImage}}"}""");
        await storage.UntilAsync(async () => (await ImagesAsync(storage)).Contains(KubernetesCluster.NodeImage), TimeSpan.FromMinutes(3), "a pod has the new image");
        await release.KillLeaderAsync();
        await load.GrowsAsync(100);
        await storage.ShowAsync("pods of both");

        await storage.UntilAsync(
            async () => await storage.PodUidsAsync() is { Count: 3 } now && now.All(pod => pod.Value != before[pod.Key]), TimeSpan.FromMinutes(5), "every pod is another");
        await storage.SettledAsync(TimeSpan.FromMinutes(2), "the cluster is ready");
        Assert.Equal([KubernetesCluster.NodeImage], (await ImagesAsync(storage)).Distinct());
        await load.GrowsAsync(200);
        load.AssertOnlyRetryableFailures();
        await load.AssertNothingLostAsync();
    }

    private static async Task<IReadOnlyList<string>> ImagesAsync(StorageCluster storage) =>
        (await storage.KubectlAsync("get", "pods", "-l", $"kv.dev/cluster={StorageCluster.Name}", "-o", "jsonpath={.items[*].spec.containers[0].image}")).Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
