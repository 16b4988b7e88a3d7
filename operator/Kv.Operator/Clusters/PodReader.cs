using System.Text.Json.Nodes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Manifests;
using Kv.Operator.Runtime;

namespace Kv.Operator.Clusters;

/// <summary>What the pods of a StatefulSet tell of its nodes. Pure.</summary>
internal static class PodReader
{
    /// <summary>One for each replica, whether it has a pod or not. <paramref name="claims"/> are the names of the cluster's volume claims.</summary>
    public static IEnumerable<ObservedNode> NodesOf(Cluster cluster, ObservedWorkload workload, JsonObject set, List<JsonObject> pods, IReadOnlySet<string> claims)
    {
        for (var ordinal = 0; ordinal < workload.Replicas; ordinal++)
        {
            var name = Names.Pod(cluster, workload.Zone, ordinal);
            var pod = pods.Find(one => ObjectKey.Of(one).Name == name);
            var host = Names.PodHost(cluster, name);
            // A pod's own address needs no name service and is true at once after a restart.
            var address = pod?["status"]?["podIP"]?.ToString() is { Length: > 0 } ip ? ip.Contains(':', StringComparison.Ordinal) ? $"[{ip}]" : ip : host;
            yield return new ObservedNode(name, workload.Zone, ordinal)
            {
                Running = pod?["status"]?["phase"]?.ToString() == "Running" && pod["metadata"]?["deletionTimestamp"] is null && IsStarted(pod),
                Ready = HasCondition(pod, "Ready") && pod?["metadata"]?["deletionTimestamp"] is null,
                Uid = pod?["metadata"]?["uid"]?.ToString() ?? "",
                IsOutdated = pod is not null && IsOutdated(set, pod),
                IsVolumeMissing = pod?["status"]?["phase"]?.ToString() == "Pending" && pod["metadata"]?["deletionTimestamp"] is null && !claims.Contains(Names.VolumeClaim(name)),
                Problem = ProblemOf(pod),
                AdminAddress = $"{address}:{Ports.Number(Ports.Admin)}",
                PeerAddress = $"{host}:{Ports.Number(Ports.Peer)}",
            };
        }
    }

    /// <summary>
    /// Whether the spec, or `kubectl rollout restart`, asks for another pod than this. It rests on what people asked for and not on the template's revision: a new
    /// operator writes templates anew, and restarts nothing. While the StatefulSet's controller has not seen the newest template, a new pod would be an old one.
    /// </summary>
    private static bool IsOutdated(JsonObject set, JsonObject pod)
    {
        var isSeen = set["status"]?["observedGeneration"]?.ToString() == set["metadata"]?["generation"]?.ToString();
        return isSeen && pod["metadata"]?["deletionTimestamp"] is null && (Differs(StatefulSets.SpecHash) || Differs("kubectl.kubernetes.io/restartedAt"));

        bool Differs(string annotation) =>
            set["spec"]?["template"]?["metadata"]?["annotations"]?[annotation]?.ToString() is { } wanted && pod["metadata"]?["annotations"]?[annotation]?.ToString() != wanted
            && (annotation != StatefulSets.SpecHash || pod["metadata"]?["annotations"]?[annotation] is not null);
    }

    private static bool IsStarted(JsonObject pod) => NodeStatusOf(pod)?["state"]?["running"] is not null;

    private static JsonNode? NodeStatusOf(JsonObject? pod) =>
        (pod?["status"]?["containerStatuses"] as JsonArray ?? []).FirstOrDefault(one => one?["name"]?.ToString() == Names.NodeContainer);

    private static bool HasCondition(JsonObject? pod, string type) =>
        (pod?["status"]?["conditions"] as JsonArray ?? []).Any(one => one?["type"]?.ToString() == type && one["status"]?.ToString() == "True");

    private static string? ProblemOf(JsonObject? pod)
    {
        if (pod is null)
        {
            return "has no pod yet";
        }

        if (pod["metadata"]?["deletionTimestamp"] is not null)
        {
            return "is being deleted";
        }

        if (NodeStatusOf(pod)?["state"]?["waiting"] is { } waiting && waiting["reason"]?.ToString() is { } reason and not ("ContainerCreating" or "PodInitializing"))
        {
            return $"{reason}: {waiting["message"]}".TrimEnd(':', ' ');
        }

        var scheduled = (pod["status"]?["conditions"] as JsonArray ?? []).FirstOrDefault(one => one?["type"]?.ToString() == "PodScheduled");
        return scheduled?["status"]?.ToString() == "False" ? $"cannot be scheduled: {scheduled["message"]}" : null;
    }
}
