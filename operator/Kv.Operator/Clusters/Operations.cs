using System.Globalization;
using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Clusters;

/// <summary>What the operator is in the middle of, from what it does and what it was in the middle of before. Pure.</summary>
internal static class Operations
{
    private const string Create = "Create";
    private const string ScaleOut = "ScaleOut";
    private const string ScaleIn = "ScaleIn";
    private const string Replace = "Replace";
    private const string Rebuild = "Rebuild";
    public const string Rollout = "Rollout";

    public static OperationStatus? Of(Cluster cluster, ObservedCluster observed, ClusterAction? action, DateTimeOffset now)
    {
        var before = cluster.Status.Operation;
        if (action is null)
        {
            return before;
        }

        var leaving = LeavingOf(observed, action, before);
        if (!action.IsProgress)
        {
            // What was staged is still to be known as ours when the work goes on.
            return leaving is null || action is ClusterAction.Steady ? null : before;
        }

        // To put an object right is nothing to be in the middle of.
        if (action is ClusterAction.ApplyChildren && cluster.Status.Ring is not null)
        {
            return before;
        }

        var kind = KindOf(cluster, observed, action, before);
        var progress = ProgressOf(observed, action, kind);
        var transfers = OperationProgress.TransfersOf(observed, before);
        return new OperationStatus
        {
            Kind = kind,
            Phase = action.Phase,
            Node = action.Target,
            ProgressPercent = OperationProgress.PercentOf(kind, observed, transfers),
            Transfers = transfers,
            StartedAt = before?.Kind == kind ? before.StartedAt : now,
            LastProgressAt = before?.Progress == progress ? before.LastProgressAt : now,
            Progress = progress,
            Leaving = leaving,
            Message = action.Message.Length <= 1024 ? action.Message : action.Message[..1024],
        };
    }

    /// <summary>Ids that were written down, as long as they are members.</summary>
    private static List<string>? LeavingOf(ObservedCluster observed, ClusterAction action, OperationStatus? before)
    {
        var begun = action switch
        {
            ClusterAction.BeginLeave leave => leave.Members.Select(member => member.Id),
            ClusterAction.BeginLoss loss => loss.Members.Select(member => member.Id),
            _ => [],
        };
        var ids = begun.Union((before?.Leaving ?? []).Where(id => observed.Ring?.MemberById(id) is not null), StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        return ids.Count == 0 ? null : ids;
    }

    private static string KindOf(Cluster cluster, ObservedCluster observed, ClusterAction action, OperationStatus? before) => action switch
    {
        ClusterAction.Postponed late => KindOf(cluster, observed, late.Of, before),
        ClusterAction.RestartNode or ClusterAction.WaitForGate => Rollout,
        ClusterAction.BeginLoss or ClusterAction.StageReplace or ClusterAction.StageRemove => Replace,
        ClusterAction.BeginLeave or ClusterAction.StageLeaves or ClusterAction.ClearStaged or ClusterAction.ConfirmExit or ClusterAction.WaitForExit
            or ClusterAction.ShrinkStatefulSets or ClusterAction.DeleteVolumes => ScaleIn,
        ClusterAction.WaitForTransfers when observed.Ring?.Members.Any(member => member.State == MemberState.Leaving) == true => ScaleIn,
        // What it comes in the middle of goes on afterwards.
        ClusterAction.RebuildPartition or ClusterAction.WaitForTransfers { AreRebuilds: true } => before?.Kind ?? Rebuild,
        ClusterAction.GrowStatefulSets => before?.Kind == Create ? Create : ScaleOut,
        ClusterAction.StageJoins when before?.Kind is Rollout or Replace => ScaleOut,
        ClusterAction.WaitForPods wait when before?.Kind is Rollout && wait.Names.All(name => observed.Ring?.MemberByName(name) is null) => ScaleOut,
        _ => before?.Kind ?? (observed.Ring is null && cluster.Status.Ring is null ? Create : ScaleOut),
    };

    /// <summary>What changes while something moves. What closes the gate, or holds an action up, may change back and forth without anything having moved.</summary>
    private static string ProgressOf(ObservedCluster observed, ClusterAction action, string kind)
    {
        var phase = action is ClusterAction.Postponed late ? late.Of.Phase : kind == Rollout ? kind : action.Phase;
        var (nodes, ring) = (observed.Nodes, observed.Ring);
        var left = ring?.Members.Where(member => member.State == MemberState.Exiting).Sum(member => nodes.FirstOrDefault(node => node.Answer?.Id == member.Id)?.Answer?.HeldPartitions ?? 0) ?? 0;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{phase} outdated={nodes.Count(node => node.IsOutdated)} ready={nodes.Count(node => node.Ready)} answering={nodes.Count(node => node.Answer is not null)} members={ring?.Members.Length ?? 0} pending={ring?.PendingTransfers ?? 0} sent={ring?.TransferredObjects ?? 0} held={left}");
    }
}
