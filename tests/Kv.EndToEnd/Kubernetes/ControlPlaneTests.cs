using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>The cluster itself works, so that what fails after this is ours.</summary>
[Collection(KubernetesCollection.Name)]
public sealed class ControlPlaneTests(KubernetesCluster cluster)
{
    [Fact]
    public async Task ControlPlane_IsReady()
    {
        await cluster.RequireAsync();
        Assert.Equal("ok", (await cluster.KubectlAsync("get", "--raw", "/readyz")).Trim());
    }

    [Fact]
    public async Task Node_IsReady()
    {
        await cluster.RequireAsync();
        var ready = await cluster.KubectlAsync("get", "nodes", "-o", "jsonpath={.items[*].status.conditions[?(@.type==\"Ready\")].status}");
        Assert.Contains("True", ready, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StorageClass_IsTheDefault()
    {
        await cluster.RequireAsync();
        Assert.Contains("(default)", await cluster.KubectlAsync("get", "storageclass"), StringComparison.Ordinal);
    }
}
