using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>A node's pod is deleted under load: the others go on taking writes, the pod comes back to its volume, and nothing acknowledged is lost.</summary>
[Collection(KubernetesCollection.Name)]
public sealed class NodePodDeletedTests(OperatorRelease release, StandingCluster standing)
{
    [Fact]
    public async Task NodePod_DeletedUnderLoad_ComesBack_AndNothingIsLost()
    {
        await release.RequireAsync();
        var storage = await standing.TakeAsync();
        await using var load = await HttpLoad.StartAsync(storage);
        var volume = await VolumeAsync(storage);
        var before = await UidAsync(storage);

        await storage.KubectlAsync("delete", "pod", "small-1", "--wait=false");
        await load.GrowsAsync(300);
        await storage.ShowAsync("a node's pod deleted");
        await storage.UntilAsync(async () => await UidAsync(storage) is { Length: > 0 } uid && uid != before, TimeSpan.FromMinutes(2), "a new pod small-1 is there");
        await storage.KubectlAsync("wait", "--for=condition=Ready", "pod/small-1", "--timeout=120s");
        Assert.Equal(volume, await VolumeAsync(storage));
        await load.GrowsAsync(200);

        await storage.UntilAsync(async () => await storage.StatusAsync("readyNodes") == "3", TimeSpan.FromMinutes(1), "the status has three ready nodes again");
        await storage.KubectlAsync("wait", "--for=condition=Ready", $"kvc/{StorageCluster.Name}", "--timeout=60s");
        Assert.Matches(@"cluster\.kv\.dev/small +True +3 +3 ", await storage.ShowAsync("the pod is back"));
        load.AssertOnlyRetryableFailures();
        await load.AssertNothingLostAsync();
    }

    private static Task<string> UidAsync(StorageCluster storage) => storage.KubectlAsync("get", "pod", "small-1", "--ignore-not-found", "-o", "jsonpath={.metadata.uid}");

    private static Task<string> VolumeAsync(StorageCluster storage) => storage.KubectlAsync("get", "pvc", "data-small-1", "-o", "jsonpath={.spec.volumeName}");
}
