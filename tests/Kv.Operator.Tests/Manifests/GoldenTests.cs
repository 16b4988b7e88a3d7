using Kv.Operator.Api.Clusters;
using Kv.Operator.Api.Schema;
using Kv.Operator.Clusters;
using Kv.Operator.Manifests;
using Kv.Operator.Tests.Stubs;
using Xunit;

namespace Kv.Operator.Tests.Manifests;

/// <summary>All objects of a cluster, as text to review. To accept a change: run once with KV_ACCEPT_GOLDEN=1, and look at the diff.</summary>
public sealed class GoldenTests
{
    private static readonly NodeImage Image = NodeImage.Parse("registry.example/kv-node:0.1.0", "latest");

    [Fact]
    public void Objects_OfAPlainCluster() => Check("plain", Build.Cluster(5), []);

    [Fact]
    public void Objects_OfAClusterWithEverything() => Check(
        "everything",
        Build.Cluster(4, spec =>
        {
            spec.Zones = [new ClusterZone { Name = "a", TopologyZone = "eu-1a" }, new ClusterZone { Name = "b", NodeSelector = new() { ["disk"] = "fast" } }];
            spec.Version = "0.2.0";
            spec.Storage = new ClusterStorage { Size = "100Gi", StorageClass = "fast" };
            spec.Resources = new ClusterResources { Limits = new() { ["memory"] = "4Gi", ["cpu"] = 2 }, Requests = new() { ["cpu"] = "500m" } };
            spec.Config = new() { ["handoff-concurrency"] = "4" };
            spec.Service = new ClusterService { Type = "LoadBalancer", Annotations = new() { ["example.com/internal"] = "true" } };
            spec.PodTemplate = System.Text.Json.Nodes.JsonNode.Parse("""
                {"metadata":{"labels":{"team":"data"}},"spec":{"priorityClassName":"high","containers":[{"name":"node","env":[{"name":"TZ","value":"UTC"}]},{"name":"sidecar","image":"s"}]}}
                """)!.AsObject();
        }),
        []);

    [Fact]
    public void Objects_OfAClusterThatIsThere_KeepItsImageAndVolumes()
    {
        var existing = new ObservedWorkload("", "example", 3) { Image = "registry.example/kv-node:0.0.9", StorageSize = "5Gi", StorageClass = "old" };
        var set = StatefulSets.Build(Build.Cluster(), "", 3, existing, new HashSet<string>(), Image);
        Assert.Equal("registry.example/kv-node:0.0.9", set["spec"]!["template"]!["spec"]!["containers"]![0]!["image"]!.ToString());
        Assert.Equal("old", set["spec"]!["volumeClaimTemplates"]![0]!["spec"]!["storageClassName"]!.ToString());
        Assert.Equal("5Gi", set["spec"]!["volumeClaimTemplates"]![0]!["spec"]!["resources"]!["requests"]!["storage"]!.ToString());
    }

    /// <summary>The API server keeps no variable's empty value, and what is not kept is applied for ever.</summary>
    [Fact]
    public void Objects_OfAZoneWithoutNodes_HaveNoValueThatIsEmpty()
    {
        var set = StatefulSets.Build(Build.Cluster(), "c", 0, null, new HashSet<string>(), Image);
        var variables = set["spec"]!["template"]!["spec"]!["containers"]![0]!["env"]!.AsArray();
        Assert.DoesNotContain(variables, variable => variable!["value"]?.ToString() == "");
        Assert.Contains(variables, variable => variable!["name"]!.ToString() == "KV_ZONE");
    }

    [Theory]
    [InlineData("r.example:5000/kv-node", "r.example:5000/kv-node:0.1.0")]
    [InlineData("kv-node:7", "kv-node:7")]
    [InlineData("kv-node@sha256:abc", "kv-node@sha256:abc")]
    [InlineData("kv-node:7@sha256:abc", "kv-node:7@sha256:abc")]
    public void Image_OfTheOperator_IsReadWithPortsAndDigests(string given, string expected) => Assert.Equal(expected, NodeImage.Parse(given, "0.1.0").For(new ClusterSpec(), null));

    /// <summary>A digest names one image alone: another version's is found without it.</summary>
    [Theory]
    [InlineData("r.example:5000/kv-node", "r.example:5000/kv-node:0.2.0")]
    [InlineData("r.example:5000/kv-node:7", "r.example:5000/kv-node:0.2.0")]
    [InlineData("r.example:5000/kv-node@sha256:abc", "r.example:5000/kv-node:0.2.0")]
    [InlineData("kv-node:7@sha256:abc", "kv-node:0.2.0")]
    public void Image_OfAVersion_IsOfTheOperatorsRepository(string given, string expected) =>
        Assert.Equal(expected, NodeImage.Parse(given, "0.1.0").For(new ClusterSpec { Version = "0.2.0" }, "kv-node:0.0.9"));

    private static void Check(string name, Cluster cluster, ObservedWorkload[] existing)
    {
        var objects = ClusterManifests.Build(cluster, ZoneShares.Of(cluster.Spec, existing), existing, new HashSet<string>(), Image, "policy/v1", disruptions: 1);
        var text = string.Join("---\n", objects.Select(YamlWriter.Write));
        var path = Repository.PathOf($"tests/Kv.Operator.Tests/Manifests/Golden/{name}.yaml");
        if (Environment.GetEnvironmentVariable("KV_ACCEPT_GOLDEN") == "1")
        {
            File.WriteAllText(path, text);
        }

        Assert.Equal(File.ReadAllText(path), text);
    }
}
