using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>Rolling restarts under load, for each reason that there is: pods go one at a time, through the gate and by the Eviction API, and nothing is lost.</summary>
[Collection(KubernetesCollection.Name)]
public sealed class RolloutTests(OperatorRelease release, StandingCluster standing)
{
    [Fact]
    public async Task UpgradeAndRestart_UnderLoad_GoOneAtATime_ThoughTheOperatorIsKilled()
    {
        await release.RequireAsync();
        var storage = await standing.TakeAsync();
        await using var load = await HttpLoad.StartAsync(storage);

        await RollAsync(storage, "an upgrade with other settings", async () =>
        {
            await storage.PatchAsync($$"""{"config":{"log-level":"warning"},"image":"{{KubernetesCluster.NextNodeImage}}"}""");
            await storage.UntilAsync(async () => await storage.StatusAsync("operation.kind") == "Rollout", TimeSpan.FromMinutes(1), "the rollout has begun");
            await release.KillLeaderAsync();
        });
        Assert.Equal(
            string.Join(' ', Enumerable.Repeat(KubernetesCluster.NextNodeImage, 3)),
            await storage.KubectlAsync("get", "pods", "-l", $"kv.dev/cluster={StorageCluster.Name}", "-o", "jsonpath={.items[*].spec.containers[0].image}"));

        await RollAsync(storage, "kubectl rollout restart", () => storage.KubectlAsync("rollout", "restart", $"statefulset/{StorageCluster.Name}"));
        await load.GrowsAsync(200);
        Assert.InRange(load.FewestReady, 2, 3);
        load.AssertOnlyRetryableFailures();
        await load.AssertNothingLostAsync();
    }

    private static async Task RollAsync(StorageCluster storage, string what, Func<Task> begin)
    {
        var before = await storage.PodUidsAsync();
        await begin();
        await storage.UntilAsync(
            async () => (await storage.PodUidsAsync()) is { Count: 3 } now && now.All(pod => pod.Value != before[pod.Key]), TimeSpan.FromMinutes(4), $"every pod is another after {what}");
        await storage.SettledAsync(TimeSpan.FromMinutes(1), $"the cluster is ready after {what}");
        await storage.ShowAsync($"after {what}");
    }
}
