using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Manifests;
using Kv.Operator.Runtime;

namespace Kv.Operator.Clusters;

/// <summary>
/// Clusters as Kubernetes objects. Everything is read from the API server in each pass, not from a cache: what follows may be a change of the ring,
/// and a few small reads per cluster cost little.
/// </summary>
internal sealed class KubernetesWorld(IKubernetesApi api, NodeImage defaultImage) : IClusterWorld
{
    private ResourceKind? disruptionBudget;

    public async Task<ObservedCluster> ObserveAsync(Cluster cluster, CancellationToken cancel)
    {
        return await GuardedAsync(async () =>
        {
            var sets = await ReadStatefulSetsAsync(cluster, cancel);
            var workloads = sets.Where(set => IsOurs(cluster, set.Live)).Select(set => ToWorkload(set.Zone, set.Live)).ToImmutableArray();
            var replicas = ZoneShares.Of(cluster.Spec, workloads).ToDictionary(pair => pair.Key, pair => workloads.FirstOrDefault(one => one.Zone == pair.Key)?.Replicas ?? pair.Value);
            var children = new List<ObservedChild>();
            foreach (var intent in await IntentsAsync(cluster, replicas, workloads, cancel))
            {
                var live = intent["kind"]!.ToString() == ResourceKind.StatefulSet.Kind
                    ? sets.FirstOrDefault(set => ObjectKey.Of(set.Live) == ObjectKey.Of(intent)).Live
                    : await api.GetAsync(KindOf(intent), cluster.Metadata.NamespaceProperty, intent["metadata"]!["name"]!.ToString(), cancel);
                children.Add(new ObservedChild(intent["kind"]!.ToString(), intent["metadata"]!["name"]!.ToString(), StateOf(cluster, live, intent)));
            }

            var pods = await ReadAllAsync(ResourceKind.Pod, cluster, cancel);
            return new ObservedCluster { Children = [.. children], Workloads = workloads, Nodes = [.. sets.Where(set => IsOurs(cluster, set.Live)).SelectMany(set => NodesOf(cluster, ToWorkload(set.Zone, set.Live), set.Live, pods))] };
        });
    }

    public async Task ApplyChildrenAsync(Cluster cluster, ObservedCluster observed, IReadOnlyDictionary<string, int> replicasByZone, CancellationToken cancel)
    {
        await GuardedAsync(async () =>
        {
            foreach (var intent in await IntentsAsync(cluster, replicasByZone, observed.Workloads, cancel))
            {
                var (kind, name) = (KindOf(intent), intent["metadata"]!["name"]!.ToString());
                var live = await api.GetAsync(kind, cluster.Metadata.NamespaceProperty, name, cancel);
                if (StateOf(cluster, live, intent) is ChildState.Missing or ChildState.Drifted)
                {
                    await api.ApplyAsync(kind, cluster.Metadata.NamespaceProperty, name, intent, ServerSideApply.FieldManager, cancel);
                }
            }

            return true;
        });
    }

    public async Task RestartAsync(Cluster cluster, ObservedNode node, bool isBroken, CancellationToken cancel)
    {
        await GuardedAsync(async () =>
        {
            // Read again: it may have been replaced since, and then it is up to date.
            var pod = await api.GetAsync(ResourceKind.Pod, cluster.Metadata.NamespaceProperty, node.Name, cancel);
            if (pod is null || pod["metadata"]?["uid"]?.ToString() != node.Uid || pod["metadata"]?["deletionTimestamp"] is not null)
            {
                return false;
            }

            // An eviction asks the disruption budget too; for a pod that does not run it could be refused for ever.
            await (isBroken
                ? api.DeleteAsync(ResourceKind.Pod, cluster.Metadata.NamespaceProperty, node.Name, node.Uid, cancel)
                : api.EvictAsync(cluster.Metadata.NamespaceProperty, node.Name, node.Uid, cancel));
            return true;
        });
    }

    private async Task<ImmutableArray<JsonObject>> IntentsAsync(
        Cluster cluster, IReadOnlyDictionary<string, int> replicas, ImmutableArray<ObservedWorkload> workloads, CancellationToken cancel)
    {
        disruptionBudget ??= await api.ServesAsync(ResourceKind.DisruptionBudget("v1"), cancel) ? ResourceKind.DisruptionBudget("v1") : ResourceKind.DisruptionBudget("v1beta1");
        return ClusterManifests.Build(cluster, replicas, workloads, defaultImage, disruptionBudget.ApiVersion);
    }

    private ResourceKind KindOf(JsonObject intent) => intent["kind"]!.ToString() switch
    {
        "StatefulSet" => ResourceKind.StatefulSet,
        "Service" => ResourceKind.Service,
        "ConfigMap" => ResourceKind.ConfigMap,
        "ServiceAccount" => ResourceKind.ServiceAccount,
        "PodDisruptionBudget" => disruptionBudget!,
        var other => throw new InvalidOperationException($"no builder makes a {other}"),
    };

    /// <summary>Those that should be there, and those of zones that the spec does not name any more.</summary>
    private async Task<List<(string Zone, JsonObject Live)>> ReadStatefulSetsAsync(Cluster cluster, CancellationToken cancel)
    {
        var sets = (await ReadAllAsync(ResourceKind.StatefulSet, cluster, cancel)).ToDictionary(set => ObjectKey.Of(set).Name, StringComparer.Ordinal);
        foreach (var zone in ZoneShares.ZonesOf(cluster.Spec))
        {
            // Somebody else's of the same name has not our label.
            var name = Names.StatefulSet(cluster, zone);
            if (!sets.ContainsKey(name) && await api.GetAsync(ResourceKind.StatefulSet, cluster.Metadata.NamespaceProperty, name, cancel) is { } other)
            {
                sets[name] = other;
            }
        }

        return [.. sets.Values.Select(set => (set["metadata"]?["labels"]?[Names.ZoneLabel]?.ToString() ?? ZoneShares.NoZone, set))];
    }

    private async Task<List<JsonObject>> ReadAllAsync(ResourceKind kind, Cluster cluster, CancellationToken cancel)
    {
        var items = new List<JsonObject>();
        string? next = null;
        do
        {
            var page = await api.ListAsync(kind, cluster.Metadata.NamespaceProperty, $"{Names.ClusterLabel}={cluster.Metadata.Name}", next, cancel);
            items.AddRange(page.Items);
            next = page.ContinueToken;
        }
        while (next is not null);
        return items;
    }

    private static ChildState StateOf(Cluster cluster, JsonObject? live, JsonObject intent) => live switch
    {
        null => ChildState.Missing,
        _ when !IsOurs(cluster, live) => ChildState.Foreign,
        _ => ServerSideApply.IsCurrent(live, intent) ? ChildState.Current : ChildState.Drifted,
    };

    private static bool IsOurs(Cluster cluster, JsonObject live) =>
        (live["metadata"]?["ownerReferences"] as JsonArray ?? []).Any(owner => owner?["uid"]?.ToString() == cluster.Metadata.Uid && owner["controller"]?.GetValue<bool>() == true);

    private static ObservedWorkload ToWorkload(string zone, JsonObject set)
    {
        var spec = set["spec"];
        var claim = spec?["volumeClaimTemplates"]?[0]?["spec"];
        var container = (spec?["template"]?["spec"]?["containers"] as JsonArray ?? []).FirstOrDefault(one => one?["name"]?.ToString() == Names.NodeContainer);
        return new ObservedWorkload(zone, ObjectKey.Of(set).Name, spec?["replicas"]?.GetValue<int>() ?? 1)
        {
            StorageSize = claim?["resources"]?["requests"]?["storage"]?.ToString(),
            StorageClass = StorageClassOf(set),
            Image = container?["image"]?.ToString(),
        };
    }

    /// <summary>Only what we asked for: a default class is not put into the template, but newer servers might.</summary>
    private static string? StorageClassOf(JsonObject set) => set["spec"]?["volumeClaimTemplates"]?[0]?["spec"]?["storageClassName"]?.ToString();

    private static IEnumerable<ObservedNode> NodesOf(Cluster cluster, ObservedWorkload workload, JsonObject set, List<JsonObject> pods)
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

    /// <summary>What the API server refuses is told in the status; everything else is retried by the loop.</summary>
    private static async Task<T> GuardedAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (KubernetesApiException e) when (!e.IsConflict)
        {
            throw new WorldException($"the API server: {e.Message}", e);
        }
    }
}
