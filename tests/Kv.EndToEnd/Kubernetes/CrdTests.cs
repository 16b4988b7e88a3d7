using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>The generated CRDs on a real API server: taken, served, defaulted, and refusing what the schema refuses.</summary>
[Collection(KubernetesCollection.Name)]
public sealed class CrdTests(KubernetesCluster cluster) : IAsyncLifetime
{
    private readonly string space = $"kv-crd-{Guid.NewGuid():N}"[..15];

    public async ValueTask InitializeAsync()
    {
        await cluster.RequireAsync();
        await ApplyCrdsAsync();
        await cluster.KubectlAsync("wait", "--for=condition=Established", "--timeout=60s", "crd/clusters.kv.dev", "crd/buckettypes.kv.dev");
        await cluster.KubectlAsync("create", "namespace", space);
    }

    public async ValueTask DisposeAsync()
    {
        await cluster.TryKubectlAsync(null, "delete", "namespace", space, "--wait=false");
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Crds_AppliedAgain_ChangeNothing()
    {
        var before = await cluster.KubectlAsync("get", "crd", "clusters.kv.dev", "buckettypes.kv.dev", "-o", "jsonpath={.items[*].metadata.generation}");
        await ApplyCrdsAsync();
        var after = await cluster.KubectlAsync("get", "crd", "clusters.kv.dev", "buckettypes.kv.dev", "-o", "jsonpath={.items[*].metadata.generation}");
        Assert.Equal(before, after);
    }

    [Fact]
    public async Task Examples_AreTaken_AndListedByShortName()
    {
        await cluster.KubectlAsync("apply", "--server-side", "-n", space, "-f", "crds/examples");
        Assert.Contains("example", await cluster.KubectlAsync("get", "kvc", "-n", space), StringComparison.Ordinal);
        Assert.Contains("siblings", await cluster.KubectlAsync("get", "kvbt", "-n", space), StringComparison.Ordinal);
        Assert.Contains("cluster.kv.dev/example", await cluster.KubectlAsync("get", "kv", "-n", space, "-o", "name"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cluster_WithoutRingSize_GetsTheDefault()
    {
        await ApplyAsync("defaulted", "nodes: 3");
        Assert.Equal("64", await cluster.KubectlAsync("get", "kvc", "defaulted", "-n", space, "-o", "jsonpath={.spec.ringSize}"));
    }

    [Fact]
    public async Task Scale_GoesThroughTheSubresource()
    {
        await ApplyAsync("scaled", "nodes: 3");
        await cluster.KubectlAsync("scale", "kvc/scaled", "-n", space, "--replicas=5");
        Assert.Equal("5", await cluster.KubectlAsync("get", "kvc", "scaled", "-n", space, "-o", "jsonpath={.spec.nodes}"));
    }

    [Theory]
    [InlineData("no-nodes", "nodes: 0", "spec.nodes")]
    [InlineData("too-many", "nodes: 1000", "spec.nodes")]
    [InlineData("odd-ring", "{ nodes: 3, ringSize: 100 }", "spec.ringSize")]
    [InlineData("words", "nodes: three", "spec.nodes")]
    public async Task Cluster_OutsideItsBounds_IsRefusedByField(string name, string spec, string field)
    {
        var refused = await TryApplyAsync(name, spec);
        Assert.False(refused.Succeeded, refused.ToString());
        Assert.Contains(field, refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BucketType_OfABackendThatIsNoName_IsRefused()
    {
        var refused = await cluster.TryKubectlAsync(
            "apiVersion: kv.dev/v1alpha1\nkind: BucketType\nmetadata:\n  name: odd\nspec: { clusterRef: { name: a }, backend: Not A Name }\n", "apply", "--server-side", "-n", space, "-f", "-");
        Assert.False(refused.Succeeded, refused.ToString());
        Assert.Contains("spec.backend", refused.Error, StringComparison.Ordinal);
    }

    private Task<string> ApplyCrdsAsync() => cluster.ApplyCrdsAsync("crds/cluster.yaml", "crds/buckettype.yaml");

    private async Task ApplyAsync(string name, string spec)
    {
        var applied = await TryApplyAsync(name, spec);
        Assert.True(applied.Succeeded, applied.ToString());
    }

    private Task<Command> TryApplyAsync(string name, string spec) => cluster.TryKubectlAsync(
        $"apiVersion: kv.dev/v1alpha1\nkind: Cluster\nmetadata:\n  name: {name}\nspec: {(spec.StartsWith('{') ? spec : $"{{ {spec} }}")}\n",
        "apply", "--server-side", "-n", space, "-f", "-");
}
