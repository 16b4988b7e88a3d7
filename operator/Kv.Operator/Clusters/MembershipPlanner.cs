using System.Collections.Immutable;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Gates;

namespace Kv.Operator.Clusters;

/// <summary>
/// Who joins and who leaves, as one plan; and what becomes of the pods and volumes of those that left. Pure; asked only while no partition moves and the members agree
/// on their document. A node goes in this order and no other: staged, committed, all handed off, confirmed by others, its pod, its volume.
/// </summary>
internal static class MembershipPlanner
{
    /// <summary>How long nodes that are not there yet hold up the joins of those that are.</summary>
    public static readonly TimeSpan JoinPatience = TimeSpan.FromMinutes(2);

    public static ClusterAction? Next(Cluster cluster, ObservedCluster observed, ObservedRing ring, DateTimeOffset now) =>
        NextOfExits(observed, ring)
        ?? NextOfPlan(cluster, observed, ring, now)
        ?? NextOfGone(cluster, observed, ring)
        ?? (ClusterAction?)NextOfRemoved(cluster, observed, ring)
        ?? NextOfVolumes(cluster, observed, ring);

    /// <summary>Replicas that nothing was ever put on, while there is no ring and never was: the spec was lowered before the cluster began.</summary>
    public static ClusterAction.ShrinkStatefulSets? BeforeRing(Cluster cluster, ObservedCluster observed) => cluster.Status.Ring is not null
        ? null
        : Shrink(cluster, observed, node => node.Answer is { ClusterId.Length: 0 } || !node.Running);

    /// <summary>A member that owns nothing is forgotten as soon as it says that it holds nothing; never by a guess.</summary>
    private static ClusterAction? NextOfExits(ObservedCluster observed, ObservedRing ring)
    {
        var exiting = ring.Members
            .Where(member => member.State == MemberState.Exiting)
            .Select(member => (Member: member, Held: observed.Nodes.FirstOrDefault(node => node.Answer?.Id == member.Id)?.Answer?.HeldPartitions))
            .OrderByDescending(one => one.Held == 0)
            .ToList();
        return exiting switch
        {
            [] => null,
            [(var member, 0), ..] => new ClusterAction.ConfirmExit(member),
            [var first, ..] => new ClusterAction.WaitForExit(first.Member, first.Held),
        };
    }

    private static ClusterAction? NextOfPlan(Cluster cluster, ObservedCluster observed, ObservedRing ring, DateTimeOffset now)
    {
        var departing = Departures.Of(cluster, observed, ring);
        var shares = ZoneShares.Of(cluster.Spec, observed.Workloads);
        var stray = ring.Staged.Where(staged => staged.IsJoin
            ? observed.Nodes.Any(node => node.Name == staged.NodeName && node.Ordinal >= shares[node.Zone])
            : staged.LostId is null && departing.All(member => member.Id != staged.NodeId)).ToImmutableArray();
        if (stray.Length > 0)
        {
            // Ours, and not wanted any more: what others staged has stopped the pass before. What is still wanted of it is staged again.
            return new ClusterAction.ClearStaged(string.Join(", ", stray.Select(staged => staged.NodeName)));
        }

        var staying = Departures.Staying(cluster, ring) - departing.Length;
        var absent = Absent(cluster, observed, ring, staying);
        var since = cluster.Status.Operation?.LastProgressAt ?? now;
        var isRollingOut = observed.Nodes.Any(node => node.IsOutdated);

        // Nodes that restart meanwhile are progress of another kind, and no reason to wait anew.
        if (absent.Length > 0 && now - since < JoinPatience && !(isRollingOut && cluster.Status.Operation?.Kind == Operations.Rollout))
        {
            return ClusterPlanner.Wait(absent);
        }

        if (ring.Staged.IsEmpty && IsBetweenVersions(cluster, observed, ring))
        {
            return null;
        }

        // Never more than the spec wants, whoever else joined the ring.
        var joining = Departures.Joinable(cluster, observed, ring).Take(Math.Max(0, cluster.Spec.Nodes - staying)).ToImmutableArray();
        if (joining.Length > 0)
        {
            return new ClusterAction.StageJoins(joining);
        }

        if (NextOfLeaves(cluster, observed, ring, departing) is { } leave)
        {
            return leave;
        }

        return ring.Staged.Length > 0 ? Commit(ring) : null;
    }

    /// <summary>
    /// Members of two versions may make different plans of the same document, and none commits another's: the rest restarts first. Where that is not a matter of time (a disk is full, a
    /// node is down), a new node may be what helps.
    /// </summary>
    private static bool IsBetweenVersions(Cluster cluster, ObservedCluster observed, ObservedRing ring)
    {
        if (cluster.Spec.Rollout.Paused || observed.Nodes.Select(node => node.Answer?.Version).OfType<string>().Distinct().Count() < 2)
        {
            return false;
        }

        var snapshot = GateSnapshots.Of(cluster, observed, ring);
        return observed.Nodes.Any(node => node.IsOutdated && DisruptionGate.MayGoDown(snapshot, node.Name) is (GateVerdict.Open or GateVerdict.Closed { IsPassing: true }));
    }

    /// <summary>Nodes that the spec has room for and that do not answer. Asked when all else is done: there may be no machine for them for long.</summary>
    public static ClusterAction.WaitForPods? NextOfAbsent(Cluster cluster, ObservedCluster observed, ObservedRing ring) =>
        Absent(cluster, observed, ring, Departures.Staying(cluster, ring)) is { Length: > 0 } absent ? ClusterPlanner.Wait(absent) : null;

    private static ImmutableArray<ObservedNode> Absent(Cluster cluster, ObservedCluster observed, ObservedRing ring, int staying)
    {
        var shares = ZoneShares.Of(cluster.Spec, observed.Workloads);
        return staying >= cluster.Spec.Nodes
            ? []
            : [.. observed.Nodes.Where(node => node.Answer is null && node.Ordinal < shares[node.Zone] && ring.MemberByName(node.Name) is null)];
    }

    public static ClusterAction Commit(ObservedRing ring) => ring.PlanId.Length > 0
        ? new ClusterAction.CommitPlan(ring.PlanId, ring.PlannedTransfers) { Warnings = ring.PlanWarnings }
        : new ClusterAction.WaitForRing("waiting for the plan of what is staged");

    private static ClusterAction? NextOfLeaves(Cluster cluster, ObservedCluster observed, ObservedRing ring, ImmutableArray<ObservedMember> departing)
    {
        var unstaged = departing.Where(member => ring.Staged.All(staged => staged.IsJoin || staged.NodeId != member.Id)).ToImmutableArray();
        if (unstaged.IsEmpty)
        {
            return null;
        }

        var written = cluster.Status.Operation?.Leaving ?? [];
        return unstaged.All(member => written.Contains(member.Id)) ? new ClusterAction.StageLeaves(unstaged) { AreZonesRefilled = AreZonesRefilled(cluster, observed, ring, departing) } : new ClusterAction.BeginLeave(departing);
    }

    /// <summary>Whether those who leave are the last of their zones, and each of these gets another node: the spec has a place for one, and a node that is named gives up no more than its own.</summary>
    private static bool AreZonesRefilled(Cluster cluster, ObservedCluster observed, ObservedRing ring, ImmutableArray<ObservedMember> departing)
    {
        var shares = ZoneShares.Of(cluster.Spec, observed.Workloads);
        var stay = ring.Members.Where(member => member.State is MemberState.Valid or MemberState.Down && !departing.Contains(member)).Select(ZoneOf).ToHashSet(StringComparer.Ordinal);
        var emptied = departing.Select(ZoneOf).Where(zone => !stay.Contains(zone)).ToList();
        return emptied.Count > 0 && emptied.TrueForAll(zone => shares.GetValueOrDefault(zone) > 0);

        string ZoneOf(ObservedMember member) => observed.Nodes.FirstOrDefault(node => node.Name == member.Name)?.Zone ?? ZoneShares.NoZone;
    }

    private static ClusterAction.ShrinkStatefulSets? NextOfGone(Cluster cluster, ObservedCluster observed, ObservedRing ring) => Shrink(
        cluster,
        observed,
        node => ring.MemberByName(node.Name) is null && (node.Answer is null or { IsRemoved: true } or { ClusterId.Length: 0 }));

    private static ClusterAction.ShrinkStatefulSets? Shrink(Cluster cluster, ObservedCluster observed, Func<ObservedNode, bool> isGone)
    {
        var shares = ZoneShares.Of(cluster.Spec, observed.Workloads);
        var replicas = observed.Workloads.ToImmutableSortedDictionary(workload => workload.Zone, Fewest, StringComparer.Ordinal);
        if (observed.Workloads.All(workload => replicas[workload.Zone] == workload.Replicas))
        {
            return null;
        }

        var gone = observed.Nodes.Where(node => node.Ordinal >= replicas[node.Zone] && node.Answer is { IsRemoved: true }).Select(node => node.Name).ToHashSet(StringComparer.Ordinal);
        return new ClusterAction.ShrinkStatefulSets(replicas, [.. observed.Volumes.Where(volume => gone.Contains(volume.NodeName) && !volume.IsReleased)]);

        int Fewest(ObservedWorkload workload)
        {
            var count = workload.Replicas;
            while (count > shares[workload.Zone] && observed.Nodes.Any(node => node.Zone == workload.Zone && node.Ordinal == count - 1 && isGone(node)))
            {
                count--;
            }

            return count;
        }
    }

    /// <summary>A node that left, and whose place the spec wants: its volume says that it is no member, and would say so for ever.</summary>
    private static ClusterAction.RenewVolume? NextOfRemoved(Cluster cluster, ObservedCluster observed, ObservedRing ring)
    {
        var shares = ZoneShares.Of(cluster.Spec, observed.Workloads);
        var removed = observed.Nodes.FirstOrDefault(node =>
            node.Ordinal < shares[node.Zone] && node.Answer is { IsRemoved: true } answer && ring.MemberById(answer.Id) is null && ring.MemberByName(node.Name) is null);
        return removed is null ? null : new ClusterAction.RenewVolume(removed);
    }

    /// <summary>Only those that were marked when their node had left: others of such names may hold the data of a cluster before this one.</summary>
    private static ClusterAction.DeleteVolumes? NextOfVolumes(Cluster cluster, ObservedCluster observed, ObservedRing ring)
    {
        var released = cluster.Spec.Storage.Retention.WhenScaled == RetentionPolicy.Delete
            ? observed.Volumes.Where(volume => volume is { IsReleased: true, IsUsed: false } && observed.Nodes.All(node => node.Name != volume.NodeName) && ring.MemberByName(volume.NodeName) is null)
            : [];
        return released.ToImmutableArray() is { Length: > 0 } volumes ? new ClusterAction.DeleteVolumes(volumes) : null;
    }
}
