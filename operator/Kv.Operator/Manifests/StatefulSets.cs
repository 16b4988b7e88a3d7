using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;

namespace Kv.Operator.Manifests;

/// <summary>
/// The StatefulSet of a zone. Parallel and OnDelete: pods start all at once, and none is ever restarted by the StatefulSet's own controller,
/// so neither a change of the spec nor a new operator takes a node down by itself.
/// </summary>
internal static class StatefulSets
{
    /// <summary>On a pod: what of the spec it was made from.</summary>
    public const string SpecHash = "kv.dev/spec-hash";

    private const int UserId = 65532;
    private const int MaxSeeds = 256;
    private const string DataPath = "/var/lib/kv";

    /// <summary>Within the grace period, and with room after it for the node's own stop (25 s).</summary>
    private const int DrainSeconds = 20;
    private const int GraceSeconds = 60;

    /// <param name="cluster">The cluster.</param>
    /// <param name="zone">Its zone; empty where there are none.</param>
    /// <param name="replicas">Decided by the planner: smaller than what is there only when those beyond have left.</param>
    /// <param name="existing">The workload that is there: its volumes keep their size and class, and without an image in the spec it keeps its image.</param>
    /// <param name="settings">Variables that the cluster's ConfigMap has already.</param>
    /// <param name="defaultImage">For a workload that is not there yet and a spec that names none.</param>
    public static JsonObject Build(Cluster cluster, string zone, int replicas, ObservedWorkload? existing, IReadOnlySet<string> settings, NodeImage defaultImage) => new()
    {
        ["apiVersion"] = "apps/v1",
        ["kind"] = "StatefulSet",
        ["metadata"] = Parts.Metadata(cluster, Names.StatefulSet(cluster, zone), zone),
        ["spec"] = new JsonObject
        {
            ["replicas"] = replicas,
            ["serviceName"] = Names.Headless(cluster),
            ["podManagementPolicy"] = "Parallel",
            ["updateStrategy"] = new JsonObject { ["type"] = "OnDelete" },
            ["revisionHistoryLimit"] = 5,
            ["selector"] = new JsonObject { ["matchLabels"] = Parts.Selector(cluster, zone) },
            ["template"] = Overlay.Merge(Template(cluster, zone, replicas, settings, defaultImage.For(cluster.Spec, existing?.Image)), cluster.Spec.PodTemplate ?? []),
            ["volumeClaimTemplates"] = new JsonArray(Volume(cluster, zone, existing)),
        },
    };

    private static JsonObject Template(Cluster cluster, string zone, int replicas, IReadOnlySet<string> settings, string image)
    {
        var spec = new JsonObject
        {
            ["serviceAccountName"] = Names.ServiceAccount(cluster),
            ["automountServiceAccountToken"] = false,
            ["enableServiceLinks"] = false,
            ["terminationGracePeriodSeconds"] = GraceSeconds,
            ["securityContext"] = new JsonObject
            {
                ["runAsNonRoot"] = true,
                ["runAsUser"] = UserId,
                ["runAsGroup"] = UserId,
                ["fsGroup"] = UserId,
                ["fsGroupChangePolicy"] = "OnRootMismatch",
                ["seccompProfile"] = new JsonObject { ["type"] = "RuntimeDefault" },
            },
            ["affinity"] = Affinity(cluster),
            ["containers"] = new JsonArray(Container(cluster, zone, replicas, image)),
            ["volumes"] = new JsonArray(new JsonObject { ["name"] = "tmp", ["emptyDir"] = new JsonObject { ["sizeLimit"] = "64Mi" } }),
        };
        if (NodeSelector(cluster, zone) is { Count: > 0 } nodeSelector)
        {
            spec["nodeSelector"] = nodeSelector;
        }

        return new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["labels"] = Parts.Labels(cluster, zone),
                ["annotations"] = new JsonObject { [SpecHash] = HashOf(cluster, zone, settings, image) },
            },
            ["spec"] = spec,
        };
    }

    private static JsonObject Container(Cluster cluster, string zone, int replicas, string image)
    {
        var resources = Resources(cluster.Spec.Resources);
        return new JsonObject
        {
            ["name"] = Names.NodeContainer,
            ["image"] = image,
            ["imagePullPolicy"] = "IfNotPresent",
            ["env"] = Environment(cluster, zone, replicas),
            ["envFrom"] = new JsonArray(new JsonObject { ["configMapRef"] = new JsonObject { ["name"] = Names.Config(cluster) } }),
            ["ports"] = new JsonArray([.. Ports.All.Select(port => new JsonObject { ["name"] = port.Name, ["containerPort"] = port.Number, ["protocol"] = "TCP" })]),
            ["resources"] = resources,
            ["securityContext"] = new JsonObject
            {
                ["allowPrivilegeEscalation"] = false,
                ["readOnlyRootFilesystem"] = true,
                ["capabilities"] = new JsonObject { ["drop"] = new JsonArray("ALL") },
            },
            // Recovery of a large volume takes minutes; a node that cannot start within half an hour is not helped by a restart sooner.
            ["startupProbe"] = Probe("/startupz", period: 2, failures: 900),
            ["livenessProbe"] = Probe("/livez", period: 10, failures: 6),
            ["readinessProbe"] = Probe("/readyz", period: 3, failures: 2),
            // Asked over HTTP: the image has no shell. Before the node is told to end, clients go elsewhere and hints go home. Kubelets before 1.26 put a slash before the path.
            ["lifecycle"] = new JsonObject
            {
                ["preStop"] = new JsonObject { ["httpGet"] = new JsonObject { ["path"] = $"drain?budget={DrainSeconds}", ["port"] = Ports.Metrics, ["scheme"] = "HTTP" } },
            },
            ["volumeMounts"] = new JsonArray(
                new JsonObject { ["name"] = Names.DataVolume, ["mountPath"] = DataPath },
                new JsonObject { ["name"] = "tmp", ["mountPath"] = "/tmp" }),
        };
    }

    private static JsonArray Environment(Cluster cluster, string zone, int replicas)
    {
        var variables = new JsonArray(
            new JsonObject { ["name"] = "KV_NAME", ["valueFrom"] = new JsonObject { ["fieldRef"] = new JsonObject { ["fieldPath"] = "metadata.name" } } },
            Variable("KV_DATA", DataPath),
            Variable("KV_LISTEN", "0.0.0.0"),
            Variable("KV_ADVERTISE", Names.PodHost(cluster, "$(KV_NAME)")),
            new JsonObject
            {
                ["name"] = "KV_MEMORY_LIMIT",
                ["valueFrom"] = new JsonObject { ["resourceFieldRef"] = new JsonObject { ["containerName"] = Names.NodeContainer, ["resource"] = "limits.memory" } },
            },
            // A diagnostics socket would want a place to write and a reader that there is none of.
            Variable("DOTNET_EnableDiagnostics", "0"));
        if (replicas > 0)
        {
            variables.Add((JsonNode)Variable("KV_SEEDS", Seeds(cluster, zone, replicas)));
        }

        if (zone != ZoneShares.NoZone)
        {
            variables.Add((JsonNode)Variable("KV_ZONE", zone));
        }

        foreach (var (name, number) in Ports.All)
        {
            variables.Add((JsonNode)Variable(ConfigMaps.VariableName(name + "-port"), number.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }

        return variables;
    }

    /// <summary>The zone's pods, which outlive their addresses. No part of what restarts pods: a zone that grows restarts none.</summary>
    private static string Seeds(Cluster cluster, string zone, int replicas) => string.Join(',', Enumerable.Range(0, Math.Min(replicas, MaxSeeds)).Select(ordinal =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Names.PodHost(cluster, Names.Pod(cluster, zone, ordinal))}:{Ports.Number(Ports.Peer)}")));

    private static JsonObject Variable(string name, string value) => new() { ["name"] = name, ["value"] = value };

    private static JsonObject Probe(string path, int period, int failures) => new()
    {
        ["httpGet"] = new JsonObject { ["path"] = path, ["port"] = Ports.Metrics, ["scheme"] = "HTTP" },
        ["periodSeconds"] = period,
        ["timeoutSeconds"] = 3,
        ["failureThreshold"] = failures,
    };

    /// <summary>What is asked for, with a memory limit in any case: the node's memory budget is computed from it.</summary>
    private static JsonObject Resources(ClusterResources wanted)
    {
        var limits = Quantities(wanted.Limits);
        limits.TryAdd("memory", "2Gi");
        var requests = Quantities(wanted.Requests);
        requests.TryAdd("memory", limits["memory"]!.ToString());
        requests.TryAdd("cpu", "250m");
        return new JsonObject { ["requests"] = requests, ["limits"] = limits };
    }

    private static JsonObject Quantities(Dictionary<string, k8s.Models.IntOrString>? quantities) =>
        new((quantities ?? []).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create((string)pair.Value))));

    /// <summary>Apart from each other where that is possible: two copies on a machine are one copy when it fails.</summary>
    private static JsonObject Affinity(Cluster cluster) => new()
    {
        ["podAntiAffinity"] = new JsonObject
        {
            ["preferredDuringSchedulingIgnoredDuringExecution"] = new JsonArray(new JsonObject
            {
                ["weight"] = 100,
                ["podAffinityTerm"] = new JsonObject
                {
                    ["labelSelector"] = new JsonObject { ["matchLabels"] = Parts.Selector(cluster, null) },
                    ["topologyKey"] = "kubernetes.io/hostname",
                },
            }),
        },
    };

    private static JsonObject NodeSelector(Cluster cluster, string zone)
    {
        var selector = new JsonObject();
        if (cluster.Spec.Zones?.Find(one => one.Name == zone) is { } wanted)
        {
            foreach (var (key, value) in (wanted.NodeSelector ?? []).OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                selector[key] = value;
            }

            if (wanted.TopologyZone is not null)
            {
                selector["topology.kubernetes.io/zone"] = wanted.TopologyZone;
            }
        }

        return selector;
    }

    /// <summary>No owner: a volume outlives its pod and its cluster. The templates of a StatefulSet cannot be changed, so one that is there keeps its own.</summary>
    private static JsonObject Volume(Cluster cluster, string zone, ObservedWorkload? existing)
    {
        var storageClass = existing is null ? cluster.Spec.Storage.StorageClass : existing.StorageClass;
        var spec = new JsonObject
        {
            ["accessModes"] = new JsonArray("ReadWriteOnce"),
            ["resources"] = new JsonObject { ["requests"] = new JsonObject { ["storage"] = existing?.StorageSize ?? cluster.Spec.Storage.Size } },
        };
        if (storageClass is not null)
        {
            spec["storageClassName"] = storageClass;
        }

        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "PersistentVolumeClaim",
            ["metadata"] = new JsonObject { ["name"] = Names.DataVolume, ["labels"] = Parts.Labels(cluster, zone) },
            ["spec"] = spec,
        };
    }

    /// <summary>
    /// Of what people can ask for that only a new pod carries out. What the operator adds of its own is not in it, so that a new operator makes no pod outdated.
    /// </summary>
    private static string HashOf(Cluster cluster, string zone, IReadOnlySet<string> settings, string image)
    {
        var asked = new JsonArray(
            image, ConfigMaps.Data(cluster, settings), Resources(cluster.Spec.Resources), NodeSelector(cluster, zone), cluster.Spec.PodTemplate?.DeepClone(), cluster.Spec.RestartReason);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(asked.ToJsonString())))[..16];
    }
}
