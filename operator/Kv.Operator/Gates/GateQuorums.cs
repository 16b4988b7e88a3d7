using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kv.Operator.Gates;

/// <summary>What bucket types ask of a preference list, from their properties. Pure.</summary>
internal static class GateQuorums
{
    private const int DefaultNVal = 3;
    private static readonly string[] Names = ["r", "w", "pr", "pw", "dw"];

    /// <summary>For each n_val the type that asks for most; there may be hundreds of types, and the others say nothing more.</summary>
    public static ImmutableArray<GateQuorum> Of(IEnumerable<(string Name, string PropsJson)> types) =>
        [.. types.Select(type => Of(type.Name, type.PropsJson)).GroupBy(quorum => quorum.NVal).Select(group => group.MaxBy(quorum => quorum.Required)!)];

    private static GateQuorum Of(string name, string propsJson)
    {
        var props = Parse(propsJson);
        var n = props["n_val"] is JsonValue value && value.TryGetValue<int>(out var number) && number > 0 ? number : DefaultNVal;
        return new GateQuorum(name, n, Names.Max(one => Number(props[one], n)));
    }

    private static JsonObject Parse(string json)
    {
        try
        {
            return JsonNode.Parse(json) as JsonObject ?? [];
        }
        catch (JsonException)
        {
            // A newer node's way to say it: the defaults are what its quorums are unless it says otherwise.
            return [];
        }
    }

    /// <summary>A quorum at least, whatever is configured: a request may ask for one.</summary>
    private static int Number(JsonNode? value, int n)
    {
        var quorum = (n / 2) + 1;
        var asked = value is JsonValue one
            ? one.TryGetValue<int>(out var number) ? number : one.TryGetValue<string>(out var word) && word == "all" ? n : quorum
            : quorum;
        return Math.Clamp(asked, quorum, n);
    }
}
