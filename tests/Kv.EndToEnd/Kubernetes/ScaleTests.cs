using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>From three nodes to five, back to three and to six under load, the leading operator's pod deleted in the middle of the first, and killed in that of the others: nodes take over, hand over what they hold and go, and nothing is lost.</summary>
[Collection(KubernetesCollection.Name)]
public sealed class ScaleTests(OperatorRelease release, StandingCluster standing)
{
    [Fact]
    public async Task Scale_ThreeToFiveToThreeToSix_UnderLoad_LosesNothing()
    {
        await release.RequireAsync();
        var storage = await standing.TakeAsync();
        await using var load = await HttpLoad.StartAsync(storage);
        await storage.PatchAsync("""{"storage":{"retention":{"whenScaled":"Delete"}}}""");

        await ScaleAsync(storage, load, 5, "ScaleOut", release.DeleteLeaderAsync);
        await ScaleAsync(storage, load, 3, "ScaleIn", release.KillLeaderAsync);
        await storage.UntilAsync(
            async () => (await storage.PodUidsAsync()).Keys.Order().SequenceEqual(["small-0", "small-1", "small-2"]), TimeSpan.FromMinutes(2), "the pods of those that left are gone");
        await storage.UntilAsync(async () => await VolumesAsync(storage) == "data-small-0 data-small-1 data-small-2", TimeSpan.FromMinutes(1), "the volumes of those that left are gone");
        await ScaleAsync(storage, load, 6, "ScaleOut", release.KillLeaderAsync);

        load.AssertOnlyRetryableFailures();
        await load.AssertNothingLostAsync();
    }

    private static async Task ScaleAsync(StorageCluster storage, HttpLoad load, int nodes, string operation, Func<Task> end)
    {
        await storage.KubectlAsync("scale", $"kvc/{StorageCluster.Name}", $"--replicas={nodes}");
        await storage.UntilAsync(async () => await storage.StatusAsync("operation.kind") == operation, TimeSpan.FromMinutes(1), $"the {operation} has begun");
        Assert.Matches($@"cluster\.kv\.dev/small +\w+ +{nodes} +\d .*{operation} +\w+", await storage.ShowAsync($"{operation} to {nodes}"));
        await end();
        await load.GrowsAsync(200);
        await storage.ShowAsync("the operator gone");

        await storage.SettledAsync(TimeSpan.FromMinutes(5), $"{nodes} nodes share the ring");
        Assert.Matches($@"cluster\.kv\.dev/small +True +{nodes} +{nodes} ", await storage.ShowAsync($"{nodes} nodes"));
        await storage.AssertBalancedAsync(nodes);
        await load.GrowsAsync(200);
    }

    private static Task<string> VolumesAsync(StorageCluster storage) => storage.KubectlAsync("get", "pvc", "-o", "jsonpath={.items[*].metadata.name}");
}
