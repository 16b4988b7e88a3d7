using System.Text.Json.Nodes;
using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Manifests;

/// <summary>Pieces that every object of a cluster has.</summary>
internal static class Parts
{
    /// <summary>Metadata with our labels and the Cluster as controller, so that the object goes when the Cluster goes.</summary>
    public static JsonObject Metadata(Cluster cluster, string name, string? zone = null, JsonObject? annotations = null)
    {
        var metadata = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = cluster.Metadata.NamespaceProperty,
            ["labels"] = Labels(cluster, zone),
        };
        if (annotations is { Count: > 0 })
        {
            metadata["annotations"] = annotations;
        }

        metadata["ownerReferences"] = new JsonArray(new JsonObject
        {
            ["apiVersion"] = KvApi.ApiVersion,
            ["kind"] = "Cluster",
            ["name"] = cluster.Metadata.Name,
            ["uid"] = cluster.Metadata.Uid,
            ["controller"] = true,
            ["blockOwnerDeletion"] = true,
        });
        return metadata;
    }

    public static JsonObject Labels(Cluster cluster, string? zone)
    {
        var labels = Selector(cluster, null);
        labels["app.kubernetes.io/managed-by"] = Names.ManagedBy;
        labels["app.kubernetes.io/component"] = "node";
        if (!string.IsNullOrEmpty(zone))
        {
            labels[Names.ZoneLabel] = zone;
        }

        return labels;
    }

    /// <summary>What tells the pods of a cluster (or of a zone of it) from all others.</summary>
    public static JsonObject Selector(Cluster cluster, string? zone)
    {
        var selector = new JsonObject
        {
            ["app.kubernetes.io/name"] = "kv-node",
            ["app.kubernetes.io/instance"] = cluster.Metadata.Name,
            [Names.ClusterLabel] = cluster.Metadata.Name,
        };
        if (!string.IsNullOrEmpty(zone))
        {
            selector[Names.ZoneLabel] = zone;
        }

        return selector;
    }
}
