using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>Drains by others: the Eviction API takes one node, and no second one before the first is back and has what it missed.</summary>
[Collection(KubernetesCollection.Name)]
public sealed class EvictionTests(KubernetesCluster cluster, OperatorRelease release, StandingCluster standing)
{
    [Fact]
    public async Task Pods_EvictedUnderLoad_GoOneAtATime_AndNothingIsLost()
    {
        await release.RequireAsync();
        var storage = await standing.TakeAsync();
        await using var load = await HttpLoad.StartAsync(storage);
        await storage.UntilAsync(async () => await BudgetAsync(storage) == "1 1", TimeSpan.FromMinutes(1), "a node may be evicted");
        var before = await storage.PodUidsAsync();

        var first = await EvictAsync(storage, "small-1");
        Assert.True(first.Succeeded, first.ToString());
        var second = await EvictAsync(storage, "small-2");
        Assert.Contains("disruption budget", second.Error, StringComparison.Ordinal);
        await release.KillLeaderAsync();

        await storage.UntilAsync(async () => (await EvictAsync(storage, "small-2")).Succeeded, TimeSpan.FromMinutes(3), "the second node may be evicted too, in its turn");
        Assert.NotEqual(before["small-1"], (await storage.PodUidsAsync())["small-1"]);
        await storage.UntilAsync(async () => (await storage.PodUidsAsync()) is { Count: 3 } now && now["small-2"] != before["small-2"], TimeSpan.FromMinutes(2), "it is back");
        await storage.UntilAsync(async () => await BudgetAsync(storage) == "1 1", TimeSpan.FromMinutes(2), "a third could be evicted");
        await load.GrowsAsync(200);
        Assert.InRange(load.FewestReady, 2, 3);
        load.AssertOnlyRetryableFailures();
        await load.AssertNothingLostAsync();
    }

    /// <summary>As `kubectl drain` does it.</summary>
    private async Task<Command> EvictAsync(StorageCluster storage, string pod) => await cluster.TryKubectlAsync(
        $$$"""{"apiVersion":"{{{await EvictionVersionAsync()}}}","kind":"Eviction","metadata":{"name":"{{{pod}}}","namespace":"{{{storage.Space}}}"}}""",
        "create", "--raw", $"/api/v1/namespaces/{storage.Space}/pods/{pod}/eviction", "-f", "-");

    /// <summary>Servers that know rules in CRDs (1.25) know it by its newer name; those before 1.22 by no other.</summary>
    private async Task<string> EvictionVersionAsync() => await cluster.KnowsRulesAsync() ? "policy/v1" : "policy/v1beta1";

    /// <summary>What the budget allows, and what its controller makes of it.</summary>
    private static Task<string> BudgetAsync(StorageCluster storage) =>
        storage.KubectlAsync("get", "pdb", StorageCluster.Name, "-o", "jsonpath={.spec.maxUnavailable} {.status.disruptionsAllowed}");
}
