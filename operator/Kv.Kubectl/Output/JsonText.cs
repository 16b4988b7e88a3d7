using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kv.Kubectl.Output;

/// <summary>JSON as it is printed: indented, text of any language as it is.</summary>
internal static class JsonText
{
    public static JsonSerializerOptions Options { get; } = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>On one line.</summary>
    public static JsonSerializerOptions Compact { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(JsonNode json) => json.ToJsonString(Options);

    public static JsonArray ListOf(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    /// <summary>A field with bytes: as text where they are UTF-8, else in base64 under the name with `Base64`.</summary>
    public static void Add(JsonObject json, string name, ReadOnlySpan<byte> bytes)
    {
        if (Escape.TextOf(bytes) is { } text)
        {
            json[name] = text;
        }
        else
        {
            json[name + "Base64"] = Convert.ToBase64String(bytes);
        }
    }
}
