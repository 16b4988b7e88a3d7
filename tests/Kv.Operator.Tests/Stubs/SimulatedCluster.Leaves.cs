using Grpc.Core;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.Manifests;
using Kv.Operator.NodeAdmin;
using Admin = Kv.Protos.Admin.V1;

namespace Kv.Operator.Tests.Stubs;

/// <summary>Members that go, their pods and their volumes.</summary>
internal sealed partial class SimulatedCluster
{
    private const int Replication = 3;

    private readonly List<string> stagedLeaves = [];
    private readonly SortedSet<string> leaving = new(StringComparer.Ordinal);

    /// <summary>Exiting members, and of how many partitions each still holds data.</summary>
    private readonly SortedDictionary<string, int> exiting = new(StringComparer.Ordinal);
    private readonly HashSet<string> removed = [];
    private int disruptions = 1;

    /// <summary>No member has room for more.</summary>
    public bool IsFull { get; set; }

    /// <summary>Ids of members that have left.</summary>
    public IReadOnlySet<string> Removed => removed;

    public int VolumesDeleted { get; private set; }

    public int StagedLeaves => stagedLeaves.Count;

    public int StagedJoins => staged.Count;

    public int Disruptions => disruptions;

    public string IdOf(string name) => VolumeOf(name).Generation == 0 ? $"id-{name}" : $"id-{name}-{VolumeOf(name).Generation}";

    public Task<Admin.Plan> StageLeaveAsync(string address, long documentVersion, IEnumerable<string> nodeIds, bool allowFewerZones, CancellationToken cancel)
    {
        Reach(address);
        RequireVersion(address, documentVersion);
        Change(address, () =>
        {
            var names = nodeIds.Select(id => members.Find(member => memberIds[member] == id) ?? throw new NodeRefusedException(StatusCode.NotFound, $"not_member: {id}")).ToList();
            CheckLeaves(stagedLeaves.Union(names, StringComparer.Ordinal).ToList(), allowFewerZones);
            foreach (var name in names.Where(name => !stagedLeaves.Contains(name)))
            {
                stagedLeaves.Add(name);
                version++;
            }
        });
        return GetPlanAsync(address, cancel);
    }

    public Task<Admin.Cluster> ClearStagedAsync(string address, long documentVersion, CancellationToken cancel)
    {
        Reach(address);
        RequireVersion(address, documentVersion);
        Change(address, () =>
        {
            staged.Clear();
            stagedLeaves.Clear();
            stagedReplaces.Clear();
            stagedRemoves.Clear();
            version++;
        });
        return Task.FromResult(View());
    }

    public Task<Admin.Cluster> ConfirmExitAsync(string address, string nodeId, CancellationToken cancel)
    {
        Reach(address);
        Change(address, () =>
        {
            if (members.Find(member => memberIds[member] == nodeId) is not { } name)
            {
                return;
            }

            if (name == address || !exiting.TryGetValue(name, out var held))
            {
                Breaches.Add($"the exit of {name} is to be confirmed by {address} while it is {StateOf(name)}");
                return;
            }

            Reach(name);
            if (held > 0)
            {
                throw new NodeRefusedException(StatusCode.FailedPrecondition, $"holds_data: {held} partitions");
            }

            members.Remove(name);
            memberIds.Remove(name);
            exiting.Remove(name);
            removed.Add(nodeId);
            version++;
        });
        return Task.FromResult(View());
    }

    public Task SetBudgetAsync(Cluster cluster, ObservedCluster observed, int count, CancellationToken cancel)
    {
        Change("world", () => disruptions = count);
        return Task.CompletedTask;
    }

    public Task ReleaseVolumeAsync(Cluster cluster, ObservedVolume volume, CancellationToken cancel)
    {
        Change("world", () => OnVolume(volume, one =>
        {
            RequireUseless(volume.NodeName, "marked");
            one.IsReleased = true;
        }));
        return Task.CompletedTask;
    }

    public Task DeleteVolumeAsync(Cluster cluster, ObservedVolume volume, CancellationToken cancel)
    {
        Change("world", () => OnVolume(volume, one =>
        {
            RequireUseless(volume.NodeName, "deleted");
            if (!one.IsReleased || IsPod(cluster, volume.NodeName))
            {
                Breaches.Add($"the volume of {volume.NodeName} is deleted though nobody said that it may be, or a pod uses it");
            }

            one.Renew();
            VolumesDeleted++;
        }));
        return Task.CompletedTask;
    }

    public Task RenewVolumeAsync(Cluster cluster, ObservedCluster observed, ObservedNode node, CancellationToken cancel)
    {
        Change("world", () =>
        {
            if (ProcessOf(node.Name).Uid != node.Uid)
            {
                return;
            }

            RequireUseless(node.Name, "made anew");
            VolumeOf(node.Name).Renew();
            processes[node.Name].Restart(template);
        });
        return Task.CompletedTask;
    }

    private SimulatedVolume VolumeOf(string name) => volumes.GetOrAdd(name, _ => new SimulatedVolume());

    private IEnumerable<ObservedVolume> VolumesOf(Cluster cluster) => volumes
        .Where(pair => pair.Key.StartsWith(cluster.Metadata.Name, StringComparison.Ordinal))
        .OrderBy(pair => pair.Key, StringComparer.Ordinal)
        .Select(pair => new ObservedVolume(pair.Key, $"{pair.Key}-{pair.Value.Generation}") { IsReleased = pair.Value.IsReleased, IsUsed = IsPod(cluster, pair.Key) });

    private bool IsPod(Cluster cluster, string name) => replicas.Any(pair => Enumerable.Range(0, pair.Value).Any(ordinal => Names.Pod(cluster, pair.Key, ordinal) == name));

    private bool IsRemoved(string name) => removed.Contains(IdOf(name));

    private Admin.MemberState StateOf(string name) =>
        staged.Contains(name) ? Admin.MemberState.Joining
        : exiting.ContainsKey(name) ? Admin.MemberState.Exiting
        : leaving.Contains(name) ? Admin.MemberState.Leaving
        : Admin.MemberState.Valid;

    private void OnVolume(ObservedVolume volume, Action<SimulatedVolume> change)
    {
        if (volume.Uid == $"{volume.NodeName}-{VolumeOf(volume.NodeName).Generation}")
        {
            change(VolumeOf(volume.NodeName));
        }
    }

    private void RequireUseless(string name, string what)
    {
        if (IsMember(name) || staged.Contains(name) || !IsRemoved(name))
        {
            Breaches.Add($"the volume of {name} is {what} though the node has not left");
        }
    }

    private void EndPod(string name)
    {
        if (members.Contains(name) || staged.Contains(name))
        {
            Breaches.Add($"the pod of the member {name} is taken away");
        }

        processes.TryRemove(name, out _);
    }

    /// <summary>As the nodes do it, at the stage and at the commit.</summary>
    private void CheckLeaves(List<string> names, bool allowFewerZones)
    {
        if (names.Count == 0)
        {
            return;
        }

        var stay = members.Count + staged.Count - names.Count;
        var (word, why) = PendingTransfers > 0 ? ("pending_transfers", "partitions are on their way")
            : members.Find(member => !IsUp(member)) is { } away ? ("member_down", $"{away} is away")
            : IsFull ? ("no_space", "there is no room")
            : members.Count >= Replication && stay < Replication ? ("too_few_members", $"{stay} would stay")
            : !allowFewerZones && ZonesOf(members.Except(names)) < Math.Min(Replication, ZonesOf(members)) ? ("too_few_zones", "members would stay in fewer zones")
            : ("", "");
        if (word.Length > 0)
        {
            throw new NodeRefusedException(StatusCode.FailedPrecondition, $"{word}: {why}");
        }
    }

    /// <summary>A pod is named after cluster, zone and ordinal.</summary>
    private static int ZonesOf(IEnumerable<string> names) => names.Select(name => name[..name.LastIndexOf('-')]).Distinct(StringComparer.Ordinal).Count();

    /// <summary>Who owns nothing any more is exiting, and hands back what it holds for others.</summary>
    private void MoveLeavers(int count)
    {
        foreach (var name in exiting.Keys.Where(name => !IsDown(name)).ToList())
        {
            exiting[name] = Math.Max(0, exiting[name] - count);
        }

        if (PendingTransfers == 0)
        {
            foreach (var name in leaving.ToList())
            {
                exiting[name] = 2;
                leaving.Remove(name);
                version++;
            }
        }
    }
}
