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

    /// <summary>A line with Riak's words: the state, what is waited for, and what comes next.</summary>
    public static void PrintState(TablePrinter printer, BucketType type)
    {
        var missing = string.Join(", ", type.MissingOn);
        printer.Line(type.State switch
        {
            BucketType.Types.State.Created => $"{type.Name} has been created but cannot be activated yet: it is not seen on {missing}",
            BucketType.Types.State.Ready => $"{type.Name} has been created and may be activated: kv bucket-type activate {type.Name}",
            BucketType.Types.State.Active when missing.Length > 0 => $"{type.Name} is active, not yet in this form on {missing}",
            _ => $"{type.Name} is {Words.Of(type.State)}",
        });
    }

    /// <summary>The most replicas that its buckets have where they have no properties of their own; 0 where that is not told.</summary>
    public static int NValOf(BucketType type) => Props(type)["n_val"] is JsonValue value && value.TryGetValue<int>(out var n) ? n : 0;

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
