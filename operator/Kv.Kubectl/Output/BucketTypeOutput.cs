using System.Text.Json;
using System.Text.Json.Nodes;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Output;

/// <summary>Bucket types, as table and as JSON. Properties have Riak's names.</summary>
internal static class BucketTypeOutput
{
    public static JsonObject ToJson(BucketType type) => new()
    {
        ["name"] = type.Name,
        ["state"] = Words.Of(type.State),
        ["missingOn"] = new JsonArray([.. type.MissingOn.Select(name => (JsonNode)name)]),
        ["props"] = Props(type),
    };

    public static void PrintList(TablePrinter printer, IEnumerable<BucketType> types) => printer.Print(
        ["name", "state", "#n_val", "allow_mult", "last_write_wins", "missing on"],
        types.Select(type => (type, props: Props(type))).Select(row => new[]
        {
            row.type.Name,
            Words.Of(row.type.State),
            TextOf(row.props["n_val"]),
            TextOf(row.props["allow_mult"]),
            TextOf(row.props["last_write_wins"]),
            string.Join(", ", row.type.MissingOn),
        }));

    /// <summary>A line: the state, what is waited for, and what comes next.</summary>
    public static void PrintState(TablePrinter printer, BucketType type)
    {
        var missing = type.MissingOn.Count > 0 ? $", not yet on {string.Join(", ", type.MissingOn)}" : "";
        var next = type.State == BucketType.Types.State.Active ? "" : $"; clients can use it after: kv bucket-type activate {type.Name}";
        printer.Line($"{type.Name} is {Words.Of(type.State)}{missing}{next}");
    }

    public static void PrintProps(TablePrinter printer, BucketType type)
    {
        printer.Line();
        printer.Print(["property", "value"], Props(type).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => new[] { pair.Key, TextOf(pair.Value) }));
    }

    private static JsonObject Props(BucketType type)
    {
        try
        {
            return JsonNode.Parse(type.PropsJson) as JsonObject ?? [];
        }
        catch (JsonException e)
        {
            throw new CliException(ExitCode.Failed, $"the node's properties of {type.Name} are not JSON: {e.Message}", e);
        }
    }

    private static string TextOf(JsonNode? value) => value switch
    {
        null => "",
        JsonValue text when text.TryGetValue<string>(out var plain) => plain,
        _ => value.ToJsonString(JsonText.Compact),
    };
}
