using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.Clusters;

/// <summary>How nodes are restarted one after the other.</summary>
[Description("How nodes are restarted one after the other when their image, settings or pod template changed.")]
public sealed class ClusterRollout
{
    [Description("While true, no node is restarted for a change; nodes that start anyway take it over.")]
    public bool Paused { get; set; }

    [RangeMinimum(0)]
    [RangeMaximum(3600)]
    [Description("A node that was restarted counts as back when its peers see it up and it has run for so many seconds.")]
    public int SettleSeconds { get; set; } = 30;

    [RangeMinimum(0)]
    [RangeMaximum(86400)]
    [Description("Seconds at least between two restarts.")]
    public int MinIntervalSeconds { get; set; }

    [RangeMinimum(60)]
    [RangeMaximum(86400)]
    [Description("A rollout that has not moved for so many seconds makes the cluster Degraded.")]
    public int StuckAfterSeconds { get; set; } = 900;

    [Description("KeepQuorum restarts no node that data would have no owner without: of a bucket type with nVal 1, or of a single node. AllowUnavailable lets such data be away for the time of a restart.")]
    public AvailabilityPolicy AvailabilityPolicy { get; set; } = AvailabilityPolicy.KeepQuorum;
}
