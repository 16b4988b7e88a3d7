using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kv.Operator.Runtime;

/// <summary>
/// Tells whether an apply would change anything, so that a quiet cluster costs no writes: the intent must be what the server has, field by field, and
/// the fields that the server keeps for us must be no others (a field that we stopped wanting is still ours there). Pure.
/// </summary>
internal static class ServerSideApply
{
    public const string FieldManager = "kv-operator";

    /// <summary>False when in doubt: an apply too many does no harm.</summary>
    public static bool IsCurrent(JsonObject live, JsonObject intent)
    {
        var ours = (live["metadata"]?["managedFields"] as JsonArray)?.FirstOrDefault(entry =>
            entry?["manager"]?.ToString() == FieldManager && entry["operation"]?.ToString() == "Apply" && string.IsNullOrEmpty(entry["subresource"]?.ToString()));
        return ours?["fieldsV1"] is JsonObject fields && Covers(live, intent, fields) && !HasOther(fields, intent);
    }

    /// <summary>
    /// Whether all that is in <paramref name="intent"/> is in <paramref name="live"/>, with the same values; the server's defaults and others' fields do not count.
    /// <paramref name="fields"/> are those that the server keeps for us there; null where it keeps none for us.
    /// </summary>
    private static bool Covers(JsonNode? live, JsonNode? intent, JsonObject? fields) => (live, intent) switch
    {
        (JsonObject l, JsonObject i) => i.All(pair => Covers(l[pair.Key], pair.Value, FieldsOf(fields, "f:" + pair.Key))),
        // The server keeps no empty objects and lists, and of many optional fields no value that says nothing; who owns the field it does keep.
        (null, JsonObject { Count: 0 } or JsonArray { Count: 0 } or null) => true,
        (null, JsonValue i) => fields is not null && SaysNothing(i),
        (JsonArray l, JsonArray i) => i.All(item => l.Any(one => Covers(one, item, FieldsOf(fields, item)))) && (i.Count == l.Count || IsKeyed(i)),
        (JsonValue l, JsonValue i) => SameValue(l, i),
        _ => false,
    };

    private static bool SaysNothing(JsonValue value) => value.GetValueKind() switch
    {
        JsonValueKind.False => true,
        JsonValueKind.String => value.ToString().Length == 0,
        JsonValueKind.Number => value.ToJsonString() == "0",
        _ => false,
    };

    /// <summary>What is kept as one is ours with all that is in it.</summary>
    private static JsonObject? FieldsOf(JsonObject? fields, string key) => fields is { Count: 0 } ? fields : fields?[key] as JsonObject;

    private static JsonObject? FieldsOf(JsonObject? fields, JsonNode? item) =>
        FieldsOf(fields, fields?.FirstOrDefault(pair => pair.Key.StartsWith("k:", StringComparison.Ordinal) && HasKeys(item, pair.Key[2..])).Key ?? "");

    /// <summary>Lists that others may add items to: those whose items have a name or a uid.</summary>
    private static bool IsKeyed(JsonArray list) => list.All(item => item is JsonObject map && (map["name"] is not null || map["uid"] is not null));

    /// <summary>Quantities are rewritten by the server: 0.5 is 500m there.</summary>
    private static bool SameValue(JsonValue live, JsonValue intent)
    {
        if (JsonNode.DeepEquals(live, intent))
        {
            return true;
        }

        var (a, b) = (live.ToString(), intent.ToString());
        return a == b || (LooksLikeQuantity(a) && LooksLikeQuantity(b) && new k8s.Models.ResourceQuantity(a).ToDecimal() == new k8s.Models.ResourceQuantity(b).ToDecimal());
    }

    private static bool LooksLikeQuantity(string text) => text.Length is > 0 and < 32 && char.IsAsciiDigit(text[0])
        && System.Text.RegularExpressions.Regex.IsMatch(text, Api.Clusters.ClusterResources.QuantityPattern, System.Text.RegularExpressions.RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));

    /// <summary>Whether the server holds a field for us that is not in the intent.</summary>
    private static bool HasOther(JsonObject fields, JsonNode? intent)
    {
        foreach (var (key, inner) in fields)
        {
            if (key == ".")
            {
                continue;
            }

            var child = key[..2] switch
            {
                "f:" => (intent as JsonObject)?.TryGetPropertyValue(key[2..], out var value) == true ? value ?? "" : null,
                "k:" => (intent as JsonArray)?.FirstOrDefault(item => HasKeys(item, key[2..])),
                "v:" => (intent as JsonArray)?.FirstOrDefault(item => item?.ToJsonString() == key[2..]),
                _ => null,
            };
            if (child is null || (inner is JsonObject { Count: > 0 } deeper && HasOther(deeper, child)))
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasKeys(JsonNode? item, string key)
    {
        try
        {
            return JsonNode.Parse(key) is JsonObject keys && keys.All(pair => item?[pair.Key]?.ToJsonString() == pair.Value?.ToJsonString());
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
