using System.Collections.Immutable;
using System.Globalization;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.Gates;
using Kv.Operator.Manifests;

namespace Kv.Operator.Local;

/// <summary>Processes on loopback in place of StatefulSets: what the planner sees and asks for is the same.</summary>
internal sealed class LocalWorld(LocalFiles files, NodeSupervisor supervisor, PortReservations reservations) : IClusterWorld, IDisposable
{
    private readonly HttpClient http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(1) }) { Timeout = TimeSpan.FromSeconds(2) };
    private readonly Dictionary<string, ImmutableArray<NodeSpec>> nodesByCluster = new(StringComparer.Ordinal);

    public IReadOnlyList<NodeSpec> NodesOf(string cluster) => nodesByCluster.GetValueOrDefault(cluster, []);

    /// <summary>Why the endpoints file is not what it should be; empty if it is.</summary>
    public string EndpointsTrouble { get; private set; } = "";

    public async Task<ObservedCluster> ObserveAsync(Cluster cluster, CancellationToken cancel)
    {
        var record = files.ReadCluster(cluster.Metadata.Name);
        var replicas = record?.Replicas ?? [];
        if (record is not null)
        {
            Want(cluster, record);
        }

        var children = ZoneShares.ZonesOf(cluster.Spec)
            .Select(zone => new ObservedChild("NodeSet", Names.StatefulSet(cluster, zone), replicas.ContainsKey(zone) ? ChildState.Current : ChildState.Missing));
        var workloads = replicas.Select(pair => new ObservedWorkload(pair.Key, Names.StatefulSet(cluster, pair.Key), pair.Value)
        {
            StorageSize = record!.StorageSize,
            StorageClass = record.StorageClass,
        });
        var nodes = await Task.WhenAll(NodesOf(cluster.Metadata.Name).Select(node => ObserveNodeAsync(node, cancel)));
        return new ObservedCluster { Children = [.. children], Workloads = [.. workloads], Nodes = [.. nodes], Volumes = [.. VolumesOf(cluster, record)] };
    }

    public Task ApplyChildrenAsync(Cluster cluster, ObservedCluster observed, IReadOnlyDictionary<string, int> replicasByZone, CancellationToken cancel)
    {
        var record = RecordOf(cluster) with { Replicas = new SortedDictionary<string, int>(replicasByZone.ToDictionary(), StringComparer.Ordinal) };
        files.WriteCluster(cluster.Metadata.Name, record);
        Want(cluster, record);
        return Task.CompletedTask;
    }

    public Task<GateVerdict.Closed?> RestartAsync(Cluster cluster, ObservedNode node, bool isBroken, CancellationToken cancel)
    {
        if (IsStill(node))
        {
            supervisor.Restart(node.Name, withoutData: false);
        }

        return Task.FromResult<GateVerdict.Closed?>(null);
    }

    /// <summary>Nobody drains this machine.</summary>
    public Task SetBudgetAsync(Cluster cluster, ObservedCluster observed, int disruptions, CancellationToken cancel) => Task.CompletedTask;

    public Task ReleaseVolumeAsync(Cluster cluster, ObservedVolume volume, CancellationToken cancel)
    {
        var record = RecordOf(cluster);
        record.Released.Add(volume.NodeName);
        files.WriteCluster(cluster.Metadata.Name, record);
        return Task.CompletedTask;
    }

    /// <summary>The directory first: a mark without a directory is only to be taken away.</summary>
    public Task DeleteVolumeAsync(Cluster cluster, ObservedVolume volume, CancellationToken cancel)
    {
        var record = RecordOf(cluster);
        files.DeleteData(volume.NodeName);
        record.Released.Remove(volume.NodeName);
        files.WriteCluster(cluster.Metadata.Name, record);
        return Task.CompletedTask;
    }

    public Task RenewVolumeAsync(Cluster cluster, ObservedCluster observed, ObservedNode node, CancellationToken cancel)
    {
        if (IsStill(node))
        {
            supervisor.Restart(node.Name, withoutData: true);
            var record = RecordOf(cluster);
            record.Released.Remove(node.Name);
            files.WriteCluster(cluster.Metadata.Name, record);
        }

        return Task.CompletedTask;
    }

    /// <summary>The id of a cluster, drawn once; the cluster is known from then on.</summary>
    public string Adopt(Cluster cluster)
    {
        if (files.ReadCluster(cluster.Metadata.Name) is { } known)
        {
            return known.Uid;
        }

        var record = new ClusterRecord(Guid.NewGuid().ToString(), [], cluster.Spec.Storage.Size, cluster.Spec.Storage.StorageClass);
        files.WriteCluster(cluster.Metadata.Name, record);
        return record.Uid;
    }

    /// <summary>Its nodes end; its data stays.</summary>
    public void Forget(string cluster)
    {
        if (nodesByCluster.Remove(cluster))
        {
            Publish();
        }
    }

    public void Dispose() => http.Dispose();

    private ClusterRecord RecordOf(Cluster cluster) =>
        files.ReadCluster(cluster.Metadata.Name) ?? throw new WorldException($"the record of {cluster.Metadata.Name} has gone from {files.Root}");

    private bool IsStill(ObservedNode node) => supervisor.PidOf(node.Name) is { } pid && pid.ToString(CultureInfo.InvariantCulture) == node.Uid;

    /// <summary>Of the nodes that are wanted, and of those that left.</summary>
    private IEnumerable<ObservedVolume> VolumesOf(Cluster cluster, ClusterRecord? record) => NodesOf(cluster.Metadata.Name)
        .Select(node => node.Name)
        .Union(record?.Released ?? [], StringComparer.Ordinal)
        .Select(node => new ObservedVolume(node, node) { IsReleased = record?.Released.Contains(node) == true, IsUsed = supervisor.Has(node) });

    private void Want(Cluster cluster, ClusterRecord record)
    {
        var blocks = files.ReadPortBlocks().ToDictionary(StringComparer.Ordinal);
        var before = blocks.Count;
        var nodes = new List<NodeSpec>();
        foreach (var (zone, replicas) in record.Replicas)
        {
            for (var ordinal = 0; ordinal < replicas; ordinal++)
            {
                var name = Names.Pod(cluster, zone, ordinal);
                if (!blocks.TryGetValue(name, out var block))
                {
                    blocks[name] = block = PortBlocks.Choose(blocks.Values, PortBlocks.IsFree, reservations.TryReserve);
                }
                else if (!reservations.TryReserve(block))
                {
                    throw new WorldException($"the ports of {name} ({PortBlocks.PortsOf(block)[Ports.RiakHttp]} and its like) are another local run's: stop that one first");
                }

                nodes.Add(new NodeSpec(name, zone, PortBlocks.PortsOf(block), Settings(cluster)) { RestartReason = cluster.Spec.RestartReason ?? "", Ordinal = ordinal });
            }
        }

        if (blocks.Count != before)
        {
            files.WritePortBlocks(blocks);
        }

        var old = NodesOf(cluster.Metadata.Name);
        ImmutableArray<string> seeds = [.. nodes.Select(node => node.AddressOf(Ports.Peer))];
        nodesByCluster[cluster.Metadata.Name] = [.. nodes.Select(node => node with { Seeds = seeds })];
        if (EndpointsTrouble.Length > 0 || old.Count != nodes.Count || !old.Zip(nodes).All(pair => pair.First.RestartReason == pair.Second.RestartReason && pair.First.Settings.SequenceEqual(pair.Second.Settings)))
        {
            Publish();
        }
    }

    private void Publish()
    {
        var nodes = nodesByCluster.Values.SelectMany(nodes => nodes).ToList();
        supervisor.Want(nodes);
        try
        {
            files.WriteEndpoints(nodes.SelectMany(node => node.Ports.Keys.Select(protocol => (node.Name, protocol, node.AddressOf(protocol)))));
            EndpointsTrouble = "";
        }
        catch (WorldException e)
        {
            // The file is for others: a full disk must not hold up what the nodes need. Written again in the next pass.
            EndpointsTrouble = e.Message;
        }
    }

    private static ImmutableSortedDictionary<string, string> Settings(Cluster cluster)
    {
        var settings = (cluster.Spec.Config ?? []).ToImmutableSortedDictionary(StringComparer.Ordinal);
        var limit = cluster.Spec.Resources.Limits?.TryGetValue("memory", out var memory) == true ? (string)memory : "2Gi";
        var bytes = new k8s.Models.ResourceQuantity(limit).ToDecimal();
        return settings.SetItem("memory-limit", decimal.Truncate(bytes).ToString(CultureInfo.InvariantCulture));
    }

    private async Task<ObservedNode> ObserveNodeAsync(NodeSpec node, CancellationToken cancel)
    {
        var isRunning = supervisor.IsRunning(node.Name);
        return new ObservedNode(node.Name, node.Zone, node.Ordinal)
        {
            Running = isRunning,
            Ready = isRunning && await IsReadyAsync(node, cancel),
            Uid = supervisor.PidOf(node.Name) is { } pid ? pid.ToString(CultureInfo.InvariantCulture) : "",
            IsOutdated = supervisor.IsOutdated(node.Name),
            Problem = supervisor.ProblemOf(node.Name),
            AdminAddress = node.AddressOf(Ports.Admin),
            PeerAddress = node.AddressOf(Ports.Peer),
        };
    }

    private async Task<bool> IsReadyAsync(NodeSpec node, CancellationToken cancel)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri($"http://{node.AddressOf(Ports.Metrics)}/readyz"), cancel);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (TaskCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }
}
