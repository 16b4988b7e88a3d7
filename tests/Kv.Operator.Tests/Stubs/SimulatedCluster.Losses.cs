using Grpc.Core;
using Kv.Operator.NodeAdmin;
using Admin = Kv.Protos.Admin.V1;

namespace Kv.Operator.Tests.Stubs;

/// <summary>Volumes that are lost, and members that are given up.</summary>
internal sealed partial class SimulatedCluster
{
    private readonly SortedDictionary<string, string> stagedReplaces = new(StringComparer.Ordinal);
    private readonly SortedSet<string> stagedRemoves = new(StringComparer.Ordinal);
    private int rebuilding;

    /// <summary>The disk is gone with all that was on it: the pod starts on an empty one, as another node.</summary>
    public void LoseVolume(string name)
    {
        VolumeOf(name).Renew();
        Damaged.RemoveAll(damage => damage.Node == name);
        processes[name].Restart(template);
    }

    public Task<Admin.Plan> StageReplaceAsync(string address, long documentVersion, string deadId, string peerAddress, CancellationToken cancel)
    {
        Reach(address);
        RequireVersion(address, documentVersion);
        Change(address, () =>
        {
            Reach(peerAddress);
            if (DeadBy(deadId) is not { } name || stagedReplaces.ContainsKey(name))
            {
                return;
            }

            if (name != peerAddress)
            {
                Breaches.Add($"{name} is replaced by {peerAddress}");
            }

            stagedReplaces[name] = IdOf(peerAddress);
            version++;
        });
        return GetPlanAsync(address, cancel);
    }

    public Task<Admin.Plan> StageRemoveAsync(string address, long documentVersion, string deadId, CancellationToken cancel)
    {
        Reach(address);
        RequireVersion(address, documentVersion);
        Change(address, () =>
        {
            if (DeadBy(deadId) is { } name && stagedRemoves.Add(name))
            {
                version++;
            }
        });
        return GetPlanAsync(address, cancel);
    }

    /// <summary>Null if it is no member any more; refused while it is up.</summary>
    private string? DeadBy(string id)
    {
        var name = members.Find(member => memberIds[member] == id);
        return name is null || !IsUp(name) ? name : throw new NodeRefusedException(StatusCode.FailedPrecondition, $"is_up: {name}");
    }

    private void CommitLosses()
    {
        CheckLosses();
        foreach (var (name, id) in stagedReplaces)
        {
            memberIds[name] = id;
            rebuilding += 3;
        }

        foreach (var name in stagedRemoves)
        {
            members.Remove(name);
            memberIds.Remove(name);
            rebuilding += 3;
        }

        stagedReplaces.Clear();
        stagedRemoves.Clear();
    }

    /// <summary>Nobody is given up while a preference list of three has no quorum because another member is only away.</summary>
    private void CheckLosses()
    {
        var given = stagedReplaces.Keys.Concat(stagedRemoves).ToHashSet(StringComparer.Ordinal);
        for (var first = 0; given.Count > 0 && first < members.Count; first++)
        {
            var list = Enumerable.Range(0, Math.Min(3, members.Count)).Select(i => members[(first + i) % members.Count]).Where(name => !given.Contains(name)).ToList();
            if (list.Find(name => !IsUp(name)) is { } away && list.Count(IsUp) < 2)
            {
                Breaches.Add($"{string.Join(", ", given)} is given up while {away} is away");
            }
        }
    }

    private void AddLosses(Admin.Cluster view)
    {
        view.Rebuilding.AddRange(Enumerable.Range(0, rebuilding).Select(partition => (uint)partition));
        view.Staged.AddRange(stagedReplaces.Select(pair => new Admin.StagedChange
        {
            Kind = Admin.StagedChange.Types.Kind.Replace,
            NodeId = pair.Value,
            NodeName = pair.Key,
            ReplacesId = memberIds[pair.Key],
        }));
        view.Staged.AddRange(stagedRemoves.Select(name => new Admin.StagedChange { Kind = Admin.StagedChange.Types.Kind.Remove, NodeId = memberIds[name], NodeName = name }));
    }
}
