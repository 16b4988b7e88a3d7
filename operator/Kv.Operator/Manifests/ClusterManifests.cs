using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;

namespace Kv.Operator.Manifests;

/// <summary>All objects of a cluster, in the order in which they are applied: what pods need comes before the pods.</summary>
internal static class ClusterManifests
{
    public static ImmutableArray<JsonObject> Build(
        Cluster cluster, IReadOnlyDictionary<string, int> replicasByZone, IReadOnlyList<ObservedWorkload> existing, IReadOnlySet<string> settings, NodeImage image, string disruptionBudgetApi, int disruptions) =>
    [
        ServiceAccounts.Build(cluster),
        ConfigMaps.Build(cluster, settings),
        Services.Headless(cluster),
        Services.Client(cluster),
        DisruptionBudgets.Build(cluster, disruptionBudgetApi, disruptions),
        .. replicasByZone
            .OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => StatefulSets.Build(cluster, pair.Key, pair.Value, existing.FirstOrDefault(workload => workload.Zone == pair.Key), settings, image)),
    ];
}
