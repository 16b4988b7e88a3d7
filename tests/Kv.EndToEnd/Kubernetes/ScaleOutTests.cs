using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>From three nodes to five under load, the leading operator's pod deleted in the middle: it completes, balanced, and nothing is lost.</summary>
[Collection("Kubernetes")]
public sealed class ScaleOutTests(KubernetesCluster cluster, OperatorRelease release)
{
    [Fact]
    public async Task Scale_UnderLoad_CompletesThoughTheOperatorIsDeleted()
    {
        await release.RequireAsync();
        await using var storage = await StorageCluster.CreateAsync(cluster);
        await using var load = await HttpLoad.StartAsync(storage);

        await storage.KubectlAsync("scale", $"kvc/{StorageCluster.Name}", "--replicas=5");
        await storage.UntilAsync(async () => await storage.StatusAsync("operation.kind") == "ScaleOut", TimeSpan.FromMinutes(1), "the scale-out has begun");
        Assert.Matches(@"cluster\.kv\.dev/small +\w+ +5 +\d .*ScaleOut +\w+", await storage.ShowAsync("scaling out"));
        await cluster.KubectlAsync("-n", OperatorRelease.Namespace, "delete", "pod", await release.LeaderAsync(), "--wait=false");
        await load.GrowsAsync(200);
        await storage.ShowAsync("the operator's pod deleted");

        await storage.UntilAsync(
            async () => await storage.StatusAsync("ring.members") == "5" && await storage.StatusAsync("ring.pendingTransfers") is "0" or "" && (await storage.StatusAsync("operation.kind")).Length == 0,
            TimeSpan.FromMinutes(3), "five members and nothing on its way");
        await storage.KubectlAsync("wait", "--for=condition=Ready", $"kvc/{StorageCluster.Name}", "--timeout=60s");
        Assert.Matches(@"cluster\.kv\.dev/small +True +5 +5 ", await storage.ShowAsync("scaled out"));
        var partitions = await storage.PartitionsAsync();
        Assert.Equal(5, partitions.Count);
        Assert.Equal(StorageCluster.RingSize, partitions.Sum());
        Assert.InRange(partitions.Max() - partitions.Min(), 0, 1);
        await load.GrowsAsync(200);
        load.AssertOnlyRetryableFailures();
        await load.AssertNothingLostAsync();
    }
}
