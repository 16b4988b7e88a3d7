using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;
using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Gates;
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
            var budget = await api.GetAsync(await BudgetKindAsync(cancel), cluster.Metadata.NamespaceProperty, Names.DisruptionBudget(cluster), cancel);
            var disruptions = DisruptionsOf(budget);
            var config = await api.GetAsync(ResourceKind.ConfigMap, cluster.Metadata.NamespaceProperty, Names.Config(cluster), cancel);
            var settings = SettingsOf(config);
            var children = new List<ObservedChild>();
            foreach (var intent in await IntentsAsync(cluster, replicas, workloads, settings, disruptions, cancel))
            {
                var live = intent["kind"]!.ToString() switch
                {
                    "StatefulSet" => sets.FirstOrDefault(set => ObjectKey.Of(set.Live) == ObjectKey.Of(intent)).Live,
                    "PodDisruptionBudget" => budget,
                    "ConfigMap" => config,
                    _ => await api.GetAsync(KindOf(intent), cluster.Metadata.NamespaceProperty, intent["metadata"]!["name"]!.ToString(), cancel),
                };
                children.Add(new ObservedChild(intent["kind"]!.ToString(), intent["metadata"]!["name"]!.ToString(), StateOf(cluster, live, intent)) { ResourceVersion = VersionOf(live) });
            }

            var pods = await ReadAllAsync(ResourceKind.Pod, cluster, cancel);
            var claims = await ReadAllAsync(ResourceKind.VolumeClaim, cluster, cancel);
            var names = claims.Select(claim => ObjectKey.Of(claim).Name).ToHashSet(StringComparer.Ordinal);
            names.UnionWith(await UnlabelledClaimsAsync(cluster, pods.Where(pod => PodReader.IsPending(pod) && !names.Contains(Names.VolumeClaim(ObjectKey.Of(pod).Name))), cancel));
            return new ObservedCluster
            {
                Children = [.. children],
                Workloads = workloads,
                Nodes = [.. sets.Where(set => IsOurs(cluster, set.Live)).SelectMany(set => PodReader.NodesOf(cluster, ToWorkload(set.Zone, set.Live), set.Live, pods, names))],
                Volumes = [.. claims.Where(claim => claim["metadata"]?["deletionTimestamp"] is null).Select(claim => ToVolume(claim, pods)).OfType<ObservedVolume>()],
                DisruptionsAllowed = budget is null ? null : disruptions,
                Settings = settings,
            };
        });
    }

    public async Task ApplyChildrenAsync(Cluster cluster, ObservedCluster observed, IReadOnlyDictionary<string, int> replicasByZone, CancellationToken cancel)
    {
        await GuardedAsync(async () =>
        {
            foreach (var intent in await IntentsAsync(cluster, replicasByZone, observed.Workloads, observed.Settings, observed.DisruptionsAllowed ?? 1, cancel))
            {
                await ApplyAsync(cluster, observed, intent, cancel);
            }

            return true;
        });
    }

    public async Task SetBudgetAsync(Cluster cluster, ObservedCluster observed, int disruptions, CancellationToken cancel)
    {
        await GuardedAsync(async () =>
        {
            await ApplyAsync(cluster, observed, DisruptionBudgets.Build(cluster, (await BudgetKindAsync(cancel)).ApiVersion, disruptions), cancel);
            return true;
        });
    }

    public async Task ReleaseVolumeAsync(Cluster cluster, ObservedVolume volume, CancellationToken cancel)
    {
        var name = Names.VolumeClaim(volume.NodeName);
        var mark = new JsonObject
        {
            ["apiVersion"] = ResourceKind.VolumeClaim.ApiVersion,
            ["kind"] = ResourceKind.VolumeClaim.Kind,
            // With its UID, so that no other of that name is marked.
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["namespace"] = cluster.Metadata.NamespaceProperty,
                ["uid"] = volume.Uid,
                ["annotations"] = new JsonObject { [Names.ReleasedAnnotation] = "true" },
            },
        };
        await GuardedAsync(() => api.ApplyAsync(ResourceKind.VolumeClaim, cluster.Metadata.NamespaceProperty, name, mark, ServerSideApply.FieldManager, cancel));
    }

    public async Task DeleteVolumeAsync(Cluster cluster, ObservedVolume volume, CancellationToken cancel)
    {
        await GuardedAsync(async () =>
        {
            await api.DeleteAsync(ResourceKind.VolumeClaim, cluster.Metadata.NamespaceProperty, Names.VolumeClaim(volume.NodeName), volume.Uid, cancel);
            return true;
        });
    }

    /// <summary>
    /// The claim first: it ends when no pod uses it any more, and a pod that starts meanwhile waits. One that was made for the old claim waits for ever, and is ended in a
    /// later pass, so that its StatefulSet makes both anew.
    /// </summary>
    public async Task RenewVolumeAsync(Cluster cluster, ObservedCluster observed, ObservedNode node, CancellationToken cancel)
    {
        if (observed.Volumes.FirstOrDefault(volume => volume.NodeName == node.Name) is { } volume)
        {
            await DeleteVolumeAsync(cluster, volume, cancel);
        }

        await GuardedAsync(async () =>
        {
            await api.DeleteAsync(ResourceKind.Pod, cluster.Metadata.NamespaceProperty, node.Name, node.Uid, cancel);
            return true;
        });
    }

    public async Task<GateVerdict.Closed?> RestartAsync(Cluster cluster, ObservedNode node, bool isBroken, CancellationToken cancel)
    {
        return await GuardedAsync(async () =>
        {
            // Read again: it may have been replaced since, and then it is up to date; or it runs by now, and then it is not broken.
            var pod = await api.GetAsync(ResourceKind.Pod, cluster.Metadata.NamespaceProperty, node.Name, cancel);
            if (pod is null || pod["metadata"]?["uid"]?.ToString() != node.Uid || pod["metadata"]?["deletionTimestamp"] is not null || (!node.Running && PodReader.IsRunning(pod)))
            {
                return null;
            }

            try
            {
                // An eviction asks the disruption budget too; for a pod that does not run it could be refused for ever.
                await (isBroken
                    ? api.DeleteAsync(ResourceKind.Pod, cluster.Metadata.NamespaceProperty, node.Name, node.Uid, cancel)
                    : api.EvictAsync(cluster.Metadata.NamespaceProperty, node.Name, node.Uid, cancel));
                return null;
            }
            catch (KubernetesApiException e) when (e.Code == HttpStatusCode.TooManyRequests)
            {
                return new GateVerdict.Closed(Conditions.Reasons.BudgetSpent, $"the API server does not evict it now: {e.Message}", IsPassing: true);
            }
        });
    }

    /// <summary>
    /// Only on the object that the decision rests on, or where there still is none: replicas that were right a while ago may be members' pods by now, and an operator
    /// that was paused, or whose call was long on its way, is not the only one.
    /// </summary>
    private async Task ApplyAsync(Cluster cluster, ObservedCluster observed, JsonObject intent, CancellationToken cancel)
    {
        var (kind, name) = (KindOf(intent), intent["metadata"]!["name"]!.ToString());
        var live = await api.GetAsync(kind, cluster.Metadata.NamespaceProperty, name, cancel);
        var seen = observed.Children.FirstOrDefault(child => child.Kind == kind.Kind && child.Name == name)?.ResourceVersion;
        if (VersionOf(live) != seen)
        {
            throw new KubernetesApiException(HttpStatusCode.Conflict, $"{kind.Kind} {name} has changed since it was looked at");
        }

        if (StateOf(cluster, live, intent) is ChildState.Missing or ChildState.Drifted)
        {
            if (kind == disruptionBudget && live?["spec"] is JsonObject spec && spec.Remove("minAvailable"))
            {
                // The server refuses it beside our maxUnavailable, and no apply takes away what somebody else put there.
                spec["maxUnavailable"] = intent["spec"]!["maxUnavailable"]!.DeepClone();
                await api.ReplaceAsync(kind, cluster.Metadata.NamespaceProperty, name, live, cancel);
                return;
            }

            if (seen is not null)
            {
                intent["metadata"]!["resourceVersion"] = seen;
            }

            await api.ApplyAsync(kind, cluster.Metadata.NamespaceProperty, name, intent, ServerSideApply.FieldManager, cancel);
        }
    }

    private async Task<ResourceKind> BudgetKindAsync(CancellationToken cancel) =>
        disruptionBudget ??= await api.ServesAsync(ResourceKind.DisruptionBudget("v1"), cancel) ? ResourceKind.DisruptionBudget("v1") : ResourceKind.DisruptionBudget("v1beta1");

    /// <summary>Ours are 0 and 1; what somebody else put there is put right.</summary>
    private static int DisruptionsOf(JsonObject? budget) => budget?["spec"]?["maxUnavailable"]?.ToString() == "0" ? 0 : 1;

    private static ImmutableHashSet<string> SettingsOf(JsonObject? config) => [.. (config?["data"] as JsonObject ?? []).Select(pair => pair.Key)];

    private static ObservedVolume? ToVolume(JsonObject claim, List<JsonObject> pods)
    {
        var key = ObjectKey.Of(claim);
        return Names.NodeOfClaim(key.Name) is not { } node ? null : new ObservedVolume(node, claim["metadata"]!["uid"]!.ToString())
        {
            IsReleased = claim["metadata"]?["annotations"]?[Names.ReleasedAnnotation] is not null,
            IsUsed = pods.Exists(pod => ObjectKey.Of(pod).Name == node),
        };
    }

    private async Task<ImmutableArray<JsonObject>> IntentsAsync(
        Cluster cluster, IReadOnlyDictionary<string, int> replicas, ImmutableArray<ObservedWorkload> workloads, IReadOnlySet<string> settings, int disruptions, CancellationToken cancel) =>
        ClusterManifests.Build(cluster, replicas, workloads, settings, defaultImage, (await BudgetKindAsync(cancel)).ApiVersion, disruptions);

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

    /// <summary>Claims that somebody made by hand, of pods that wait: they lack our labels, since a StatefulSet adds none to a claim that is there already.</summary>
    private async Task<List<string>> UnlabelledClaimsAsync(Cluster cluster, IEnumerable<JsonObject> pods, CancellationToken cancel)
    {
        var found = new List<string>();
        foreach (var claim in pods.Select(pod => Names.VolumeClaim(ObjectKey.Of(pod).Name)))
        {
            if (await api.GetAsync(ResourceKind.VolumeClaim, cluster.Metadata.NamespaceProperty, claim, cancel) is not null)
            {
                found.Add(claim);
            }
        }

        return found;
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

    private static string? VersionOf(JsonObject? live) => live?["metadata"]?["resourceVersion"]?.ToString();

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

    /// <summary>What the API server refuses is told in the status; everything else is retried by the loop.</summary>
    private static async Task<T> GuardedAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (KubernetesApiException e) when (!e.IsConflict)
        {
            throw new WorldException($"the API server: {e.Message}", e) { IsEnding = e.IsNamespaceEnding };
        }
    }
}
