using Kv.Operator.Local;
using Xunit;

namespace Kv.Operator.Tests.Local;

/// <summary>What is wrong with a manifest is told with its file and field, and nothing of a directory with a problem counts.</summary>
public sealed class BadManifestTests
{
    private const string Head = "apiVersion: kv.dev/v1alpha1\nkind: ";

    /// <summary>A document, and what its problem must say.</summary>
    public static TheoryData<string, string> Cases => new()
    {
        { "just text", "a manifest is an object" },
        { "- a list", "a manifest is an object" },
        { "a: [", "line 2" },
        { "a: 1\na: 2", "line" },
        { "apiVersion: v1\nkind: Pod", "apiVersion: must be kv.dev/v1alpha1, not v1" },
        { "kind: Cluster", "apiVersion: must be kv.dev/v1alpha1, not absent" },
        { Head + "Table\nmetadata: {name: a}\nspec: {}", "kind: must be Cluster or BucketType, not Table" },
        { Head + "Cluster\nspec: {}", "metadata: must be an object" },
        { Head + "Cluster\nmetadata: {name: A_b}\nspec: {}", "metadata.name: must be small letters" },
        { Head + "Cluster\nmetadata: {name: a, colour: red}\nspec: {}", "metadata.colour" },
        { Head + "Cluster\nmetadata: {name: a}", "spec: must be given" },
        { Head + "Cluster\nmetadata: {name: a}\nspec: {}\nextra: 1", "extra: there is no such field" },
        { Cluster("nodez: 3"), "spec.nodez: there is no such field; did you mean nodes?" },
        { Cluster("nodes: three"), "spec.nodes: must be a whole number, not a string (\"three\")" },
        { Cluster("nodes: 2.5"), "spec.nodes: must be a whole number" },
        { Cluster("nodes: 0"), "spec.nodes: must be 1 to 200, not 0" },
        { Cluster("nodes: 201"), "spec.nodes: must be 1 to 200, not 201" },
        { Cluster("nodes: [3]"), "spec.nodes: must be a whole number, not a list" },
        { Cluster("ringSize: 100"), "spec.ringSize: must be one of 8, 16, 32" },
        { Cluster("storage: 10Gi"), "spec.storage: must be an object, not a string" },
        { Cluster("storage: {size: much}"), "spec.storage.size: must match" },
        { Cluster("storage: {retention: {whenDeleted: Maybe}}"), "spec.storage.retention.whenDeleted: must be one of Retain, Delete" },
        { Cluster("zones: []"), "spec.zones: has 0 items; at least 1" },
        { Cluster("zones: [{}]"), "spec.zones[0].name: must be given" },
        { Cluster("zones: [{name: a}, {name: a}]"), "spec.zones[1]: \"a\" is there twice" },
        { Cluster("zones: [{name: a}, {name: b}]\n  nodes: 1"), "spec.nodes: there must be at least a node for each zone" },
        { Cluster("zones: [{name: averyveryverylongname}]"), "spec.zones[0].name: must have 1 to 16 characters" },
        { Cluster("service: {type: Tunnel}"), "spec.service.type: must be one of ClusterIP" },
        { Cluster("paused: often"), "spec.paused: must be true or false" },
        { Cluster("config: {name: x}"), "spec.config.name: is set by the operator" },
        { Cluster("config: {dynamodb-port: \"8000\"}"), "spec.config.dynamodb-port: there is no such setting" },
        { Cluster("config: {handof-concurrency: \"4\"}"), "spec.config.handof-concurrency: there is no such setting; did you mean handoff-concurrency?" },
        { Cluster("config: {Bad_Name: x}"), "spec.config.Bad_Name: must be the name of a node's setting" },
        { Cluster("config: {handoff-concurrency: 4}"), "spec.config.handoff-concurrency: must be a string, not a number" },
        { Cluster("resources: {limits: {memory: lots}}"), "spec.resources.limits.memory: must match" },
        { Cluster("podTemplate: {metadata: {labels: {kv.dev/cluster: x}}}"), "belongs to the operator" },
        { Cluster("podTemplate: {specs: {}}"), "spec.podTemplate.specs" },
        { Cluster("nodes: 3", name: "averyveryverylongnameindeedforacluster"), "metadata.name: the name of a Cluster is at most 32 characters" },
        { Cluster("nodes: 3", name: "3c"), "metadata.name: must begin with a letter" },
        { Type(""), "spec.clusterRef: must be given" },
        { Type("clusterRef: {name: nowhere}"), "spec.clusterRef.name: there is no Cluster nowhere" },
        { Type("clusterRef: {name: c}\n  nVal: 0"), "spec.nVal: must be 1 to 32, not 0" },
        { Type("clusterRef: {name: c}\n  r: most"), "spec.r: must match" },
        { Type("clusterRef: {name: c}\n  r: 0"), "spec.r: must be 1 to 32, not 0" },
        { Type("clusterRef: {name: c}\n  r: 4"), "spec.r: r is at most nVal" },
        { Type("clusterRef: {name: c}\n  pw: 4"), "spec.pw: pw is at most nVal" },
        { Type("clusterRef: {name: c}\n  lastWriteWins: true"), "spec.lastWriteWins: allowMult and lastWriteWins exclude each other" },
        { Type("clusterRef: {name: c}\n  lastWriteWins: true\n  allowMult: false"), "spec.lastWriteWins: lastWriteWins needs dvvEnabled: false" },
        { Type("clusterRef: {name: c}\n  datatype: tree"), "spec.datatype: must be one of counter" },
        { Type("clusterRef: {name: c}\n  datatype: set\n  allowMult: false"), "spec.allowMult: a type with a datatype needs allowMult: true" },
        { Type("clusterRef: {name: c}\n  hllPrecision: 12"), "spec.hllPrecision: hllPrecision needs datatype: hll" },
        { Type("clusterRef: {name: c}\n  writeOnce: true\n  consistent: true"), "spec.writeOnce: writeOnce and consistent exclude each other" },
        { Type("clusterRef: {name: c}\n  backend: bitcask"), "spec.backend: the backend is one of faster, ordered, memory" },
        { Type("clusterRef: {name: c}\n  durability: maybe"), "spec.durability: must be one of synced, interval, memory" },
        { Type("clusterRef: {name: c}\n  deleteMode: never"), "spec.deleteMode: must match" },
        { Type("clusterRef: {name: c}\n  smallVClock: 60\n  bigVClock: 50"), "spec.smallVClock: smallVClock is at most bigVClock" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Manifest_ThatIsWrong_IsToldWithFileAndField(string text, string expected)
    {
        var read = ManifestReader.Read([("bad.yaml", text)], [], null);
        Assert.Contains(read.Problems, problem => problem.StartsWith("bad.yaml: ", StringComparison.Ordinal) && problem.Contains(expected, StringComparison.Ordinal));
    }

    /// <summary>A change of what is fixed, and what its problem must say.</summary>
    public static TheoryData<string, string, string> Changes => new()
    {
        { Cluster("ringSize: 64"), Cluster("ringSize: 128"), "spec.ringSize: the ring size is fixed" },
        { Cluster("storage: {size: 10Gi}"), Cluster("storage: {size: 20Gi}"), "spec.storage.size: the size of the volumes is fixed" },
        { Cluster("storage: {storageClass: a}"), Cluster("storage: {}"), "spec.storage.storageClass: the storage class is fixed" },
        { Cluster("zones: [{name: a}]"), Cluster("nodes: 3"), "spec.zones: zones are given when the cluster is made" },
        { Cluster("zones: [{name: a}, {name: b}]"), Cluster("zones: [{name: a}]"), "spec.zones: a zone cannot be taken from a cluster" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Change_OfWhatIsFixed_IsRefused(string before, string after, string expected)
    {
        var old = ManifestReader.Read([("c.yaml", before)], [], null);
        Assert.Empty(old.Problems);
        Assert.Contains(ManifestReader.Read([("c.yaml", after)], [], old).Problems, problem => problem.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Name_ThatIsThereTwice_IsRefused()
    {
        var read = ManifestReader.Read([("a.yaml", Cluster("nodes: 3")), ("b.yaml", Cluster("nodes: 4"))], [], null);
        Assert.Contains("already, in a.yaml", Assert.Single(read.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Types_ThatAskForOneTypeOfACluster_AreRefused()
    {
        static string Type(string name) => $"---\n{Head}BucketType\nmetadata: {{name: {name}}}\nspec: {{clusterRef: {{name: c}}, name: shared}}\n";
        var read = ManifestReader.Read([("a.yaml", Cluster("nodes: 3") + Type("t")), ("b.yaml", Type("u"))], [], null);
        Assert.Equal("b.yaml: BucketType u: spec.name: BucketType t is the type shared of c already", Assert.Single(read.Problems));
    }

    /// <summary>Local mode keeps what it knows of a cluster and its nodes by their names alone.</summary>
    [Fact]
    public void Cluster_OfANameThatAnotherNamespaceHas_IsRefused()
    {
        var read = ManifestReader.Read([("a.yaml", Cluster("nodes: 3")), ("b.yaml", Cluster("nodes: 3").Replace("name: c", "name: c, namespace: other", StringComparison.Ordinal))], [], null);
        Assert.Equal("b.yaml: Cluster c: metadata.namespace: local mode knows no namespaces, and there is a Cluster of that name already, in a.yaml", Assert.Single(read.Problems));
    }

    /// <summary>Zone b of cluster a, and a cluster a-b: both would have a node a-b-0, and its data.</summary>
    [Theory]
    [InlineData("c-b", "zones: [{name: a}, {name: b}]", "nodes: 3", false)]
    [InlineData("c-b", "nodes: 3", "nodes: 3", true)]
    [InlineData("c-x", "zones: [{name: a}, {name: b}]", "zones: [{name: y}]", true)]
    [InlineData("c-b", "zones: [{name: b-z}]", "zones: [{name: z}]", false)]
    public void Clusters_WhoseNodesWouldBeCalledTheSame_AreRefused(string other, string spec, string otherSpec, bool isRight)
    {
        var read = ManifestReader.Read([("a.yaml", Cluster(spec)), ("b.yaml", Cluster(otherSpec, other))], [], null);
        Assert.Equal(isRight ? [] : [$"b.yaml: Cluster {other}: metadata.name: its nodes would be called as those of c in a.yaml"], read.Problems);
    }

    [Fact]
    public void Examples_AreRight()
    {
        var read = ManifestReader.Read(ManifestReader.Look(Stubs.Repository.PathOf("crds/examples")), null);
        Assert.Empty(read.Problems);
        Assert.Equal(5, Assert.Single(read.Clusters).Spec.Nodes);
        Assert.Equal(2, read.BucketTypes.Length);
    }

    private static string Cluster(string spec, string name = "c") => $"{Head}Cluster\nmetadata: {{name: {name}}}\nspec:\n  {spec}\n";

    private static string Type(string spec) => $"{Cluster("nodes: 3")}---\n{Head}BucketType\nmetadata: {{name: t}}\nspec:\n  {(spec.Length == 0 ? "nVal: 3" : spec)}\n";
}
