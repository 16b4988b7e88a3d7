using System.Globalization;
using System.Text.Json;
using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>
/// Zones, as far as one machine shows them: real pods that tell the ring their zone; and where the scheduler puts the pods of a zone among machines that are objects only, so that these pods are placed and never run.
/// </summary>
[Collection(KubernetesCollection.Name)]
public sealed class ZonesTests(KubernetesCluster cluster, OperatorRelease release)
{
    private static readonly (string Name, string Zone, string Disk)[] Machines =
        [("machine-b1", "zone-b", "slow"), ("machine-b2", "zone-b", "slow"), ("machine-c1", "zone-c", "slow"), ("machine-c2", "zone-c", "fast")];

    private const string Placed = """
        apiVersion: kv.dev/v1alpha1
        kind: Cluster
        metadata: { name: placed }
        spec:
          nodes: 6
          image: registry.invalid/kv-node:1
          resources: { requests: { cpu: 10m, memory: 64Mi }, limits: { memory: 768Mi } }
          zones:
          - { name: a, topologyZone: zone-a }
          - { name: b, topologyZone: zone-b }
          - { name: c, topologyZone: zone-c, nodeSelector: { disk: fast } }

        """;

    [Fact]
    public async Task Nodes_TellTheRingTheirZone_AndItPutsReplicasIntoDifferentOnes()
    {
        await release.RequireAsync();
        await using var storage = await StorageCluster.CreateAsync(cluster, zones: ["a", "b", "c"]);
        var status = JsonDocument.Parse((await storage.KubectlKvAsync("status", "-o", "json")).Output).RootElement;
        var zones = status.GetProperty("members").EnumerateArray().ToDictionary(member => member.GetProperty("name").GetString()!, member => member.GetProperty("zone").GetString()!);
        Assert.Equal(new Dictionary<string, string> { ["small-a-0"] = "a", ["small-b-0"] = "b", ["small-c-0"] = "c" }, zones);

        // Sixteen is no multiple of three: two lists have to meet a zone twice.
        var ring = JsonDocument.Parse((await storage.KubectlKvAsync("ring", "-o", "json")).Output).RootElement;
        var owners = ring.GetProperty("partitions").EnumerateArray().Select(partition => zones[partition.GetProperty("owner").GetString()!]).ToList();
        var lists = Enumerable.Range(0, owners.Count).Select(first => Enumerable.Range(first, 3).Select(at => owners[at % owners.Count]).Distinct().Count());
        Assert.InRange(lists.Count(distinct => distinct < 3), 0, 2);
    }

    [Fact]
    public async Task Pods_OfAZone_ArePlacedOnItsMachines_ApartWhereTheyCanBe()
    {
        await release.RequireAsync();
        var space = $"kv-zones-{Guid.NewGuid():N}"[..16];
        await cluster.KubectlAsync("create", "namespace", space);
        try
        {
            await cluster.KubectlAsync("label", "--overwrite", "nodes", "--all", "topology.kubernetes.io/zone=zone-a");
            await ApplyAsync("create", string.Concat(Machines.Select(Machine)));
            await ApplyAsync("create", Placed, "-n", space, "--validate=false");
            IReadOnlyDictionary<string, string> where = new Dictionary<string, string>();
            await cluster.UntilAsync(
                async () =>
                {
                    await ApplyAsync("apply", string.Concat(Machines.Select(Lease)));
                    where = await PlacesAsync(space);
                    return where.Count == 6;
                },
                TimeSpan.FromMinutes(1), "the scheduler has placed all six pods");
            var real = where["placed-a-0"];
            Assert.DoesNotContain(Machines, machine => machine.Name == real);
            Assert.Equal(
                $"placed-a-0 on {real}, placed-a-1 on {real}, placed-c-0 on machine-c2, placed-c-1 on machine-c2",
                string.Join(", ", where.Where(pod => !pod.Key.StartsWith("placed-b-", StringComparison.Ordinal)).OrderBy(pod => pod.Key).Select(pod => $"{pod.Key} on {pod.Value}")));
            Assert.Equal(["machine-b1", "machine-b2"], new[] { where["placed-b-0"], where["placed-b-1"] }.Order());
        }
        finally
        {
            // No kubelet would ever say that its pods have ended.
            await cluster.TryKubectlAsync(null, "delete", "namespace", space, "--wait=false");
            await cluster.TryKubectlAsync(null, ["delete", "node", "--ignore-not-found", .. Machines.Select(machine => machine.Name)]);
            await cluster.TryKubectlAsync(null, "-n", space, "delete", "pods", "--all", "--grace-period=0", "--force");
            await cluster.TryKubectlAsync(null, "label", "nodes", "--all", "topology.kubernetes.io/zone-");
        }
    }

    private async Task ApplyAsync(string verb, string manifest, params string[] arguments)
    {
        var applied = await cluster.TryKubectlAsync(manifest, [verb, "-f", "-", .. arguments]);
        Assert.True(applied.Succeeded, applied.ToString());
    }

    /// <summary>Pod → the machine that the scheduler chose; those that are not placed are not in it.</summary>
    private async Task<IReadOnlyDictionary<string, string>> PlacesAsync(string space) =>
        (await cluster.KubectlAsync("-n", space, "get", "pods", "-o", "jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName}{\"\\n\"}{end}"))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).Where(pair => pair is [_, { Length: > 0 }]).ToDictionary(pair => pair[0], pair => pair[1]);

    /// <summary>A machine that says that it is ready.</summary>
    private static string Machine((string Name, string Zone, string Disk) machine) => $$"""
        apiVersion: v1
        kind: Node
        metadata:
          name: {{machine.Name}}
          labels: { kubernetes.io/hostname: {{machine.Name}}, topology.kubernetes.io/zone: {{machine.Zone}}, disk: {{machine.Disk}} }
        status:
          capacity: { cpu: "4", memory: 8Gi, pods: "20" }
          allocatable: { cpu: "4", memory: 8Gi, pods: "20" }
          conditions: [{ type: Ready, status: "True", reason: Pretended, message: "", lastHeartbeatTime: "{{Now("s")}}Z", lastTransitionTime: "{{Now("s")}}Z" }]
        ---

        """;

    /// <summary>By which a machine says that it is still there.</summary>
    private static string Lease((string Name, string Zone, string Disk) machine) => $$"""
        apiVersion: coordination.k8s.io/v1
        kind: Lease
        metadata: { name: {{machine.Name}}, namespace: kube-node-lease }
        spec: { holderIdentity: {{machine.Name}}, leaseDurationSeconds: 40, renewTime: "{{Now("yyyy-MM-ddTHH:mm:ss.ffffff")}}Z" }
        ---

        """;

    private static string Now(string format) => DateTime.UtcNow.ToString(format, CultureInfo.InvariantCulture);
}
