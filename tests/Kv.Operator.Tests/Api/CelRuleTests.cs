using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Kv.Operator.Api;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Api.Entities;
using Kv.Operator.Api.Schema;
using Kv.Operator.Tests.Stubs;
using Xunit;

namespace Kv.Operator.Tests.Api;

/// <summary>Every CEL rule of the CRDs, run by a CEL: what it takes, what it refuses, and that its twin in C# says the same.</summary>
public sealed class CelRuleTests
{
    private static readonly Dictionary<string, CelServer> Servers = CrdWriter.WriteAll().Keys.ToDictionary(file => file, file => new CelServer(file), StringComparer.Ordinal);

    public static TheoryData<string> Files => new(Servers.Keys);

    [Theory]
    [MemberData(nameof(RuleTable.Rows), MemberType = typeof(RuleTable))]
    public void Rule_TakesOneAndRefusesTheOther_AsCelAndAsItsTwin(string file, string message, string? before, string taken, string refused)
    {
        var old = before is null ? null : RuleTable.Object(file, before);
        foreach (var (text, expected) in new[] { (taken, Array.Empty<string>()), (refused, [message]) })
        {
            var self = RuleTable.Object(file, text);
            Assert.Equal(expected, Servers[file].Refuse(self, old));
            Assert.Equal(expected, RefuseAsTwin(file, self, old));
            Assert.Empty(SchemaValidator.Validate(CrdWriter.SpecSchema(RuleTable.KindOf(file)), self["spec"], "spec"));
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Rule_WithoutARow_IsMissed(string file)
    {
        var messages = Servers[file].Rules.Select(rule => rule.Message).ToList();
        Assert.Equal(messages.Count, messages.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(messages.Order(StringComparer.Ordinal), RuleTable.Rows.Select(row => row.Data).Where(row => row.Item1 == file).Select(row => row.Item2).Distinct().Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Rule_NamesFieldsOfTheSchemaOnly(string file) => Assert.Empty(Servers[file].Rules.SelectMany(rule => rule.UnknownFields()));

    [Fact]
    public void AnyBucketType_IsRefusedByCelForWhatItsTwinsSay() => CheckTwins("buckettype.yaml", BucketTypeSpecs);

    [Fact]
    public void AnyCluster_IsRefusedByCelForWhatItsTwinsSay() => CheckTwins("cluster.yaml", ClusterSpecs);

    private static Gen<string> BucketTypeSpecs =>
        from flags in OneOf("", "allowMult: false", "lastWriteWins: true", "writeOnce: true, consistent: true", "allowMult: false, lastWriteWins: true, dvvEnabled: false")
        from kind in OneOf("", "datatype: set", "datatype: hll", "datatype: hll, hllPrecision: 9", "hllPrecision: 12", "name: other", "backend: ordered")
        from quorum in OneOf("r", "w", "pr", "pw", "dw", "rw", "nodeConfirms")
        from value in OneOf("1", "2", "3", "4", "one", "quorum", "all")
        from n in Gen.Int[1, 4]
        from clocks in OneOf("", "youngVClockSeconds: 5", "youngVClockSeconds: 5, oldVClockSeconds: 4", "smallVClock: 5, bigVClock: 4", "bigVClock: 4")
        from status in OneOf("", "status: {state: Active}", "status: {observedGeneration: 2}")
        select Flow($"spec: {{{Flow(flags, kind, $"{quorum}: {value}", $"nVal: {n}", clocks)}}}", status);

    private static Gen<string> ClusterSpecs =>
        from nodes in Gen.Int[1, 4]
        from zones in OneOf("", "zones: [{name: a}]", "zones: [{name: a}, {name: b}]", "zones: [{name: b}, {name: c}, {name: d}]")
        from ring in OneOf(64, 128)
        from storage in OneOf("", "storage: {size: 1Gi}", "storage: {storageClass: fast}", "storage: {size: 1Gi, storageClass: slow}")
        select $"spec: {{{Flow($"nodes: {nodes}", zones, $"ringSize: {ring}", storage)}}}";

    private static void CheckTwins(string file, Gen<string> objects) => Gen.Select(objects, objects, Gen.Bool).Sample(
        (self, old, isNew) =>
        {
            var after = RuleTable.Object(file, $"{{{self}}}");
            var before = isNew ? null : RuleTable.Object(file, $"{{{old}}}");
            Assert.Equal(RefuseAsTwin(file, after, before), Servers[file].Refuse(after, before));
        },
        iter: 500);

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static string Flow(params string[] parts) => string.Join(", ", parts.Where(part => part.Length > 0));

    private static IReadOnlyList<string> RefuseAsTwin(string file, JsonNode self, JsonNode? old) =>
        [.. (file == "cluster.yaml" ? Refuse<Cluster, ClusterSpec, ClusterStatus>(self, old) : Refuse<BucketType, BucketTypeSpec, BucketTypeStatus>(self, old)).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Refuse<TEntity, TSpec, TStatus>(JsonNode self, JsonNode? old)
        where TEntity : CustomKubernetesEntity<TSpec, TStatus>
        where TSpec : new()
        where TStatus : new() =>
        RuleChecker.CheckEntity(self.Deserialize<TEntity>(KvJson.Options)!, old?.Deserialize<TEntity>(KvJson.Options)).Select(problem => problem.Text);
}
