using System.Text.Json.Nodes;
using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Manifests;

/// <summary>The nodes' own account, with no rights and no token: a node never talks to the API server.</summary>
internal static class ServiceAccounts
{
    public static JsonObject Build(Cluster cluster) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ServiceAccount",
        ["metadata"] = Parts.Metadata(cluster, Names.ServiceAccount(cluster)),
        ["automountServiceAccountToken"] = false,
    };
}
