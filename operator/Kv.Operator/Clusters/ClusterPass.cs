using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Clusters;

/// <summary>What one pass over a cluster came to. <paramref name="Error"/> is null if it went well.</summary>
internal sealed record ClusterPass(ClusterStatus Status, ObservedCluster? Observed, ClusterAction? Action, string? Error, TimeSpan RequeueAfter);
