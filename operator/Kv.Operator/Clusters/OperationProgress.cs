using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Clusters;

/// <summary>How far an operation is, of what can be counted. Pure.</summary>
internal static class OperationProgress
{
    /// <summary>The most partitions that were on their way at once since they began to move: what is left is measured by that. Null while none moves.</summary>
    public static int? TransfersOf(ObservedCluster observed, OperationStatus? before) =>
        observed.Ring is { PendingTransfers: > 0 and var pending } ? Math.Max(pending, before?.Transfers ?? 0) : null;

    /// <returns>0 to 100: of a rollout the nodes that have restarted, else of the partitions that move those that have arrived; null where neither can be counted.</returns>
    public static int? PercentOf(string kind, ObservedCluster observed, int? transfers)
    {
        if (kind == Operations.Rollout)
        {
            return observed.Nodes.IsEmpty ? null : 100 * observed.Nodes.Count(node => !node.IsOutdated) / observed.Nodes.Length;
        }

        return transfers is { } most ? 100 * (most - observed.Ring!.PendingTransfers) / most : null;
    }
}
