using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Kv.Operator.Clusters;
using Kv.Operator.Commands;
using Kv.Operator.Local;
using Kv.Operator.Manifests;
using Kv.Operator.Runtime;
using Kv.Operator.Tests.Clusters;
using Kv.Operator.Tests.Stubs;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Kv.Operator.Tests.Manifests;

/// <summary>The chart gives the operator the rights that it is seen to use, in all that it does on a Kubernetes in memory, and no others.</summary>
public sealed partial class RightsTests
{
    private const string Chart = "charts/kv-operator/templates/";

    /// <summary>Never called. An API server may ask them of whoever makes objects that hold up the end of their owner, and of whoever changes the owner of objects that are there.</summary>
    private static readonly string[] OfOwners =
    [
        "update clusters/finalizers of kv.dev", "delete configmaps of core", "delete poddisruptionbudgets of policy", "delete serviceaccounts of core", "delete services of core",
        "delete statefulsets of apps",
    ];

    [Fact]
    public async Task Rights_OfTheChart_AreWhatTheOperatorUses()
    {
        var used = new SortedSet<string>(OfOwners, StringComparer.Ordinal);
        used.UnionWith(await CrashAtEachCallTests.RightsAsync());
        used.UnionWith(await OfWhatIsRareAsync());
        used.UnionWith(await OfTheProcessAsync());
        var leases = used.Where(right => right.EndsWith("leases of coordination.k8s.io", StringComparison.Ordinal)).ToList();
        used.ExceptWith(leases);

        Assert.Equal(used, RightsOf(Between(Repository.PathOf(Chart + "_helpers.tpl"), "{{- define \"kv-operator.rules\" -}}", "{{- end }}")));
        Assert.Equal(leases, RightsOf(Between(Repository.PathOf(Chart + "rbac.yaml"), "# The lease by which", "roleRef:")));
    }

    /// <summary>A budget that somebody gave another form, and a pod that waits for a claim without our labels.</summary>
    private static async Task<IReadOnlyList<string>> OfWhatIsRareAsync()
    {
        var (kubernetes, cluster) = (new SimulatedKubernetes(), Build.Cluster());
        var recorded = new RecordedRights(kubernetes.Api);
        var world = new KubernetesWorld(recorded, NodeImage.Parse("kv-node", "1"));
        var cancel = TestContext.Current.CancellationToken;
        kubernetes.Api.Put(ResourceKind.Cluster, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "example", ["namespace"] = "default", ["uid"] = Build.Uid } });
        await world.ApplyChildrenAsync(cluster, await world.ObserveAsync(cluster, cancel), new Dictionary<string, int> { [""] = 3 }, cancel);
        kubernetes.Step(TimeSpan.FromSeconds(10));

        var budget = kubernetes.Read(ResourceKind.DisruptionBudget("v1"), "example")!;
        budget["spec"]!.AsObject().Remove("maxUnavailable");
        budget["spec"]!["minAvailable"] = 2;
        kubernetes.Api.Put(ResourceKind.DisruptionBudget("v1"), budget);
        var pod = kubernetes.Read(ResourceKind.Pod, "example-0")!;
        pod["status"] = new JsonObject { ["phase"] = "Pending" };
        kubernetes.Api.Put(ResourceKind.Pod, pod);
        var claim = kubernetes.Read(ResourceKind.VolumeClaim, "data-example-0")!;
        claim["metadata"]!.AsObject().Remove("labels");
        kubernetes.Api.Put(ResourceKind.VolumeClaim, claim);
        await world.SetBudgetAsync(cluster, await world.ObserveAsync(cluster, cancel), 1, cancel);
        return recorded.Rights;
    }

    /// <summary>Lists, watches and the lease: taken, renewed and given back.</summary>
    private static async Task<IReadOnlyList<string>> OfTheProcessAsync()
    {
        using var metrics = new OperatorMetrics();
        using var stop = new CancellationTokenSource();
        var api = new FakeKubernetes();
        var recorded = new RecordedRights(api);
        var options = new OperatorOptions { NodeImage = "kv-node", LeaseName = "lease", Namespace = "ns", Identity = "us" };
        var running = RunCommand.Compose(options, recorded, new SimulatedCluster(), metrics, NullLoggerFactory.Instance, "1").RunAsync(stop.Token);
        await Poll.UntilAsync(() => recorded.Rights.Count(right => right.StartsWith("watch ", StringComparison.Ordinal)) == 8);
        await stop.CancelAsync();
        Assert.Equal(0, await running);
        return recorded.Rights;
    }

    private static string Between(string file, string begin, string end)
    {
        var text = File.ReadAllText(file);
        var from = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        return text[from..text.IndexOf(end, from, StringComparison.Ordinal)];
    }

    /// <summary>Of the rules in a part of a template.</summary>
    private static IEnumerable<string> RightsOf(string template)
    {
        var lines = Action().Replace(template, "x").Split('\n').SkipWhile(line => !line.TrimStart().StartsWith("- apiGroups:", StringComparison.Ordinal)).TakeWhile(line => !line.StartsWith("---", StringComparison.Ordinal));
        var rules = Assert.Single(YamlReader.Read(string.Join('\n', lines))).AsArray();
        return rules
            .SelectMany(rule => Texts(rule!, "apiGroups").SelectMany(group => Texts(rule!, "resources").SelectMany(resource => Texts(rule!, "verbs").Select(verb => RecordedRights.Right(verb, resource, group)))))
            .Order(StringComparer.Ordinal)
            .Distinct();
    }

    private static IEnumerable<string> Texts(JsonNode rule, string field) => rule[field]!.AsArray().Select(text => text!.ToString());

    [GeneratedRegex("{{.*?}}")]
    private static partial Regex Action();
}
