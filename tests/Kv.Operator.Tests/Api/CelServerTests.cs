using System.Text.Json.Nodes;
using Kv.Operator.Local;
using Kv.Operator.Tests.Stubs;
using Xunit;

namespace Kv.Operator.Tests.Api;

/// <summary>Rules inside lists and maps, which the CRDs have none of so far: what an API server would do with them.</summary>
public sealed class CelServerTests
{
    private const string Zones = """
        properties:
          zones:
            x-kubernetes-list-type: map
            x-kubernetes-list-map-keys: [name]
            items:
              x-kubernetes-validations:
              - {rule: self.weight > 0, message: no weight}
              - {rule: self.weight >= oldSelf.weight, message: lighter}
        """;

    private const string Limits = """
        properties:
          limits:
            additionalProperties:
              x-kubernetes-validations:
              - {rule: self <= 9, message: too much}
              - {rule: self >= oldSelf, message: less}
        """;

    [Theory]
    [InlineData(Zones, "{}", "{zones: [{name: a, weight: 0}, {name: b, weight: 1}, {name: c, weight: -1}]}", "no weight, no weight")]
    [InlineData(Zones, "{zones: [{name: a, weight: 2}, {name: b, weight: 5}]}", "{zones: [{name: b, weight: 5}, {name: a, weight: 2}, {name: c, weight: 1}]}", "")]
    [InlineData(Zones, "{zones: [{name: a, weight: 2}, {name: b, weight: 5}]}", "{zones: [{name: b, weight: 4}, {name: a, weight: 2}]}", "lighter")]
    [InlineData(Limits, "{limits: {cpu: 3}}", "{limits: {cpu: 3, memory: 9}}", "")]
    [InlineData(Limits, "{limits: {cpu: 3, memory: 4}}", "{limits: {memory: 10, cpu: 2}}", "less, too much")]
    public void Rule_OfAPart_IsRunForEach_AndForTheSameOneBefore(string schema, string before, string after, string refused) =>
        Assert.Equal(refused, string.Join(", ", new CelServer(Yaml(schema)).Refuse(Yaml(after), Yaml(before))));

    [Fact]
    public void Rule_OfAnItemWithoutKeys_CannotAskForTheOneBefore()
    {
        var schema = Yaml("items: {x-kubernetes-validations: [{rule: self == oldSelf, message: changed}]}");
        Assert.Contains("`self == oldSelf`", Assert.Throws<InvalidOperationException>(() => new CelServer(schema)).Message, StringComparison.Ordinal);
    }

    private static JsonNode Yaml(string text) => YamlReader.Read(text).Single();
}
