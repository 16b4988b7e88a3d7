using Grpc.Core;
using Kv.Operator.Api.Clusters;
using Kv.Operator.NodeAdmin;

namespace Kv.Operator.Clusters;

/// <summary>Carries out one action: the only place that changes objects or nodes.</summary>
internal sealed class ClusterApplier(IClusterWorld world, INodeAdmin admin)
{
    public async Task ApplyAsync(Cluster cluster, ObservedCluster observed, ClusterAction action, CancellationToken cancel)
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
                await OnAnyMemberAsync(observed, address => admin.StageJoinAsync(address, join.Nodes.Select(node => node.PeerAddress), cancel));
                break;
            case ClusterAction.CommitPlan commit:
                await OnAnyMemberAsync(observed, address => admin.CommitPlanAsync(address, commit.PlanId, cancel));
                break;
            case ClusterAction.RestartNode restart:
                await world.RestartAsync(cluster, restart.Node, restart.IsBroken, cancel);
                break;
            default:
                // The others wait.
                break;
        }
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

    /// <summary>Any member can carry a change to the agreement of all; a node that does not answer, or sees no majority, is no reason to give up.</summary>
    private static async Task OnAnyMemberAsync(ObservedCluster observed, Func<string, Task> call)
    {
        Exception? last = null;
        var ring = observed.Ring ?? throw new InvalidOperationException("a change of the ring needs a ring");
        var members = observed.Nodes.Where(node => node.Answer is { } answer && ring.MemberById(answer.Id) is { State: MemberState.Valid }).Take(3);
        foreach (var node in members)
        {
            try
            {
                await call(node.AdminAddress);
                return;
            }
            catch (NodeUnreachableException e)
            {
                last = e;
            }
            catch (NodeRefusedException e) when (e.Code is StatusCode.Aborted)
            {
                last = e;
            }
        }

        throw last ?? new NodeUnreachableException("the ring", "has no member that answers", null);
    }
}
