using System.Text.Json.Nodes;
using Kv.Operator.Runtime;
using Xunit;

namespace Kv.Operator.Tests.Runtime;

public sealed class ServerSideApplyTests
{
    private const string Intent = """{"spec":{"replicas":3,"storage":"0.5Gi","ports":[{"name":"a","port":1}],"empty":{}}}""";
    private const string Fields = """{"f:spec":{"f:replicas":{},"f:storage":{},"f:ports":{".":{},"k:{\"name\":\"a\"}":{".":{},"f:name":{},"f:port":{}}},"f:empty":{}}}""";

    [Fact]
    public void IsCurrent_WithDefaultsAndOthersFields_IsTrue() =>
        Assert.True(Is("""{"spec":{"replicas":3,"storage":"512Mi","ports":[{"name":"a","port":1,"protocol":"TCP"},{"name":"sidecar","port":2}],"type":"x"}}""", Fields));

    [Fact]
    public void IsCurrent_WithAnotherValue_IsFalse() => Assert.False(Is("""{"spec":{"replicas":2,"storage":"512Mi","ports":[{"name":"a","port":1}]}}""", Fields));

    [Fact]
    public void IsCurrent_WithAnItemGone_IsFalse() => Assert.False(Is("""{"spec":{"replicas":3,"storage":"512Mi","ports":[]}}""", Fields));

    [Fact]
    public void IsCurrent_WithAFieldOfOursThatIsNotWantedAnyMore_IsFalse() =>
        Assert.False(Is("""{"spec":{"replicas":3,"storage":"512Mi","ports":[{"name":"a","port":1}],"old":1}}""", Fields.Replace("\"f:replicas\"", "\"f:old\":{},\"f:replicas\"", StringComparison.Ordinal)));

    [Fact]
    public void IsCurrent_WithoutOurEntry_IsFalse() => Assert.False(ServerSideApply.IsCurrent(JsonNode.Parse(Intent)!.AsObject(), JsonNode.Parse(Intent)!.AsObject()));

    /// <summary>Of optional fields the server keeps no value that says nothing, and remembers that it is ours.</summary>
    [Theory]
    [InlineData("\"\"")]
    [InlineData("false")]
    [InlineData("0")]
    public void IsCurrent_WithAValueThatSaysNothing_AsLongAsTheFieldIsOurs(string nothing)
    {
        var intent = $$"""{"env":[{"name":"a","value":{{nothing}}}]}""";
        const string Ours = """{"f:env":{"k:{\"name\":\"a\"}":{".":{},"f:name":{},"f:value":{}}}}""";
        const string NotOurs = """{"f:env":{"k:{\"name\":\"a\"}":{".":{},"f:name":{}}}}""";
        Assert.True(Is("""{"env":[{"name":"a"}]}""", Ours, intent));
        Assert.False(Is("""{"env":[{"name":"a"}]}""", NotOurs, intent));
        Assert.False(Is("""{"env":[{"name":"a","value":"b"}]}""", Ours, intent));
        Assert.False(Is("""{"env":[{"name":"a"}]}""", Ours, intent.Replace(nothing, "1", StringComparison.Ordinal)));
    }

    private static bool Is(string live, string fields, string intent = Intent)
    {
        var json = JsonNode.Parse(live)!.AsObject();
        json["metadata"] = new JsonObject
        {
            ["managedFields"] = new JsonArray(new JsonObject { ["manager"] = ServerSideApply.FieldManager, ["operation"] = "Apply", ["fieldsV1"] = JsonNode.Parse(fields) }),
        };
        return ServerSideApply.IsCurrent(json, JsonNode.Parse(intent)!.AsObject());
    }
}
