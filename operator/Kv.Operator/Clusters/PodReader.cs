using System.Globalization;
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
            var isEnding = pod?["metadata"]?["deletionTimestamp"] is not null;
            var isReady = HasCondition(pod, "Ready") && !isEnding;
            var isAsWanted = pod is null || isEnding ? null : IsAsWanted(set, pod);
            yield return new ObservedNode(name, workload.Zone, ordinal)
            {
                Running = pod is not null && IsRunning(pod),
                Ready = isReady,
                Uid = pod?["metadata"]?["uid"]?.ToString() ?? "",
                IsOutdated = isAsWanted == false,
                IsBroken = !isEnding && WaitOf(pod) is not null,
                PendingSince = pod is not null && IsPending(pod) ? CreatedAt(pod) : null,
                IsOnTrial = isAsWanted == true && !isReady && HasCondition(pod, "PodScheduled"),
                IsVolumeMissing = pod is not null && IsPending(pod) && !claims.Contains(Names.VolumeClaim(name)),
                Problem = ProblemOf(pod),
                AdminAddress = $"{address}:{Ports.Number(Ports.Admin)}",
                PeerAddress = $"{host}:{Ports.Number(Ports.Peer)}",
            };
        }
    }

    public static bool IsRunning(JsonObject pod) =>
        pod["status"]?["phase"]?.ToString() == "Running" && pod["metadata"]?["deletionTimestamp"] is null && NodeStatusOf(pod)?["state"]?["running"] is not null;

    public static bool IsPending(JsonObject pod) => pod["status"]?["phase"]?.ToString() == "Pending" && pod["metadata"]?["deletionTimestamp"] is null;

    private static DateTimeOffset? CreatedAt(JsonObject pod) =>
        pod["metadata"]?["creationTimestamp"]?.ToString() is { } text ? DateTimeOffset.Parse(text, CultureInfo.InvariantCulture) : null;

    /// <summary>
    /// Whether this is the pod that the spec, or `kubectl rollout restart`, asks for; null where that is not known yet. It rests on what people asked for and not on the
    /// template's revision: a new operator writes templates anew, and restarts nothing. While the StatefulSet's controller has not seen the newest template, a new pod
    /// would be an old one.
    /// </summary>
    private static bool? IsAsWanted(JsonObject set, JsonObject pod)
    {
        var isSeen = set["status"]?["observedGeneration"]?.ToString() == set["metadata"]?["generation"]?.ToString();
        return isSeen ? !Differs(StatefulSets.SpecHash) && !Differs("kubectl.kubernetes.io/restartedAt") : null;

        bool Differs(string annotation) =>
            set["spec"]?["template"]?["metadata"]?["annotations"]?[annotation]?.ToString() is { } wanted && pod["metadata"]?["annotations"]?[annotation]?.ToString() != wanted
            && (annotation != StatefulSets.SpecHash || pod["metadata"]?["annotations"]?[annotation] is not null);
    }

    private static JsonNode? NodeStatusOf(JsonObject? pod) =>
        (pod?["status"]?["containerStatuses"] as JsonArray ?? []).FirstOrDefault(one => one?["name"]?.ToString() == Names.NodeContainer);

    private static bool HasCondition(JsonObject? pod, string type) =>
        (pod?["status"]?["conditions"] as JsonArray ?? []).Any(one => one?["type"]?.ToString() == type && one["status"]?.ToString() == "True");

    /// <summary>What keeps the container from running, and is no step on the way; null where nothing does. One that ended waits only if it ends again and again.</summary>
    private static JsonNode? WaitOf(JsonObject? pod) =>
        NodeStatusOf(pod)?["state"]?["waiting"] is { } waiting && waiting["reason"]?.ToString() is { } and not ("ContainerCreating" or "PodInitializing") ? waiting : null;

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

        if (WaitOf(pod) is { } waiting)
        {
            return $"{waiting["reason"]}: {waiting["message"]}".TrimEnd(':', ' ');
        }

        var scheduled = (pod["status"]?["conditions"] as JsonArray ?? []).FirstOrDefault(one => one?["type"]?.ToString() == "PodScheduled");
        return scheduled?["status"]?.ToString() == "False" ? $"cannot be scheduled: {scheduled["message"]}" : null;
    }
}
