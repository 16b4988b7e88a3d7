using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Kv.Operator.Api;
using Kv.Operator.Api.Attributes;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Api.Schema;
using Kv.Operator.Local;
using Kv.Operator.Tests.Stubs;
using Xunit;

namespace Kv.Operator.Tests.Api;

public sealed class CrdTests
{
    public static TheoryData<string> Files => new(CrdWriter.WriteAll().Keys);

    [Theory]
    [MemberData(nameof(Files))]
    public void Crd_CheckedIn_IsWhatTheTypesSay(string file) =>
        Assert.True(File.ReadAllText(Repository.PathOf($"crds/{file}")) == CrdWriter.WriteAll()[file], $"crds/{file} is stale: make crds");

    [Theory]
    [MemberData(nameof(Files))]
    public void Crd_AsYaml_ReadsBackAsTheSame(string file)
    {
        var kind = CrdWriter.Kinds.Single(one => file == one.Name.ToLowerInvariant() + ".yaml");
        var read = Assert.Single(YamlReader.Read(CrdWriter.Write(kind)));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(read.ToJsonString()), JsonNode.Parse(CrdWriter.ToCrd(kind).ToJsonString())));
    }

    [Theory]
    [InlineData(typeof(Cluster), "Ready Desired Nodes Version Operation Phase Ring Age Status", "Members Transfers Percent UnderReplicated Blocked Degraded Message")]
    [InlineData(typeof(BucketType), "Cluster Active N Siblings Age Status", "State Accepted")]
    public void Columns_SayWhatIsGoingOn_AndMoreWhenAsked(Type kind, string narrow, string wide)
    {
        var columns = CrdWriter.ToCrd(kind)["spec"]!["versions"]![0]!["additionalPrinterColumns"]!.AsArray();
        string Names(bool isWide) => string.Join(' ', columns.Where(column => column!["priority"] is not null == isWide).Select(column => column!["name"]));
        Assert.Equal((narrow, wide), (Names(false), Names(true)));
    }

    /// <summary>A column that no status has is an empty one, and nobody would notice.</summary>
    [Theory]
    [InlineData(typeof(Cluster))]
    [InlineData(typeof(BucketType))]
    public void Columns_ShowWhatIsThere(Type kind)
    {
        var version = CrdWriter.ToCrd(kind)["spec"]!["versions"]![0]!;
        foreach (var path in version["additionalPrinterColumns"]!.AsArray().Select(column => column!["jsonPath"]!.ToString()).Where(path => !path.StartsWith(".metadata.", StringComparison.Ordinal)))
        {
            var node = version["schema"]!["openAPIV3Schema"];
            foreach (var name in path[1..].Split("[?")[0].Split('.'))
            {
                node = node!["properties"]?[name];
                Assert.True(node is not null, $"{path}: no {name}");
            }

            Assert.True(path.Split('"') is not [_, var type, _] || Conditions.OfCluster.Concat(Conditions.OfBucketType).Contains(type), path);
        }
    }

    [Fact]
    public void Rule_OverAnUnboundedString_IsRefused()
    {
        var problem = Assert.Throws<InvalidOperationException>(() => CrdWriter.ToJson(SchemaBuilder.Build(typeof(Unbounded))));
        Assert.Contains(".text has no upper bound", problem.Message, StringComparison.Ordinal);
    }

    /// <summary>A rule of a whole object may look at its status too.</summary>
    [Fact]
    public void Rule_OfAKind_OverAnUnboundedString_IsRefused() =>
        Assert.Contains(".status.text has no upper bound", Assert.Throws<InvalidOperationException>(() => CrdWriter.ToCrd(typeof(UnboundedKind))).Message, StringComparison.Ordinal);

    [Fact]
    public void Class_ThatContainsItself_IsRefused() =>
        Assert.Contains("contains itself", Assert.Throws<InvalidOperationException>(() => SchemaBuilder.Build(typeof(Endless))).Message, StringComparison.Ordinal);

    [Fact]
    public void Defaults_OfTheSchema_AreThoseOfTheTypes()
    {
        var json = JsonNode.Parse("{\"clusterRef\":{\"name\":\"c\"}}")!;
        SchemaValidator.ApplyDefaults(CrdWriter.SpecSchema(typeof(BucketType)), json);
        var expected = new BucketTypeSpec { ClusterRef = new ClusterReference { Name = "c" } };
        var filled = json.Deserialize<BucketTypeSpec>(KvJson.Options);
        Assert.Equal(JsonSerializer.Serialize(expected, KvJson.Options), JsonSerializer.Serialize(filled, KvJson.Options));

        var cluster = JsonNode.Parse("{}")!;
        SchemaValidator.ApplyDefaults(CrdWriter.SpecSchema(typeof(Cluster)), cluster);
        Assert.Equal(JsonSerializer.Serialize(new ClusterSpec(), KvJson.Options), JsonSerializer.Serialize(cluster.Deserialize<ClusterSpec>(KvJson.Options), KvJson.Options));
    }

    [Fact]
    public void Backends_OfANewType_AreThoseThatNodesKnow_AndAnOlderTypeMayHaveAnother()
    {
        var backends = Kv.Core.Buckets.BucketProps.Backends;
        Assert.Contains($"self.spec.backend in [{string.Join(", ", backends.Select(one => $"'{one}'"))}]", CrdWriter.Write(typeof(BucketType)), StringComparison.Ordinal);
        var type = Build.BucketType(spec => spec.Backend = null);
        foreach (var backend in backends.Append(null))
        {
            type.Spec.Backend = backend;
            Assert.Empty(RuleChecker.CheckEntity(type, null));
        }

        type.Spec.Backend = "bitcask";
        Assert.Equal(["spec.backend"], RuleChecker.CheckEntity(type, null).Select(problem => problem.Field));
        type.Status.ObservedGeneration = 1;
        Assert.Empty(RuleChecker.CheckEntity(type, type));
        var spec = JsonSerializer.SerializeToNode(type.Spec, KvJson.Options)!;
        Assert.Empty(SchemaValidator.Validate(CrdWriter.SpecSchema(typeof(BucketType)), spec, "spec"));
    }

    [Fact]
    public void EveryCondition_IsInTheClosedList()
    {
        var cluster = Build.Cluster();
        var observed = Build.Observed(3, 3).With(0, node => node with { Answer = node.Answer! with { Certificate = new(Build.Now.AddDays(-1), Build.Now.AddDays(60)) } });
        var status = Operator.Clusters.ClusterStatusBuilder.Build(cluster, observed, new Operator.Clusters.ClusterAction.Steady(), null, Build.Now);
        Assert.Equal(Conditions.OfCluster.Order(), status.Conditions!.Select(condition => condition.Type).Order());
        var type = Operator.BucketTypes.BucketTypeStatusBuilder.Build(Build.BucketType(), null, null, null, null, Build.Now);
        Assert.Equal(Conditions.OfBucketType.Order(), type.Conditions!.Select(condition => condition.Type).Order());
    }

    [ValidationRule("self.text != ''", nameof(Holds), "must not be empty")]
    internal sealed class Unbounded
    {
        public string? Text { get; set; }

        public static bool Holds(Unbounded self) => self.Text != "";
    }

    [KubernetesEntity(Group = "kv.dev", ApiVersion = "v1", Kind = "UnboundedKind", PluralName = "unboundedkinds")]
    [ValidationRule("self.status.text != ''", nameof(Holds), "must not be empty")]
    internal sealed class UnboundedKind
    {
        public Bounded Spec { get; set; } = new();

        public Loose Status { get; set; } = new();

        public static bool Holds(UnboundedKind self) => self.Status.Text != "";
    }

    internal sealed class Bounded
    {
        [Length(0, 9)]
        public string? Text { get; set; }
    }

    internal sealed class Loose
    {
        public string? Text { get; set; }
    }

    internal sealed class Endless
    {
        public Endless? Inner { get; set; }
    }
}
