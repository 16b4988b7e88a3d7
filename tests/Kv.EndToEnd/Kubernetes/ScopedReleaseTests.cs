using System.Text.RegularExpressions;
using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>The chart with Roles in place of a ClusterRole, and with kinds of an older release; then upgraded to what it is now, and to all namespaces.</summary>
[Collection(KubernetesCollection.Name)]
public sealed partial class ScopedReleaseTests(KubernetesCluster cluster, OperatorRelease release) : IAsyncLifetime
{
    private const string Account = "system:serviceaccount:" + OperatorRelease.Namespace + ":" + OperatorRelease.Deployment;

    // Its one node is never there: it is the operator that is looked at.
    private const string Manifest = """
        apiVersion: kv.dev/v1alpha1
        kind: Cluster
        metadata: { name: narrow }
        spec: { nodes: 1, image: "registry.invalid/kv-node:1", restartReason: first }

        """;

    private readonly string ours = $"kv-ours-{Guid.NewGuid():N}"[..16];
    private readonly string others = $"kv-others-{Guid.NewGuid():N}"[..16];
    private readonly string older = Path.Combine(Path.GetTempPath(), $"kv-chart-{Guid.NewGuid():N}");

    public async ValueTask InitializeAsync()
    {
        await release.RequireAsync();
        await cluster.KubectlAsync("create", "namespace", ours);
        await cluster.KubectlAsync("create", "namespace", others);
    }

    public async ValueTask DisposeAsync()
    {
        await cluster.TryKubectlAsync(null, "delete", "namespace", ours, others, "--wait=false");
        if (Directory.Exists(older))
        {
            Directory.Delete(older, recursive: true);
        }

        // The other tests share the release.
        await UpgradeAsync(Helm.Chart);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Release_OfOneNamespaceWithOlderKinds_LooksAfterThatAlone_AndTheUpgradeBringsNewFieldsAndAllNamespaces()
    {
        await MakeOlderChartAsync();
        await UpgradeAsync(older, "--set", "rbac.scope=namespaces", "--set", "rbac.aggregateClusterRoles=false", "--set", $"watchNamespaces={{{ours}}}");
        Assert.Equal("yes", await MayAsync("create", "statefulsets.apps", "-n", ours));
        Assert.Equal("yes", await MayAsync("watch", "clusters.kv.dev", "-n", ours));
        Assert.Equal("no", await MayAsync("watch", "clusters.kv.dev", "-n", others));
        Assert.Equal("no", await MayAsync("list", "pods", "--all-namespaces"));

        // As a client that checks nothing: the server keeps what its kinds know.
        foreach (var space in new[] { others, ours })
        {
            var made = await cluster.TryKubectlAsync(Manifest, "-n", space, "create", "--validate=false", "-f", "-");
            Assert.True(made.Succeeded, made.ToString());
        }

        await HasChildAsync(ours, "with the rights of a Role");
        Assert.Equal("", await SpecAsync(ours, "restartReason"));
        Assert.Equal("", await ReadAsync(others, "{.status}"));
        Assert.Equal("", await cluster.KubectlAsync("-n", others, "get", "statefulset", "-o", "name"));
        var log = await release.LogAsync();
        Assert.DoesNotContain("forbidden", log, StringComparison.OrdinalIgnoreCase);
        var before = await ReadAsync(ours, "{.metadata.uid}");

        await UpgradeAsync(Helm.Chart);
        await HasChildAsync(others, "since all namespaces are looked after");
        await cluster.KubectlAsync("-n", ours, "patch", "kvc", "narrow", "--type=merge", "-p", """{"spec":{"restartReason":"second"}}""");
        Assert.Equal("second", await SpecAsync(ours, "restartReason"));
        Assert.Equal(before, await ReadAsync(ours, "{.metadata.uid}"));
    }

    private async Task UpgradeAsync(string chart, params string[] values)
    {
        var upgraded = await release.UpgradeToAsync(chart, values);
        Assert.True(upgraded.Succeeded, upgraded.ToString());
    }

    /// <summary>The chart as it was before a field of the Cluster was there.</summary>
    private async Task MakeOlderChartAsync()
    {
        foreach (var file in Directory.EnumerateFiles(Helm.Chart, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(older, Path.GetRelativePath(Helm.Chart, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        var crd = Path.Combine(older, "files", "crds", "cluster.yaml");
        var text = await File.ReadAllTextAsync(crd, TestContext.Current.CancellationToken);
        var without = RestartReason().Replace(text, "");
        Assert.NotEqual(text, without);
        await File.WriteAllTextAsync(crd, without, TestContext.Current.CancellationToken);
    }

    private async Task<string> MayAsync(params string[] what) => (await cluster.TryKubectlAsync(null, ["auth", "can-i", .. what, "--as", Account])).Output.Trim();

    private Task HasChildAsync(string space, string why) => cluster.UntilAsync(
        async () => await cluster.KubectlAsync("-n", space, "get", "statefulset", "narrow", "--ignore-not-found", "-o", "name") != "" && await ReadAsync(space, "{.status.observedGeneration}") != "",
        TimeSpan.FromMinutes(2), $"the Cluster in {space} has a StatefulSet and a status, {why}");

    private Task<string> SpecAsync(string space, string field) => ReadAsync(space, $"{{.spec.{field}}}");

    private Task<string> ReadAsync(string space, string path) => cluster.KubectlAsync("-n", space, "get", "kvc", "narrow", "-o", $"jsonpath={path}");

    [GeneratedRegex("^ {14}restartReason:\n(?: {16}.*\n)+", RegexOptions.Multiline)]
    private static partial Regex RestartReason();
}
