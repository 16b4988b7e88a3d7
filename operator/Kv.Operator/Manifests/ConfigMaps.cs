using System.Text.Json.Nodes;
using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Manifests;

/// <summary>The settings of the nodes, as environment variables that their pods take over.</summary>
internal static class ConfigMaps
{
    public static JsonObject Build(Cluster cluster) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = Parts.Metadata(cluster, Names.Config(cluster)),
        ["data"] = Data(cluster),
    };

    public static JsonObject Data(Cluster cluster) => new((cluster.Spec.Config ?? [])
        .OrderBy(pair => pair.Key, StringComparer.Ordinal)
        .Select(pair => KeyValuePair.Create(VariableName(pair.Key), (JsonNode?)JsonValue.Create(pair.Value))));

    /// <summary><c>handoff-concurrency</c> → <c>KV_HANDOFF_CONCURRENCY</c>.</summary>
    public static string VariableName(string setting) => "KV_" + setting.ToUpperInvariant().Replace('-', '_');
}
