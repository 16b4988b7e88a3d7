using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Clusters;

/// <summary>What one pass over a cluster came to. <paramref name="Error"/> is null if it went well.</summary>
internal sealed record ClusterPass(ClusterStatus Status, ObservedCluster? Observed, ClusterAction? Action, string? Error, TimeSpan RequeueAfter)
{
    /// <summary>How long an error may wait at most, however often it came: a node's answer is news, and an API server that refuses is not asked all the time. Null where the queue decides.</summary>
    public TimeSpan? LongestBackoff { get; init; }
}
