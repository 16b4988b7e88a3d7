using System.Text.Json.Nodes;
using Kv.Operator.Manifests;
using Kv.Operator.Runtime;

namespace Kv.Operator.Tests.Stubs;

/// <summary>
/// What Kubernetes does around its API server: pods and claims of StatefulSets, claims that stay while a pod uses them, objects that go with their owner, budgets that evictions
/// ask. The nodes in the pods are those of a <see cref="SimulatedCluster"/>, which finds what should not have been done to them.
/// </summary>
internal sealed class SimulatedKubernetes
{
    private const string Namespace = "default";

    /// <summary>Pods that were there at the last step, by name.</summary>
    private readonly SortedDictionary<string, string> pods = new(StringComparer.Ordinal);
    private readonly HashSet<string> lost = [];

    public SimulatedKubernetes() => Api.Evicts = _ => Budget() > pods.Keys.Count(pod => !Nodes.IsPodReady(pod));

    public FakeKubernetes Api { get; } = new() { PageSize = 1000 };

    public SimulatedCluster Nodes { get; } = new();

    /// <summary>Controllers and kubelets do what there is to do, and then this time passes.</summary>
    public void Step(TimeSpan elapsed)
    {
        CollectOrphans();
        foreach (var name in pods.Keys.Where(name => Read(ResourceKind.Pod, name)?["metadata"]?["uid"]?.ToString() != pods[name]).ToList())
        {
            EndPod(name);
        }

        ReleaseClaims();
        foreach (var set in All(ResourceKind.StatefulSet))
        {
            Fill(set);
        }

        Nodes.MovePartitions(2);
        Nodes.Elapse(elapsed);
        foreach (var name in pods.Keys)
        {
            ShowReadiness(name);
        }
    }

    /// <summary>A disk is gone with all that was on it, and its claim and pod with it.</summary>
    public void LoseVolume(string pod)
    {
        lost.Add(pod);
        Api.Remove(ResourceKind.VolumeClaim, Names.VolumeClaim(pod));
        Api.Remove(ResourceKind.Pod, pod);
    }

    /// <summary>A person changes a spec.</summary>
    public void Edit(ResourceKind kind, string name, Action<JsonObject> change)
    {
        var live = Read(kind, name)!;
        change(live["spec"]!.AsObject());
        live["metadata"]!["generation"] = live["metadata"]!["generation"]!.GetValue<int>() + 1;
        Api.Put(kind, live);
    }

    public JsonObject? Read(ResourceKind kind, string name) => Api.GetAsync(kind, Namespace, name, CancellationToken.None).Result;

    private IReadOnlyList<JsonObject> All(ResourceKind kind) => Api.ListAsync(kind, Namespace, null, null, CancellationToken.None).Result.Items;

    private int Budget() => All(ResourceKind.DisruptionBudget("v1")).Select(budget => budget["spec"]!["maxUnavailable"]!.GetValue<int>()).DefaultIfEmpty(int.MaxValue).Min();

    /// <summary>What is owned goes with its owner: all that a Cluster has, or pods with their StatefulSet.</summary>
    private void CollectOrphans()
    {
        if (All(ResourceKind.Cluster).Any(cluster => cluster["metadata"]!["deletionTimestamp"] is null))
        {
            return;
        }

        var all = Api.Snapshot();
        var uids = all.Values.Select(item => item["metadata"]!["uid"]!.ToString()).ToHashSet(StringComparer.Ordinal);
        foreach (var item in all.Values.Where(item => item["metadata"]!["ownerReferences"] is JsonArray { Count: > 0 } owners && !uids.Contains(owners[0]!["uid"]!.ToString())))
        {
            Nodes.EndAll();
            Api.Remove(KindOf(item), ObjectKey.Of(item).Name);
        }
    }

    private static ResourceKind KindOf(JsonObject item) => item["kind"]!.ToString() switch
    {
        "StatefulSet" => ResourceKind.StatefulSet,
        "Service" => ResourceKind.Service,
        "ConfigMap" => ResourceKind.ConfigMap,
        "ServiceAccount" => ResourceKind.ServiceAccount,
        "PodDisruptionBudget" => ResourceKind.DisruptionBudget("v1"),
        "Pod" => ResourceKind.Pod,
        var other => throw new InvalidOperationException($"nobody owns a {other}"),
    };

    private void EndPod(string name)
    {
        pods.Remove(name);
        if (IsWanted(name))
        {
            Nodes.RestartPod(name);
        }
        else
        {
            Nodes.TakePod(name);
        }
    }

    private bool IsWanted(string pod) => All(ResourceKind.StatefulSet).Any(set => PodsOf(set).Contains(pod));

    private static IEnumerable<string> PodsOf(JsonObject set) =>
        Enumerable.Range(0, set["spec"]!["replicas"]!.GetValue<int>()).Select(ordinal => $"{ObjectKey.Of(set).Name}-{ordinal}");

    /// <summary>A claim that is deleted ends when no pod uses it.</summary>
    private void ReleaseClaims()
    {
        foreach (var claim in All(ResourceKind.VolumeClaim).Where(claim => claim["metadata"]!["deletionTimestamp"] is not null))
        {
            var pod = Names.NodeOfClaim(ObjectKey.Of(claim).Name)!;
            if (!pods.ContainsKey(pod))
            {
                Api.Remove(ResourceKind.VolumeClaim, ObjectKey.Of(claim).Name);
                Nodes.ForgetVolume(pod);
            }
        }
    }

    private void Fill(JsonObject set)
    {
        var wanted = PodsOf(set).ToList();
        foreach (var name in pods.Keys.Where(name => name.StartsWith(ObjectKey.Of(set).Name + "-", StringComparison.Ordinal) && !wanted.Contains(name)).ToList())
        {
            Api.Remove(ResourceKind.Pod, name);
            EndPod(name);
        }

        foreach (var name in wanted.Where(name => !pods.ContainsKey(name)))
        {
            if (lost.Remove(name))
            {
                Nodes.LoseVolume(name);
            }

            if (Read(ResourceKind.VolumeClaim, Names.VolumeClaim(name)) is null)
            {
                var labels = set["spec"]!["volumeClaimTemplates"]![0]!["metadata"]!["labels"]!.DeepClone();
                Api.Put(ResourceKind.VolumeClaim, new JsonObject { ["metadata"] = Metadata(Names.VolumeClaim(name), labels, new JsonObject { ["finalizers"] = new JsonArray("kubernetes.io/pvc-protection") }) });
            }

            Api.Put(ResourceKind.Pod, NewPod(set, name));
            pods[name] = Read(ResourceKind.Pod, name)!["metadata"]!["uid"]!.ToString();
            Nodes.StartPod(name);
        }
    }

    private static JsonObject NewPod(JsonObject set, string name)
    {
        var template = set["spec"]!["template"]!["metadata"]!;
        var owner = new JsonObject { ["kind"] = "StatefulSet", ["name"] = ObjectKey.Of(set).Name, ["uid"] = set["metadata"]!["uid"]!.DeepClone(), ["controller"] = true };
        return new JsonObject
        {
            ["metadata"] = Metadata(name, template["labels"]!.DeepClone(), new JsonObject { ["annotations"] = template["annotations"]!.DeepClone(), ["ownerReferences"] = new JsonArray(owner) }),
            ["status"] = new JsonObject
            {
                ["phase"] = "Running",
                ["containerStatuses"] = new JsonArray(new JsonObject { ["name"] = Names.NodeContainer, ["state"] = new JsonObject { ["running"] = new JsonObject() } }),
                ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "False" }),
            },
        };
    }

    private static JsonObject Metadata(string name, JsonNode labels, JsonObject more)
    {
        (more["name"], more["namespace"], more["labels"]) = (name, Namespace, labels);
        return more;
    }

    private void ShowReadiness(string name)
    {
        var pod = Read(ResourceKind.Pod, name)!;
        var (ready, wanted) = (pod["status"]!["conditions"]![0]!, Nodes.IsPodReady(name) ? "True" : "False");
        if (ready["status"]!.ToString() != wanted)
        {
            ready["status"] = wanted;
            Api.Put(ResourceKind.Pod, pod);
        }
    }
}
