using System.Text.Json.Nodes;
using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Manifests;

/// <summary>The two Services of a cluster.</summary>
internal static class Services
{
    /// <summary>Gives each pod a name. Also those that are not ready: a node must be reached to become ready.</summary>
    public static JsonObject Headless(Cluster cluster) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Service",
        ["metadata"] = Parts.Metadata(cluster, Names.Headless(cluster)),
        ["spec"] = new JsonObject
        {
            ["clusterIP"] = "None",
            ["publishNotReadyAddresses"] = true,
            ["selector"] = Parts.Selector(cluster, null),
            ["ports"] = PortsOf(Ports.All.Select(port => port.Name)),
        },
    };

    /// <summary>For applications: any node that is ready.</summary>
    public static JsonObject Client(Cluster cluster)
    {
        var annotations = new JsonObject((cluster.Spec.Service.Annotations ?? [])
            .OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create(pair.Value))));
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Service",
            ["metadata"] = Parts.Metadata(cluster, Names.Client(cluster), annotations: annotations),
            ["spec"] = new JsonObject
            {
                ["type"] = cluster.Spec.Service.Type,
                ["selector"] = Parts.Selector(cluster, null),
                ["ports"] = PortsOf(Ports.OfClients),
            },
        };
    }

    private static JsonArray PortsOf(IEnumerable<string> names) => new([.. names.Select(name => new JsonObject
    {
        ["name"] = name,
        ["port"] = Ports.Number(name),
        ["protocol"] = "TCP",
        ["targetPort"] = name,
    })]);
}
