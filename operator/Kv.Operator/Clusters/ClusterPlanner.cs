using System.Collections.Immutable;
using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Gates;
using Kv.Operator.Manifests;

namespace Kv.Operator.Clusters;

/// <summary>
/// Decides the one next step from what is wished for and what was seen. Pure: the only place that decides, and the same for Kubernetes and for
/// local mode. The order is the order of safety: repair what exists, then grow, then change the ring, and never change it on a guess.
/// </summary>
internal static class ClusterPlanner
{
    /// <summary>How long a pod may wait for a machine, a volume or an image before another is tried in its place.</summary>
    public static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(1);

    public static ClusterAction Next(Cluster cluster, ObservedCluster observed, DateTimeOffset now)
    {
        var next = NextOfSpec(cluster, observed, now);
        return NextOfBudget(cluster, observed, next) ?? next;
    }

    private static ClusterAction NextOfSpec(Cluster cluster, ObservedCluster observed, DateTimeOffset now)
    {
        if (cluster.Spec.Paused)
        {
            return new ClusterAction.Paused();
        }

        if (ClusterRules.Check(cluster) is { Count: > 0 } problems)
        {
            return new ClusterAction.Refuse(Conditions.Reasons.InvalidSpec, string.Join("; ", problems));
        }

        var blocks = ClusterBlocks.Find(cluster, observed);
        return NextOfWorld(cluster, observed, blocks)
            ?? (blocks.FirstOrDefault(block => block.Stops) is { } stop ? new ClusterAction.Refuse(stop.Reason, stop.Message) : null)
            ?? NextOfBroken(cluster, observed, now)
            ?? NextOfRing(cluster, observed, now)
            ?? (blocks.FirstOrDefault() is { } block ? new ClusterAction.Refuse(block.Reason, block.Message) : new ClusterAction.Steady());
    }

    /// <summary>Objects and replicas; null when they are as they should be.</summary>
    private static ClusterAction? NextOfWorld(Cluster cluster, ObservedCluster observed, ImmutableArray<ClusterBlock> blocks)
    {
        if (observed.Children.Where(child => child.State is ChildState.Missing or ChildState.Drifted).ToImmutableArray() is { Length: > 0 } stale)
        {
            return new ClusterAction.ApplyChildren(stale);
        }

        // Somebody else took these pods away: that decides nothing, and what waits may wait for them.
        if (Restored(cluster, observed) is { } restored)
        {
            return new ClusterAction.GrowStatefulSets(restored);
        }

        if (blocks.Any(block => block.Stops))
        {
            return null;
        }

        // While partitions move, more nodes would only wait: the ring takes one plan at a time.
        var shares = ZoneShares.Of(cluster.Spec, observed.Workloads);
        var grows = observed.Workloads.Any(workload => shares[workload.Zone] > workload.Replicas);
        var isQuiet = observed.Ring?.PendingTransfers is null or 0;
        return grows && isQuiet ? new ClusterAction.GrowStatefulSets(shares) : null;
    }

    /// <summary>Replicas with those that members have the names of, and whose volumes wait for them; null where none of these is missing. Who has yet to join, or is given up, is no reason for a pod.</summary>
    private static ImmutableSortedDictionary<string, int>? Restored(Cluster cluster, ObservedCluster observed)
    {
        var members = observed.Ring?.Members.Where(member => member.State != MemberState.Joining && !Departures.IsLost(cluster, member) && observed.Volumes.Any(volume => volume.NodeName == member.Name)).ToList() ?? [];
        var replicas = observed.Workloads.ToImmutableSortedDictionary(
            workload => workload.Zone,
            workload => members.Select(member => Names.OrdinalOf(workload.Name, member.Name) + 1 ?? 0).Append(workload.Replicas).Max(),
            StringComparer.Ordinal);
        return observed.Workloads.All(workload => replicas[workload.Zone] == workload.Replicas) ? null : replicas;
    }

    /// <summary>
    /// A node that cannot run as it is and should be another: to start it again takes nothing from anybody, and nothing else may be able to mend it. So it waits
    /// neither for the ring nor for the gate. The same for one whose volume went away while it waited for it.
    /// </summary>
    private static ClusterAction? NextOfBroken(Cluster cluster, ObservedCluster observed, DateTimeOffset now)
    {
        if (observed.Nodes.FirstOrDefault(node => node is { IsVolumeMissing: true, Running: false }) is { } waiting)
        {
            return new ClusterAction.RenewVolume(waiting);
        }

        return !cluster.Spec.Rollout.Paused && observed.Nodes.FirstOrDefault(node => node.IsOutdated && IsBroken(node, now) && !IsAnotherOnTrial(observed, node)) is { } broken
            ? new ClusterAction.RestartNode(broken, IsBroken: true, observed.Nodes.Count(node => node.IsOutdated) - 1, Warning: null)
            : null;
    }

    private static bool IsBroken(ObservedNode node, DateTimeOffset now) => node.IsBroken || now - node.PendingSince > StartPatience;

    /// <summary>What a member is not ready with may be what is wrong: it is given to no second one, which may yet come back as what it was.</summary>
    private static bool IsAnotherOnTrial(ObservedCluster observed, ObservedNode node) =>
        observed.Ring is { } ring && ring.MemberByName(node.Name) is not null
        && observed.Nodes.Any(other => other.IsOnTrial && other.Name != node.Name && ring.MemberByName(other.Name) is { State: MemberState.Valid });

    /// <summary>
    /// The gate speaks for drains too: others may take a node down when it would let each of them go. They ask whatever the operator may do itself, and where no member
    /// tells of the ring that there is, none may go.
    /// </summary>
    private static ClusterAction.SetBudget? NextOfBudget(Cluster cluster, ObservedCluster observed, ClusterAction next)
    {
        if (observed.DisruptionsAllowed is not { } allowed || (observed.Ring is null && cluster.Status.Ring is null))
        {
            return null;
        }

        var wanted = observed.Ring is { } ring && DisruptionGate.MayAnyGoDown(GateSnapshots.Of(cluster, observed, ring)) is GateVerdict.Open ? 1 : 0;
        return wanted == allowed ? null : new ClusterAction.SetBudget(wanted, next);
    }

    /// <summary>One node at a time, and only through the gate; those that are no members yet have nothing to lose.</summary>
    private static ClusterAction? NextOfRestarts(Cluster cluster, ObservedCluster observed, ObservedRing ring)
    {
        var outdated = cluster.Spec.Rollout.Paused ? [] : observed.Nodes.Where(node => node.IsOutdated).ToImmutableArray();
        if (outdated.IsEmpty)
        {
            return null;
        }

        var snapshot = GateSnapshots.Of(cluster, observed, ring);
        GateVerdict.Closed? first = null;
        foreach (var node in outdated)
        {
            switch (DisruptionGate.MayGoDown(snapshot, node.Name))
            {
                case GateVerdict.Open open:
                    return new ClusterAction.RestartNode(node, IsBroken: false, outdated.Length - 1, open.Warning);
                case GateVerdict.Closed closed:
                    first ??= closed;
                    break;
            }
        }

        return new ClusterAction.WaitForGate(first!, outdated[0].Name, outdated.Length);
    }

    private static ClusterAction? NextOfRing(Cluster cluster, ObservedCluster observed, DateTimeOffset now)
    {
        if (observed.Ring is not { } ring)
        {
            return MembershipPlanner.BeforeRing(cluster, observed) ?? NextOfNoRing(cluster, observed);
        }

        if (LossPlanner.Next(cluster, observed, ring) is { } loss)
        {
            // What it waits for may be a node that comes back by its restart.
            return loss is ClusterAction.Postponed && NextOfRestarts(cluster, observed, ring) is ClusterAction.RestartNode restart ? restart : loss;
        }

        if (DamagePlanner.Next(observed, ring) is { } rebuild)
        {
            return rebuild;
        }

        if (ring.PendingTransfers > 0)
        {
            return new ClusterAction.WaitForTransfers(ring.PendingTransfers) { AreRebuilds = ring.Rebuilding.Count == ring.PendingTransfers };
        }

        if (!ring.Converged)
        {
            return new ClusterAction.WaitForRing("waiting until all members that are up hold the same cluster document");
        }

        return MembershipPlanner.Next(cluster, observed, ring, now)
            ?? NextOfRestarts(cluster, observed, ring)
            ?? MembershipPlanner.NextOfAbsent(cluster, observed, ring)
            ?? NextOfUnready(cluster, observed, ring)
            ?? DamagePlanner.Left(observed, ring);
    }

    /// <summary>
    /// A node that does not answer may be the one whose volume holds the ring, and members may be there that have no time to tell of theirs: nobody makes a ring before
    /// all have said that they have none.
    /// </summary>
    private static ClusterAction NextOfNoRing(Cluster cluster, ObservedCluster observed)
    {
        if (observed.Nodes.Where(node => node.Answer is null).ToImmutableArray() is { Length: > 0 } silent)
        {
            return Wait(silent);
        }

        if (observed.Nodes.IsEmpty)
        {
            return Wait([]);
        }

        return cluster.Status.Ring is null && observed.Nodes.All(node => node.Answer is { ClusterId.Length: 0, IsRemoved: false })
            ? new ClusterAction.CreateRing(observed.Nodes[0].Name, observed.Nodes[0].AdminAddress)
            : new ClusterAction.WaitForRing("there was a ring, and no member tells of it now");
    }

    private static ClusterAction.WaitForPods? NextOfUnready(Cluster cluster, ObservedCluster observed, ObservedRing ring)
    {
        var unready = observed.Nodes.Where(node => !node.Ready && ring.MemberByName(node.Name) is not null).ToImmutableArray();
        return unready.Length > 0 && !WasReady(cluster) ? Wait(unready) : null;
    }

    /// <summary>Whether the spec was reached already: a node that goes away later makes the cluster degraded and not unfinished.</summary>
    private static bool WasReady(Cluster cluster) =>
        cluster.Status.Operation is null && cluster.Status.ObservedGeneration is not null && cluster.Status.Ring is not null;

    public static ClusterAction.WaitForPods Wait(ImmutableArray<ObservedNode> nodes)
    {
        var why = nodes.Length == 0 ? "none exists yet" : string.Join("; ", nodes.Take(5).Select(Describe)) + (nodes.Length > 5 ? "; …" : "");
        return new ClusterAction.WaitForPods([.. nodes.Select(node => node.Name)], why);
    }

    private static string Describe(ObservedNode node) =>
        $"{node.Name} {node.Problem ?? (node.Running ? node.Answer is null ? "does not answer yet" : "is not ready yet" : "does not run yet")}";
}
