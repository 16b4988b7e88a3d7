using System.Text.Json.Nodes;

namespace Kv.Operator.Manifests;

/// <summary>Lays a person's fields over ours: objects are merged, lists whose items all have a name are merged by it, anything else is replaced, null takes a field away.</summary>
internal static class Overlay
{
    public static JsonNode? Merge(JsonNode? below, JsonNode? above) => (below, above) switch
    {
        (JsonObject b, JsonObject a) => MergeObjects(b, a),
        (JsonArray b, JsonArray a) when IsNamed(b) && IsNamed(a) => MergeNamed(b, a),
        _ => above?.DeepClone(),
    };

    private static JsonObject MergeObjects(JsonObject below, JsonObject above)
    {
        var merged = below.DeepClone().AsObject();
        foreach (var (key, value) in above)
        {
            if (value is null)
            {
                merged.Remove(key);
            }
            else
            {
                merged[key] = Merge(merged[key], value);
            }
        }

        return merged;
    }

    private static JsonArray MergeNamed(JsonArray below, JsonArray above)
    {
        var merged = below.DeepClone().AsArray();
        foreach (var item in above)
        {
            var name = item!["name"]!.ToString();
            var at = merged.ToList().FindIndex(one => one!["name"]!.ToString() == name);
            if (at < 0)
            {
                merged.Add(item.DeepClone());
            }
            else
            {
                merged[at] = Merge(merged[at], item);
            }
        }

        return merged;
    }

    private static bool IsNamed(JsonArray list) => list.Count > 0 && list.All(item => item is JsonObject map && map["name"] is JsonValue);
}
