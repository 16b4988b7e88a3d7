using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>The operator as the chart installs it: it comes up, one replica leads, and it survives the loss of that one.</summary>
[Collection(KubernetesCollection.Name)]
public sealed class InstallTests(KubernetesCluster cluster, OperatorRelease release)
{
    [Fact]
    public async Task Install_BringsEveryReplicaUp()
    {
        await release.RequireAsync();
        var ready = await cluster.KubectlAsync("-n", OperatorRelease.Namespace, "get", "deployment", OperatorRelease.Deployment, "-o", "jsonpath={.status.readyReplicas}");
        Assert.Equal("2", ready);
    }

    [Fact]
    public async Task Install_HasOneReplicaLead()
    {
        await release.RequireAsync();
        Assert.Contains(await LeaderAsync(), await PodsAsync());
    }

    [Fact]
    public async Task Leader_Deleted_IsFollowedByAnother()
    {
        await release.RequireAsync();
        var leader = await LeaderAsync();
        await cluster.KubectlAsync("-n", OperatorRelease.Namespace, "delete", "pod", leader, "--wait=true");
        await cluster.UntilAsync(async () => await HolderAsync() is { Length: > 0 } next && next != leader, TimeSpan.FromMinutes(1), "another replica leads");
    }

    [Fact]
    public async Task Upgrade_WithNothingNew_RestartsNothing()
    {
        await release.RequireAsync();
        string[] pods = ["-n", OperatorRelease.Namespace, "get", "deployment", OperatorRelease.Deployment, "-o", "jsonpath={.metadata.generation}"];
        var before = await cluster.KubectlAsync(pods);
        var upgraded = await release.UpgradeAsync();
        Assert.True(upgraded.Succeeded, upgraded.ToString());
        Assert.Equal(before, await cluster.KubectlAsync(pods));
    }

    /// <summary>The replica that leads, waited for: the lease of a release before may have to run out first.</summary>
    private async Task<string> LeaderAsync()
    {
        var leader = "";
        await cluster.UntilAsync(IsPresentAsync, TimeSpan.FromMinutes(2), "one of the replicas leads");
        return leader;

        async Task<bool> IsPresentAsync()
        {
            leader = await HolderAsync();
            return (await PodsAsync()).Contains(leader);
        }
    }

    /// <summary>The pod that holds the lease; empty while none does.</summary>
    private async Task<string> HolderAsync()
    {
        var holder = await cluster.KubectlAsync("-n", OperatorRelease.Namespace, "get", "lease", OperatorRelease.Deployment, "--ignore-not-found", "-o", "jsonpath={.spec.holderIdentity}");
        return holder.Split('_')[0]; // POD_SUFFIX: a pod that restarts is another holder
    }

    private async Task<string[]> PodsAsync() =>
        (await cluster.KubectlAsync("-n", OperatorRelease.Namespace, "get", "pods", "-l", "app.kubernetes.io/instance=" + OperatorRelease.Name, "-o", "jsonpath={.items[*].metadata.name}")).Split(' ');
}
