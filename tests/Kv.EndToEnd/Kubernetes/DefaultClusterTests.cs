using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>A Cluster of which nothing is said but its name: what all the defaults together come to.</summary>
[Collection(KubernetesCollection.Name)]
public sealed class DefaultClusterTests(KubernetesCluster cluster, OperatorRelease release) : IAsyncLifetime
{
    private const string Manifest = """
        apiVersion: kv.dev/v1alpha1
        kind: Cluster
        metadata: { name: plain }
        spec: {}

        """;

    private readonly string space = $"kv-default-{Guid.NewGuid():N}"[..18];

    public async ValueTask InitializeAsync()
    {
        await release.RequireAsync();
        await cluster.KubectlAsync("create", "namespace", space);
    }

    public async ValueTask DisposeAsync()
    {
        await cluster.TryKubectlAsync(null, "delete", "namespace", space, "--wait=false");
        await cluster.TryKubectlAsync(null, "-n", space, "delete", "pods", "--all", "--grace-period=1", "--timeout=60s");
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Cluster_OfDefaultsAlone_IsReadyWithinTwoMinutes_AndKeepsWhatItTakes()
    {
        var applied = await cluster.TryKubectlAsync(Manifest, "-n", space, "apply", "--validate=false", "-f", "-");
        Assert.True(applied.Succeeded, applied.ToString());
        await cluster.KubectlAsync("-n", space, "wait", "--for=condition=Ready", "kvc/plain", "--timeout=120s");

        Assert.Equal("3 3 64", await cluster.KubectlAsync("-n", space, "get", "kvc", "plain", "-o", "jsonpath={.status.readyNodes} {.status.ring.members} {.status.ring.partitions}"));
        var application = await ApplicationPod.StartAsync(cluster, space);
        await application.RunAsync("curl -sSf -XPUT -H 'content-type: text/plain' --data kept http://plain:8098/types/default/buckets/b/keys/k");
        Assert.Equal("kept", await application.RunAsync("curl -sSf 'http://plain-2.plain-headless:8098/types/default/buckets/b/keys/k?pr=3'"));
        Assert.Equal("0 0 0", await cluster.KubectlAsync("-n", space, "get", "pods", "-l", "kv.dev/cluster=plain", "-o", "jsonpath={.items[*].status.containerStatuses[0].restartCount}"));
    }
}
