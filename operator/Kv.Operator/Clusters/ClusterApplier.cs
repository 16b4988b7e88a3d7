using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Gates;
using Kv.Operator.NodeAdmin;

namespace Kv.Operator.Clusters;

/// <summary>Carries out one action: the only place that changes objects or nodes.</summary>
internal sealed class ClusterApplier(IClusterWorld world, INodeAdmin admin)
{
    /// <returns>Why it was not done now, which is waiting and not failing; null if it was done.</returns>
    public async Task<GateVerdict.Closed?> ApplyAsync(Cluster cluster, ObservedCluster observed, ClusterAction action, CancellationToken cancel)
    {
        try
        {
            return await CarryOutAsync(cluster, observed, action, cancel);
        }
        catch (NodeRefusedException refused) when (Refusals.Why(refused) is { } why)
        {
            return why;
        }
        catch (WorldException e) when (e.IsEnding)
        {
            return new GateVerdict.Closed(Conditions.Reasons.Deleting, "its namespace is being deleted", IsPassing: true);
        }
    }

    private async Task<GateVerdict.Closed?> CarryOutAsync(Cluster cluster, ObservedCluster observed, ClusterAction action, CancellationToken cancel)
    {
        switch (action)
        {
            case ClusterAction.ApplyChildren:
                await world.ApplyChildrenAsync(cluster, observed, ReplicasToKeep(cluster, observed), cancel);
                break;
            case ClusterAction.GrowStatefulSets grow:
                await world.ApplyChildrenAsync(cluster, observed, grow.ReplicasByZone, cancel);
                break;
            case ClusterAction.CreateRing create:
                await admin.CreateClusterAsync(create.AdminAddress, ClusterBlocks.IdOf(cluster), cluster.Metadata.Name, cluster.Spec.RingSize, cancel);
                break;
            case ClusterAction.StageJoins join:
                await OnAnyMemberAsync(observed, address => admin.StageJoinAsync(address, VersionOf(observed), join.Nodes.Select(node => node.PeerAddress), cancel));
                break;
            case ClusterAction.CommitPlan commit:
                await OnAnyMemberAsync(observed, address => admin.CommitPlanAsync(address, commit.PlanId, cancel));
                break;
            case ClusterAction.StageLeaves leave:
                await OnAnyMemberAsync(observed, address => admin.StageLeaveAsync(address, VersionOf(observed), leave.Members.Select(member => member.Id), leave.AreZonesRefilled, cancel));
                break;
            case ClusterAction.StageReplace replace:
                await OnAnyMemberAsync(observed, address => admin.StageReplaceAsync(address, VersionOf(observed), replace.Lost.Id, replace.Node.PeerAddress, cancel));
                break;
            case ClusterAction.StageRemove remove:
                await OnAnyMemberAsync(observed, address => admin.StageRemoveAsync(address, VersionOf(observed), remove.Lost.Id, cancel));
                break;
            case ClusterAction.ClearStaged:
                await OnAnyMemberAsync(observed, address => admin.ClearStagedAsync(address, VersionOf(observed), cancel));
                break;
            case ClusterAction.ConfirmExit exit:
                await OnAnyMemberAsync(observed, address => admin.ConfirmExitAsync(address, exit.Member.Id, cancel));
                break;
            case ClusterAction.RebuildPartition rebuild:
                await RebuildAsync(rebuild, cancel);
                break;
            case ClusterAction.ShrinkStatefulSets shrink:
                await ShrinkAsync(cluster, observed, shrink, cancel);
                break;
            case ClusterAction.RenewVolume renew:
                await world.RenewVolumeAsync(cluster, observed, renew.Node, cancel);
                break;
            case ClusterAction.DeleteVolumes delete:
                foreach (var volume in delete.Volumes)
                {
                    await world.DeleteVolumeAsync(cluster, volume, cancel);
                }

                break;
            case ClusterAction.SetBudget budget:
                await world.SetBudgetAsync(cluster, observed, budget.Disruptions, cancel);
                break;
            case ClusterAction.RestartNode restart:
                // A closed budget keeps others out already, and the gate is open for this one.
                return await world.RestartAsync(cluster, restart.Node, restart.IsBroken || observed.DisruptionsAllowed == 0, cancel);
            default:
                // The others wait.
                break;
        }

        return null;
    }

    /// <summary>The owner alone has the damage. That there is none any more is what was wanted: somebody else ordered it too.</summary>
    private async Task RebuildAsync(ClusterAction.RebuildPartition rebuild, CancellationToken cancel)
    {
        try
        {
            await admin.RebuildPartitionAsync(rebuild.Node.AdminAddress, rebuild.Partition, cancel);
        }
        catch (NodeRefusedException refused) when (refused.Word == Refusals.NotDamaged)
        {
        }
    }

    /// <summary>Marked first: once the node is gone, nobody could tell its volume from another's.</summary>
    private async Task ShrinkAsync(Cluster cluster, ObservedCluster observed, ClusterAction.ShrinkStatefulSets shrink, CancellationToken cancel)
    {
        foreach (var volume in shrink.Released)
        {
            await world.ReleaseVolumeAsync(cluster, volume, cancel);
        }

        await world.ApplyChildrenAsync(cluster, observed, shrink.ReplicasByZone, cancel);
    }

    /// <summary>Replicas when an object is put right: those that are there; the share of the spec only for a zone that has none yet.</summary>
    private static Dictionary<string, int> ReplicasToKeep(Cluster cluster, ObservedCluster observed)
    {
        var shares = ZoneShares.Of(cluster.Spec, observed.Workloads);
        return shares.ToDictionary(
            pair => pair.Key,
            pair => observed.Workloads.FirstOrDefault(workload => workload.Zone == pair.Key)?.Replicas ?? pair.Value,
            StringComparer.Ordinal);
    }

    private static long VersionOf(ObservedCluster observed) => observed.Ring?.Version ?? 0;

    private static Task<T> OnAnyMemberAsync<T>(ObservedCluster observed, Func<string, Task<T>> call) => AnyMember.AskAsync(AnyMember.AddressesOf(observed), call);
}
