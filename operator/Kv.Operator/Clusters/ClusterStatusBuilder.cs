using System.Collections.Immutable;
using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using static Kv.Operator.Api.Conditions;

namespace Kv.Operator.Clusters;

/// <summary>Status from what was observed, never from what was hoped. Pure; the same observation gives the same status, so that a quiet cluster writes nothing.</summary>
internal static class ClusterStatusBuilder
{
    /// <summary>A transfer that did not move for so long needs a person.</summary>
    public static readonly TimeSpan StalledAfter = TimeSpan.FromMinutes(10);

    /// <summary>Between two restarts the gate is closed by the node that comes back; only one that stays closed for so long blocks something.</summary>
    public static readonly TimeSpan GatePatience = TimeSpan.FromMinutes(1);

    private const long SmallestChange = 1024 * 1024;

    /// <param name="cluster">With the status before.</param>
    /// <param name="observed">Null if even that failed.</param>
    /// <param name="action">What is being done.</param>
    /// <param name="error">Of this pass; null if it went well.</param>
    public static ClusterStatus Build(Cluster cluster, ObservedCluster? observed, ClusterAction? action, string? error, DateTimeOffset now)
    {
        action = action is ClusterAction.SetBudget { Next: var next } ? next : action;
        var generation = cluster.Metadata.Generation;
        var status = new ClusterStatus
        {
            ObservedGeneration = generation,
            DesiredNodes = cluster.Spec.Nodes,
            Selector = $"kv.dev/cluster={cluster.Metadata.Name}",
        };
        if (observed is null)
        {
            // Nothing was seen: the numbers stay what they were, and the conditions say that they are not known.
            status.Nodes = cluster.Status.Nodes;
            status.ReadyNodes = cluster.Status.ReadyNodes;
            status.Ring = cluster.Status.Ring;
            status.Effective = cluster.Status.Effective;
            status.Operation = cluster.Status.Operation;
            status.Version = cluster.Status.Version;
            status.TargetVersion = cluster.Status.TargetVersion;
            status.NodeStatuses = cluster.Status.NodeStatuses;
        }
        else
        {
            status.Nodes = observed.Nodes.Length;
            status.ReadyNodes = observed.Nodes.Count(node => node.Ready);
            status.Ring = RingOf(observed) ?? cluster.Status.Ring;
            status.Effective = EffectiveOf(observed);
            status.Version = VersionOf(observed);
            status.TargetVersion = TargetVersionOf(observed);
            status.NodeStatuses = [.. observed.Nodes.Select(node => NodeOf(node, observed.Ring, cluster.Status.NodeStatuses?.Find(before => before.Name == node.Name)))];
            status.Operation = Operations.Of(cluster, observed, action, now);
        }

        status.Conditions = ConditionsOf(cluster, observed, action, status.Operation, error, now);
        status.Summary = StatusSummary.OfCluster(status.Conditions);
        return status;
    }

    private static List<Api.Entities.Condition> ConditionsOf(
        Cluster cluster, ObservedCluster? observed, ClusterAction? action, OperationStatus? operation, string? error, DateTimeOffset now)
    {
        var list = new ConditionList(cluster.Status.Conditions, cluster.Metadata.Generation, now);
        var blocks = observed is null ? [] : ClusterBlocks.Find(cluster, observed);
        IReadOnlyList<Api.Schema.SchemaProblem> problems = [.. ClusterRules.Check(cluster), .. ClusterRules.UnknownSettings(cluster)];
        var available = AvailableOf(observed);
        var isProgressing = observed is null ? (bool?)null : action?.IsProgress ?? true;
        var isGateShut = cluster.Status.Operation is { } before && now - before.LastProgressAt >= GatePatience;
        var blocked = BlockOf(blocks, problems, action, isGateShut);

        var ready = (available.Holds, isProgressing, blocked) switch
        {
            (true, false, null) => (Holds: (bool?)true, available.Reason, Message: "all nodes are in the ring and it serves"),
            (false, _, _) => (false, available.Reason, available.Message),
            (_, _, { } block) => (false, block.Reason, block.Message),
            (_, true, _) => (false, action?.Phase ?? Reasons.NewGeneration, action?.Message ?? ""),
            _ => (null, Reasons.NotObserved, "the cluster could not be looked at"),
        };
        if (action is ClusterAction.Paused && available.Holds == true)
        {
            ready = (true, Reasons.Paused, "paused, and it serves");
        }

        list.Set(Ready, ready.Holds, ready.Reason, ready.Message);
        list.Set(Available, available.Holds, available.Reason, available.Message);
        list.Set(Progressing, isProgressing, isProgressing is null ? Reasons.NotObserved : action?.Phase ?? Reasons.Error, isProgressing is null ? "the cluster could not be looked at" : action?.Message ?? error ?? "");
        var (missing, pressed) = (DataHealth.UnderReplicatedOf(cluster, observed), DataHealth.DiskPressureOf(cluster, observed));
        var certificates = CertificateHealth.Of(cluster, observed, now);
        var degraded = DegradedOf(cluster, observed, action, error, now) is { Holds: true } worse ? worse
            : missing.Holds == true ? missing
            : pressed.Holds == true ? pressed
            : certificates is { Holds: false } bad ? (true, bad.Reason, bad.Message) : (false, Reasons.AsExpected, "");
        list.Set(Degraded, degraded.Holds, degraded.Reason, degraded.Message);
        SetRing(list, observed);
        list.Set(UnderReplicated, missing.Holds, missing.Reason, missing.Message);
        list.Set(DiskPressure, pressed.Holds, pressed.Reason, pressed.Message);
        if (certificates is { } certificate)
        {
            list.Set(CertificatesValid, certificate.Holds, certificate.Reason, certificate.Message);
        }

        var upgrade = UpgradeOf(observed, operation);
        list.Set(UpgradeInProgress, upgrade.Holds, upgrade.Reason, upgrade.Message);
        list.Set(ReconcileSuccess, error is null, error is null ? Reasons.AsExpected : Reasons.Error, error ?? "");
        list.Set(Conditions.Paused, cluster.Spec.Paused, cluster.Spec.Paused ? Reasons.Paused : Reasons.NotPaused, cluster.Spec.Paused ? "spec.paused is true" : "");
        list.Set(Blocked, blocked is not null, blocked?.Reason ?? Reasons.AsExpected, blocked?.Message ?? "");
        var invalid = problems.Count > 0 ? (Reasons.InvalidSpec, string.Join("; ", problems)) : InvalidBy(blocks);
        list.Set(Valid, invalid is null, invalid?.Item1 ?? Reasons.AsExpected, invalid?.Item2 ?? "");
        return list.Conditions;
    }

    /// <summary>Blocks that are the spec's own fault also make it invalid.</summary>
    private static (string, string)? InvalidBy(ImmutableArray<ClusterBlock> blocks)
    {
        foreach (var block in blocks)
        {
            if (block.Reason is Reasons.RingSizeImmutable or Reasons.StorageImmutable or Reasons.ZonesImmutable)
            {
                return (block.Reason, block.Message);
            }
        }

        return null;
    }

    private static (string Reason, string Message)? BlockOf(ImmutableArray<ClusterBlock> blocks, IReadOnlyList<Api.Schema.SchemaProblem> problems, ClusterAction? action, bool isGateShut)
    {
        if (action is ClusterAction.Refuse refusal)
        {
            return (refusal.Reason, refusal.Why);
        }

        // What time alone opens is no block; nor is, for a moment, a gate that waits for the node just restarted.
        if (action?.Verdict is { IsPassing: false } verdict && (isGateShut || action is not ClusterAction.WaitForGate))
        {
            return (verdict.Reason, action.Message);
        }

        return blocks.Length > 0 ? (blocks[0].Reason, blocks[0].Message) : problems.Count > 0 ? (Reasons.InvalidSpec, string.Join("; ", problems)) : null;
    }

    private static (bool? Holds, string Reason, string Message) AvailableOf(ObservedCluster? observed)
    {
        if (observed is null)
        {
            return (null, Reasons.NotObserved, "the cluster could not be looked at");
        }

        if (observed.Ring is not { } ring)
        {
            return observed.Nodes.Any(node => node.Answer is null) && observed.Nodes.Length > 0
                ? (false, Reasons.NodesUnreachable, "no node that answers is in the ring")
                : (false, Reasons.NoRing, "there is no ring yet");
        }

        var without = RingHealth.PartitionsWithoutQuorum(ring);
        return without == 0
            ? (true, Reasons.AsExpected, $"each of {ring.RingSize} partitions has a quorum of its owners")
            : (false, Reasons.TooManyNodesDown, $"{without} of {ring.RingSize} partitions have no quorum of owners that are up and have the data; stand-ins take their requests");
    }

    private static (bool? Holds, string Reason, string Message) DegradedOf(Cluster cluster, ObservedCluster? observed, ClusterAction? action, string? error, DateTimeOffset now)
    {
        if (observed is null)
        {
            return (true, Reasons.Error, error ?? "");
        }

        var down = observed.Ring?.Members.Where(member => !member.Up).Select(member => member.Name).ToList() ?? [];
        if (down.Count > 0)
        {
            return (true, Reasons.NodesDown, $"down as the others see it: {string.Join(", ", down)}");
        }

        var stuckFor = cluster.Status.Operation is { } operation ? now - operation.LastProgressAt : TimeSpan.Zero;
        if (action is ClusterAction.WaitForGate && stuckFor >= TimeSpan.FromSeconds(cluster.Spec.Rollout.StuckAfterSeconds))
        {
            return (true, Reasons.RolloutStuck, action.Message);
        }

        // Told, and never forced: what was not handed over is on that node alone.
        if (action is ClusterAction.WaitForExit or ClusterAction.WaitForTransfers && stuckFor >= StalledAfter)
        {
            return (true, Reasons.HandoffStalled, $"nothing moves any more: {action.Message} {observed.Ring?.LastTransferError}".TrimEnd());
        }

        if (observed.Ring is { } ring && ring.LongestStall >= StalledAfter)
        {
            return (true, Reasons.HandoffStalled, $"a transfer does not move any more {ring.LastTransferError}".TrimEnd());
        }

        var unready = observed.Nodes.Where(node => !node.Ready && observed.Ring?.MemberByName(node.Name) is not null).ToList();
        return unready.Count > 0
            ? (true, Reasons.NodesDown, "not ready: " + string.Join(", ", unready.Select(node => node.Problem is null ? node.Name : $"{node.Name} ({node.Problem})")))
            : error is not null ? (true, Reasons.Error, error) : (false, Reasons.AsExpected, "");
    }

    private static (bool? Holds, string Reason, string Message) UpgradeOf(ObservedCluster? observed, OperationStatus? operation)
    {
        if (observed is null)
        {
            return (null, Reasons.NotObserved, "the cluster could not be looked at");
        }

        return operation?.Kind == Operations.Rollout
            ? (true, Reasons.Restarting, $"{observed.Nodes.Count(node => node.IsOutdated)} of {observed.Nodes.Length} nodes have yet to restart")
            : (false, Reasons.AsExpected, "");
    }

    private static void SetRing(ConditionList list, ObservedCluster? observed)
    {
        if (observed?.Ring is not { } ring)
        {
            list.Set(RingConverged, null, Reasons.NoRing, "no ring was seen");
            list.Set(TransfersIdle, null, Reasons.NoRing, "no ring was seen");
            return;
        }

        list.Set(RingConverged, ring.Converged, ring.Converged ? Reasons.AsExpected : Reasons.RingConverging, ring.Converged ? "" : "members that are up hold different versions of the cluster document");
        list.Set(TransfersIdle, ring.PendingTransfers == 0, ring.PendingTransfers == 0 ? Reasons.AsExpected : Reasons.HandingOff, ring.PendingTransfers == 0 ? "" : $"{ring.PendingTransfers} partitions are on their way");
    }

    private static RingStatus? RingOf(ObservedCluster observed) => observed.Ring is not { } ring ? null : new RingStatus
    {
        Version = ring.Version,
        Partitions = ring.RingSize,
        Members = ring.Members.Length,
        Owners = ring.Members.Count(member => member.Partitions > 0),
        Converged = ring.Converged,
        PendingTransfers = ring.PendingTransfers,
    };

    /// <summary>Null on this machine, which has neither images nor drains.</summary>
    private static EffectiveStatus? EffectiveOf(ObservedCluster observed)
    {
        var images = observed.Workloads.Select(workload => workload.Image).Distinct().Take(2).ToList();
        var image = images is [{ } only] ? only : null;
        return image is null && observed.DisruptionsAllowed is null ? null : new EffectiveStatus { Image = image, MaxUnavailable = observed.DisruptionsAllowed };
    }

    private static string? VersionOf(ObservedCluster observed)
    {
        var versions = observed.Nodes.Select(node => node.Answer?.Version).Distinct().Take(2).ToList();
        return versions is [{ Length: > 0 } only] ? only : null;
    }

    /// <summary>What those run that are as they should be, and some that are not do not run. Told by the nodes: an image may be a digest.</summary>
    private static string? TargetVersionOf(ObservedCluster observed)
    {
        var target = observed.Nodes.Where(node => !node.IsOutdated).Select(node => node.Answer?.Version).Where(version => version is { Length: > 0 }).Distinct().Take(2).ToList();
        return target is [{ } only] && observed.Nodes.Any(node => node is { IsOutdated: true, Answer: { } answer } && answer.Version != only) ? only : null;
    }

    private static NodeStatus NodeOf(ObservedNode node, ObservedRing? ring, NodeStatus? before)
    {
        var member = node.Answer is { } answer ? ring?.MemberById(answer.Id) : ring?.MemberByName(node.Name);
        return new NodeStatus
        {
            Name = node.Name,
            Zone = node.Zone.Length == 0 ? null : node.Zone,
            NodeId = node.Answer?.Id ?? member?.Id,
            Version = string.IsNullOrEmpty(node.Answer?.Version) ? null : node.Answer.Version,
            MemberState = member?.State.ToString(),
            Ready = node.Ready,
            Partitions = member?.Partitions,
            DataBytes = DataBytesOf(node.Answer, before?.DataBytes),
            DiskPressure = DataHealth.IsPressed(node, before) ? true : null,
            Message = node.Problem is { Length: > 256 } text ? text[..256] : node.Problem,
        };
    }

    /// <summary>A number that differs by little stays what it was: a status that follows every byte would be written in every pass.</summary>
    private static long? DataBytesOf(NodeAnswer? answer, long? before) =>
        answer is null ? null : before is { } old && Math.Abs(answer.DataBytes - old) <= Math.Max(old / 10, SmallestChange) ? old : answer.DataBytes;
}
