using System.Text.Json.Nodes;
using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Manifests;

/// <summary>Lets drains take one node at a time: of three copies, two stay.</summary>
internal static class DisruptionBudgets
{
    /// <param name="cluster">The cluster.</param>
    /// <param name="apiVersion">The newest that the API server serves: policy/v1, before Kubernetes 1.21 policy/v1beta1.</param>
    public static JsonObject Build(Cluster cluster, string apiVersion) => new()
    {
        ["apiVersion"] = apiVersion,
        ["kind"] = "PodDisruptionBudget",
        ["metadata"] = Parts.Metadata(cluster, Names.DisruptionBudget(cluster)),
        ["spec"] = new JsonObject
        {
            ["maxUnavailable"] = 1,
            ["selector"] = new JsonObject { ["matchLabels"] = Parts.Selector(cluster, null) },
        },
    };
}
