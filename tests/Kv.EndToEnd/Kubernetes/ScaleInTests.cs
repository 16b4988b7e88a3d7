using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>From five nodes to three and to six under load, the leading operator's pod deleted in the middle of each: nodes hand over what they hold and go, and nothing is lost.</summary>
[Collection("Kubernetes")]
public sealed class ScaleInTests(KubernetesCluster cluster, OperatorRelease release)
{
    [Fact]
    public async Task Scale_FiveToThreeToSix_UnderLoad_LosesNothing()
    {
        await release.RequireAsync();
        await using var storage = await StorageCluster.CreateAsync(cluster, nodes: 5);
        await using var load = await HttpLoad.StartAsync(storage);
        await storage.PatchAsync("""{"storage":{"retention":{"whenScaled":"Delete"}}}""");

        await storage.KubectlAsync("scale", $"kvc/{StorageCluster.Name}", "--replicas=3");
        await storage.UntilAsync(async () => await storage.StatusAsync("operation.kind") == "ScaleIn", TimeSpan.FromMinutes(1), "the scale-in has begun");
        await cluster.KubectlAsync("-n", OperatorRelease.Namespace, "delete", "pod", await release.LeaderAsync(), "--wait=false");
        await storage.ShowAsync("scaling in, the operator's pod deleted");
        await storage.SettledAsync(TimeSpan.FromMinutes(5), "three nodes are left and the ring is theirs");
        Assert.Matches(@"cluster\.kv\.dev/small +True +3 +3 ", await storage.ShowAsync("scaled in"));
        await AssertBalancedAsync(storage, 3);
        await storage.UntilAsync(
            async () => (await storage.PodUidsAsync()).Keys.Order().SequenceEqual(["small-0", "small-1", "small-2"]), TimeSpan.FromMinutes(2), "the pods of those that left are gone");
        await storage.UntilAsync(async () => await VolumesAsync(storage) == "data-small-0 data-small-1 data-small-2", TimeSpan.FromMinutes(1), "the volumes of those that left are gone");
        await load.GrowsAsync(200);

        await storage.KubectlAsync("scale", $"kvc/{StorageCluster.Name}", "--replicas=6");
        await storage.UntilAsync(async () => await storage.StatusAsync("operation.kind") == "ScaleOut", TimeSpan.FromMinutes(1), "the scale-out has begun");
        await cluster.KubectlAsync("-n", OperatorRelease.Namespace, "delete", "pod", await release.LeaderAsync(), "--wait=false");
        await storage.SettledAsync(TimeSpan.FromMinutes(5), "six nodes share the ring");
        Assert.Matches(@"cluster\.kv\.dev/small +True +6 +6 ", await storage.ShowAsync("scaled out"));
        await AssertBalancedAsync(storage, 6);
        await load.GrowsAsync(200);
        load.AssertOnlyRetryableFailures();
        await load.AssertNothingLostAsync();
    }

    /// <summary>Its volume stays, since that is the default, and is made anew when the name is used again.</summary>
    [Fact]
    public async Task Node_NamedInTheMiddle_Leaves_AndANewOneTakesItsPlace()
    {
        await release.RequireAsync();
        await using var storage = await StorageCluster.CreateAsync(cluster, nodes: 4);
        await using var load = await HttpLoad.StartAsync(storage);
        var id = await NodeIdAsync(storage, "small-1");

        await storage.PatchAsync($$"""{"leavingNodes":["{{id}}"]}""");
        await storage.UntilAsync(async () => await NodeIdAsync(storage, "small-1") is { Length: 16 } now && now != id, TimeSpan.FromMinutes(4), "small-1 is another node");
        await storage.SettledAsync(TimeSpan.FromMinutes(3), "the new node has its part of the ring");
        Assert.Matches(@"cluster\.kv\.dev/small +True +4 +4 ", await storage.ShowAsync("small-1 is a new node"));
        await AssertBalancedAsync(storage, 4);
        await load.GrowsAsync(200);
        load.AssertOnlyRetryableFailures();
        await load.AssertNothingLostAsync();
    }

    private static async Task AssertBalancedAsync(StorageCluster storage, int nodes)
    {
        var partitions = await storage.PartitionsAsync();
        Assert.Equal((nodes, StorageCluster.RingSize), (partitions.Count, partitions.Sum()));
        Assert.InRange(partitions.Max() - partitions.Min(), 0, 1);
    }

    private static Task<string> VolumesAsync(StorageCluster storage) => storage.KubectlAsync("get", "pvc", "-o", "jsonpath={.items[*].metadata.name}");

    private static Task<string> NodeIdAsync(StorageCluster storage, string node) => storage.StatusAsync($"nodeStatuses[?(@.name==\"{node}\")].nodeId");
}
