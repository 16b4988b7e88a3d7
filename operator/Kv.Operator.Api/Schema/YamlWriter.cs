using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Kv.Operator.Api.Schema;

/// <summary>
/// JSON → YAML in one fixed form: two spaces, keys in the order of the document, strings plain where that is unambiguous and else in double
/// quotes, many-line strings as blocks. Stable, so that what is generated can be compared byte for byte.
/// </summary>
public static partial class YamlWriter
{
    public static string Write(JsonNode? node)
    {
        var text = new StringBuilder();
        if (node is JsonObject { Count: > 0 } or JsonArray { Count: > 0 })
        {
            WriteBlock(text, node, 0);
        }
        else
        {
            text.Append(Scalar(node)).Append('\n');
        }

        return text.ToString();
    }

    private static void WriteBlock(StringBuilder text, JsonNode node, int indent)
    {
        if (node is JsonObject map)
        {
            foreach (var (key, value) in map)
            {
                text.Append(' ', indent).Append(Plain(key)).Append(':');
                WriteValue(text, value, indent, inList: false);
            }

            return;
        }

        foreach (var item in node.AsArray())
        {
            text.Append(' ', indent).Append('-');
            WriteValue(text, item, indent, inList: true);
        }
    }

    private static void WriteValue(StringBuilder text, JsonNode? value, int indent, bool inList)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 } when inList:
                // The first key stands behind the dash.
                var block = new StringBuilder();
                WriteBlock(block, value, indent + 2);
                text.Append(' ').Append(block, indent + 2, block.Length - indent - 2);
                break;
            case JsonObject { Count: > 0 }:
                text.Append('\n');
                WriteBlock(text, value, indent + 2);
                break;
            case JsonArray { Count: > 0 }:
                text.Append('\n');
                WriteBlock(text, value, inList ? indent + 2 : indent);
                break;
            case JsonValue scalar when scalar.GetValueKind() == JsonValueKind.String && IsBlock(scalar.GetValue<string>()):
                text.Append(" |\n");
                foreach (var line in scalar.GetValue<string>().TrimEnd('\n').Split('\n'))
                {
                    text.Append(' ', line.Length == 0 ? 0 : indent + 2).Append(line).Append('\n');
                }

                break;
            default:
                text.Append(' ').Append(Scalar(value)).Append('\n');
                break;
        }
    }

    private static bool IsBlock(string text) => text.EndsWith('\n') && !text.EndsWith("\n\n", StringComparison.Ordinal) && text.Length > 1
        && !text.StartsWith(' ') && !text.StartsWith('\n') && !text.AsSpan().ContainsAny("\t\r\u0085\u2028\u2029");

    private static string Scalar(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject => "{}",
        JsonArray => "[]",
        _ when node.GetValueKind() == JsonValueKind.String => Plain(node.GetValue<string>()),
        _ => node.ToJsonString(),
    };

    private static string Plain(string text) =>
        PlainForm().IsMatch(text) && !Reserved().IsMatch(text) && !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _)
            ? text
            : JsonSerializer.Serialize(text, KvJson.Relaxed);

    // Nothing that YAML reads as an indicator, a comment, a key or a document's end.
    [GeneratedRegex("^[A-Za-z0-9_./$(][-A-Za-z0-9_./$()@+=;?!~,' ]*(:[-A-Za-z0-9_./$()@+=]+)*(?<! )$")]
    private static partial Regex PlainForm();

    [GeneratedRegex("^(true|false|yes|no|on|off|y|n|null|~|[-+]?[.]inf|[.]nan|[0-9]{4}-[0-9]{2}.*|[-+0-9._]+|0[xob].*|[0-9]+(:[0-9]+)+)$", RegexOptions.IgnoreCase)]
    private static partial Regex Reserved();
}
