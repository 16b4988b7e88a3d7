using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>A Cluster that is deleted takes its objects along and leaves its volumes.</summary>
[Collection(KubernetesCollection.Name)]
public sealed class DeleteClusterTests(OperatorRelease release, StandingCluster standing)
{
    private const string Children = "statefulset,pod,service,configmap,poddisruptionbudget";

    [Fact]
    public async Task Cluster_Deleted_LeavesItsVolumesOnly()
    {
        await release.RequireAsync();
        var storage = await standing.TakeAsync();

        await storage.KubectlAsync("delete", "kvc", StorageCluster.Name, "--timeout=60s");
        await storage.UntilAsync(
            async () => (await storage.KubectlAsync("get", Children, "-l", $"kv.dev/cluster={StorageCluster.Name}", "-o", "name")).Length == 0,
            TimeSpan.FromMinutes(2), "everything that belongs to the cluster is gone");
        Assert.Equal(
            ["persistentvolumeclaim/data-small-0", "persistentvolumeclaim/data-small-1", "persistentvolumeclaim/data-small-2"],
            (await storage.KubectlAsync("get", "pvc", "-o", "name")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
        Assert.Equal("Bound Bound Bound", await storage.KubectlAsync("get", "pvc", "-o", "jsonpath={.items[*].status.phase}"));
    }
}
