using System.Text.Json.Nodes;
using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Manifests;

/// <summary>What drains may take: one node at a time, and none while the gate would not let each of them go.</summary>
internal static class DisruptionBudgets
{
    /// <param name="cluster">The cluster.</param>
    /// <param name="apiVersion">The newest that the API server serves: policy/v1, before Kubernetes 1.21 policy/v1beta1.</param>
    /// <param name="disruptions">0 or 1, as the gate says.</param>
    public static JsonObject Build(Cluster cluster, string apiVersion, int disruptions) => new()
    {
        ["apiVersion"] = apiVersion,
        ["kind"] = "PodDisruptionBudget",
        ["metadata"] = Parts.Metadata(cluster, Names.DisruptionBudget(cluster)),
        ["spec"] = new JsonObject
        {
            ["maxUnavailable"] = disruptions,
            ["selector"] = new JsonObject { ["matchLabels"] = Parts.Selector(cluster, null) },
        },
    };
}
