using Kv.EndToEnd.Kubernetes;
using Xunit;
using YamlDotNet.RepresentationModel;
using static Kv.EndToEnd.Charts.RenderedChart;

namespace Kv.EndToEnd.Charts;

/// <summary>The chart by the real Helm, without a cluster: what it renders, and what values it refuses.</summary>
public sealed class ChartTests
{
    private const string Oldest = "1.20.0";
    private const string Newest = "1.36.0";

    public static TheoryData<string, string> ValuesAndVersions
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var values in Directory.EnumerateFiles(Path.Combine(Helm.Chart, "ci")).Order(StringComparer.Ordinal))
            {
                data.Add(Path.GetFileName(values), Oldest);
                data.Add(Path.GetFileName(values), Newest);
            }
            return data;
        }
    }

    [Theory, MemberData(nameof(ValuesAndVersions))]
    public async Task Values_LintAndRender(string values, string kubernetes)
    {
        var file = Path.Combine(Helm.Chart, "ci", values);
        var lint = await Helm.RunAsync("lint", "--strict", Helm.Chart, "-f", file);
        Assert.True(lint.Succeeded, lint.ToString());
        Assert.Single((await RenderAsync(kubernetes, "-f", file)).OfKind("Deployment"));
    }

    [Theory]
    [InlineData(Oldest, "policy/v1beta1")]
    [InlineData("1.21.0", "policy/v1")]
    [InlineData("1.25.0-gke.100", "policy/v1")]
    [InlineData(Newest, "policy/v1")]
    public async Task DisruptionBudget_IsOfTheVersionThatTheServerKnows(string kubernetes, string version)
    {
        var chart = await RenderAsync(kubernetes);
        Assert.Equal(version, Text(Assert.Single(chart.OfKind("PodDisruptionBudget")), "apiVersion"));
    }

    [Fact]
    public async Task DisruptionBudget_WithOneReplica_IsLeftOut() => Assert.Empty((await RenderAsync(Newest, "--set", "replicas=1")).OfKind("PodDisruptionBudget"));

    [Fact]
    public async Task Crds_AreKeptOnUninstall_AndOtherwiseAsGenerated()
    {
        var chart = await RenderAsync(Newest);
        var crds = chart.OfKind("CustomResourceDefinition").ToArray();
        Assert.Equal(Directory.GetFiles(SourceTree.Path("crds"), "*.yaml").Length, crds.Length);
        foreach (var crd in crds)
        {
            Assert.Equal("keep", Text(crd, "metadata", "annotations", "helm.sh/resource-policy"));
            var generated = new YamlStream();
            generated.Load(new StringReader(await File.ReadAllTextAsync(
                SourceTree.Path("crds", Text(crd, "spec", "names", "singular") + ".yaml"), TestContext.Current.CancellationToken)));
            Assert.Equal(At(generated.Documents[0].RootNode, "spec"), At(crd, "spec"));
        }
    }

    [Fact]
    public async Task Crds_CanBeLeftOut() => Assert.Empty((await RenderAsync(Newest, "--set", "crds.create=false")).OfKind("CustomResourceDefinition"));

    [Fact]
    public async Task Rights_NameWhatTheyAllow_AndNoSecretsOrShells()
    {
        var chart = await RenderAsync(Newest);
        var rules = chart.OfKind("ClusterRole").Concat(chart.OfKind("Role")).SelectMany(role => ((YamlSequenceNode)At(role, "rules")!).Children).ToArray();
        Assert.NotEmpty(rules);
        foreach (var rule in rules)
        {
            Assert.DoesNotContain("*", Texts(rule, "verbs").Concat(Texts(rule, "resources")).Concat(Texts(rule, "apiGroups")));
            Assert.Empty(Texts(rule, "resources").Intersect(["secrets", "pods/exec", "pods/attach", "nodes", "roles", "clusterroles"]));
        }
    }

    [Fact]
    public async Task NamespacedRights_AreRolesInEachNamespace_AndNothingClusterWide()
    {
        var chart = await RenderAsync(Newest, "-f", Path.Combine(Helm.Chart, "ci", "namespaced-values.yaml"));
        Assert.Empty(chart.OfKind("ClusterRole").Concat(chart.OfKind("ClusterRoleBinding")));
        var namespaces = chart.OfKind("RoleBinding").Select(binding => Text(binding, "metadata", "namespace")).Order(StringComparer.Ordinal);
        Assert.Equal(["kv-system", "team-a", "team-b"], namespaces);
        Assert.Equal("team-a,team-b", Environment(chart, "KV_OPERATOR_WATCH_NAMESPACES"));
    }

    [Fact]
    public async Task NamespacedRights_WithoutNamespaces_AreForTheReleasesOwn()
    {
        var chart = await RenderAsync(Newest, "--set", "rbac.scope=namespaces", "--set", "rbac.aggregateClusterRoles=false");
        Assert.All(chart.OfKind("Role"), role => Assert.Equal("kv-system", Text(role, "metadata", "namespace")));
        Assert.Equal("kv-system", Environment(chart, "KV_OPERATOR_WATCH_NAMESPACES"));
    }

    [Fact]
    public async Task ClusterRights_ForNamedNamespaces_AreBoundThereOnly()
    {
        var chart = await RenderAsync(Newest, "--set", "watchNamespaces={data}");
        Assert.Empty(chart.OfKind("ClusterRoleBinding"));
        Assert.Contains(chart.OfKind("RoleBinding"), binding =>
            Text(binding, "metadata", "namespace") == "data" && Text(binding, "roleRef", "kind") == "ClusterRole");
    }

    [Fact]
    public async Task Pod_MeetsTheRestrictedProfile()
    {
        var chart = await RenderAsync(Newest);
        var pod = At(Assert.Single(chart.OfKind("Deployment")), "spec", "template", "spec")!;
        Assert.Equal("true", Text(pod, "securityContext", "runAsNonRoot"));
        Assert.Equal("RuntimeDefault", Text(pod, "securityContext", "seccompProfile", "type"));
        Assert.NotEqual("0", Text(pod, "securityContext", "runAsUser"));
        foreach (var container in ((YamlSequenceNode)At(pod, "containers")!).Children)
        {
            Assert.Equal("false", Text(container, "securityContext", "allowPrivilegeEscalation"));
            Assert.Equal("true", Text(container, "securityContext", "readOnlyRootFilesystem"));
            Assert.Equal(["ALL"], Texts(container, "securityContext", "capabilities", "drop"));
        }
        Assert.Null(Text(pod, "hostNetwork"));
    }

    [Fact]
    public async Task Images_FollowTheGlobalRegistry_AndDigestsWin()
    {
        var chart = await RenderAsync(Newest, "--set", "global.imageRegistry=mirror:5000", "--set", $"image.digest=sha256:{new string('a', 64)}");
        var container = At(Assert.Single(chart.OfKind("Deployment")), "spec", "template", "spec", "containers", "0")!;
        Assert.Equal($"mirror:5000/kv-operator@sha256:{new string('a', 64)}", Text(container, "image"));
        Assert.StartsWith("mirror:5000/kv-node:", Environment(chart, "KV_OPERATOR_NODE_IMAGE"), StringComparison.Ordinal);
    }

    /// <summary>The lines that install it, as they stand, but that Helm renders what it would install.</summary>
    [Fact]
    public async Task Readme_InstallsIt_WithImagesThatWereTakenIn_OrPushed()
    {
        var cancel = TestContext.Current.CancellationToken;
        var blocks = PrintedCommands.OfMarkdown(await File.ReadAllTextAsync(SourceTree.Path("README.md"), cancel), "The same on Kubernetes");
        var environment = new Dictionary<string, string>
        {
            ["PATH"] = $"{Path.GetDirectoryName(await Helm.PathAsync())}:{System.Environment.GetEnvironmentVariable("PATH")}",
            ["KUBECONFIG"] = "/nonexistent",
            ["REGISTRY"] = "mirror:5000/team",
        };
        foreach (var (block, registry) in new[] { (blocks[0], ""), (blocks[1], "mirror:5000/team/") })
        {
            var line = Assert.Single(block.Split('\n'), line => line.StartsWith("helm install ", StringComparison.Ordinal));
            var rendered = await PrintedCommands.RunAsync(line.Replace("helm install ", "helm template ", StringComparison.Ordinal), SourceTree.Root, environment, TimeSpan.FromMinutes(2), cancel);
            Assert.True(rendered.Succeeded, rendered.ToString());
            Assert.Contains($"image: {registry}kv-operator:", rendered.Output.Replace("\"", "", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.Contains($"value: {registry}kv-node:", rendered.Output.Replace("\"", "", StringComparison.Ordinal), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("replica=2", "replica")]
    [InlineData("replicas=0", "replicas")]
    [InlineData("replicas=two", "replicas")]
    [InlineData("image.name=kv", "name")]
    [InlineData("image.pullPolicy=Sometimes", "pullPolicy")]
    [InlineData("image.digest=latest", "digest")]
    [InlineData("rbac.scope=everything", "scope")]
    [InlineData("log.level=trace", "level")]
    [InlineData("watchNamespaces={Not_A_Name}", "watchNamespaces")]
    [InlineData("watchNamespaces=data", "watchNamespaces")]
    [InlineData("metrics.serviceMonitor.interval=often", "interval")]
    [InlineData("crds.create=maybe", "create")]
    [InlineData("serviceAccount.create=false", "serviceAccount.name is needed")]
    public async Task Value_OutsideTheSchema_IsRefusedByName(string value, string named)
    {
        var rendered = await Helm.RunAsync("template", "kv", Helm.Chart, "--set", value);
        Assert.False(rendered.Succeeded, rendered.ToString());
        Assert.Contains(named, rendered.Error, StringComparison.Ordinal);
    }

    private static string? Environment(RenderedChart chart, string name)
    {
        var variables = (YamlSequenceNode)At(Assert.Single(chart.OfKind("Deployment")), "spec", "template", "spec", "containers", "0", "env")!;
        return variables.Children.Where(variable => Text(variable, "name") == name).Select(variable => Text(variable, "value")).SingleOrDefault();
    }
}
