using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Kv.Operator.Local;

/// <summary>YAML → JSON, with scalars as YAML's core schema reads them. Bounded, since aliases can make a small file large.</summary>
internal static partial class YamlReader
{
    public const int MaxFileBytes = 1024 * 1024;
    private const int MaxNodes = 50_000;
    private const int MaxDepth = 64;

    /// <summary>The documents of a file; empty ones are left out. Throws <see cref="FormatException"/> with line and column.</summary>
    public static IReadOnlyList<JsonNode> Read(string text)
    {
        if (text.Length > MaxFileBytes)
        {
            throw new FormatException($"is longer than {MaxFileBytes} characters");
        }

        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            var budget = MaxNodes;
            return [.. stream.Documents.Select(document => ToJson(document.RootNode, 0, ref budget)).OfType<JsonNode>()];
        }
        catch (YamlException e)
        {
            throw new FormatException($"line {e.Start.Line}, column {e.Start.Column}: {e.Message}", e);
        }
        catch (ArgumentException e)
        {
            // What the parser throws for a key that is there twice in some forms.
            throw new FormatException(e.Message, e);
        }
    }

    private static JsonNode? ToJson(YamlNode node, int depth, ref int budget)
    {
        if (--budget < 0 || depth > MaxDepth)
        {
            throw new FormatException($"has more than {MaxNodes} values, or is nested deeper than {MaxDepth}");
        }

        switch (node)
        {
            case YamlMappingNode map:
                var json = new JsonObject();
                foreach (var (key, value) in map.Children)
                {
                    if (key is not YamlScalarNode { Value: { } name })
                    {
                        throw new FormatException($"line {key.Start.Line}: a key must be a word");
                    }

                    json[name] = ToJson(value, depth + 1, ref budget);
                }

                return json;
            case YamlSequenceNode list:
                var array = new JsonArray();
                foreach (var item in list.Children)
                {
                    array.Add(ToJson(item, depth + 1, ref budget));
                }

                return array;
            default:
                var scalar = (YamlScalarNode)node;
                return scalar.Style is ScalarStyle.Plain or ScalarStyle.Any ? Plain(scalar.Value ?? "") : JsonValue.Create(scalar.Value ?? "");
        }
    }

    private static JsonValue? Plain(string text)
    {
        if (text is "" or "~" or "null" or "Null" or "NULL")
        {
            return null;
        }

        if (text is "true" or "True" or "TRUE" or "false" or "False" or "FALSE")
        {
            return JsonValue.Create(text[0] is 't' or 'T');
        }

        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return JsonValue.Create(number);
        }

        return Float().IsMatch(text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real)
            ? JsonValue.Create(real)
            : JsonValue.Create(text);
    }

    [GeneratedRegex("^[-+]?([0-9]+[.][0-9]*|[.][0-9]+|[0-9]+)([eE][-+]?[0-9]+)?$")]
    private static partial Regex Float();
}
