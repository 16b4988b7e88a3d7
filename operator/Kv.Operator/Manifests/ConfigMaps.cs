using System.Text.Json.Nodes;
using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Manifests;

/// <summary>The settings of the nodes, as environment variables that their pods take over.</summary>
internal static class ConfigMaps
{
    /// <param name="cluster">The cluster.</param>
    /// <param name="existing">Variables that the ConfigMap has already.</param>
    public static JsonObject Build(Cluster cluster, IReadOnlySet<string> existing) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = Parts.Metadata(cluster, Names.Config(cluster)),
        ["data"] = Data(cluster, existing),
    };

    /// <summary>
    /// Without settings that no node of this release has, so that a misspelt one restarts nothing; except those that are there already, from an operator that knew them, so that
    /// leaving them out restarts nothing either, and nodes of that release keep them.
    /// </summary>
    public static JsonObject Data(Cluster cluster, IReadOnlySet<string> existing) => new((cluster.Spec.Config ?? [])
        .Where(pair => NodeSettings.OfASpec.Contains(pair.Key) || existing.Contains(VariableName(pair.Key)))
        .OrderBy(pair => pair.Key, StringComparer.Ordinal)
        .Select(pair => KeyValuePair.Create(VariableName(pair.Key), (JsonNode?)JsonValue.Create(pair.Value))));

    /// <summary><c>handoff-concurrency</c> → <c>KV_HANDOFF_CONCURRENCY</c>.</summary>
    public static string VariableName(string setting) => "KV_" + setting.ToUpperInvariant().Replace('-', '_');
}
