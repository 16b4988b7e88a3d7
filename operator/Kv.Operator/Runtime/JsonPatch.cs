using System.Text.Json.Nodes;
using k8s.Models;

namespace Kv.Operator.Runtime;

/// <summary>Steps of a JSON patch (RFC 6902).</summary>
internal static class JsonPatch
{
    /// <summary>
    /// The step that lets a patch through only if the object is as it was read: the server refuses another resource version with a conflict (409). A step that tests it would
    /// be refused with 422, as a patch that makes no sense is.
    /// </summary>
    public static JsonObject Unchanged(V1ObjectMeta read) => new() { ["op"] = "replace", ["path"] = "/metadata/resourceVersion", ["value"] = read.ResourceVersion };

    public static JsonObject Add(string path, JsonNode? value) => new() { ["op"] = "add", ["path"] = path, ["value"] = value };

    public static JsonObject Remove(string path) => new() { ["op"] = "remove", ["path"] = path };
}
