using System.Collections.Immutable;
using Kv.Core.Membership;
using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>
/// What a commit would do now. <paramref name="PlanId"/> is empty where nothing is staged; <paramref name="Document"/> is what the plan was computed
/// from; <paramref name="Warnings"/> say what a person should know first (replicas that cannot be on distinct nodes or zones).
/// </summary>
public sealed record PlanView(
    string PlanId, ClusterDocument Document, ImmutableArray<PlannedMember> Members, int Transfers, ImmutableArray<string> Warnings)
{
    /// <summary>Partitions whose owners have to rebuild them from other replicas.</summary>
    public ImmutableArray<PartitionId> Rebuilding { get; init; } = [];

    /// <summary>Keys that have no replica left.</summary>
    public ImmutableArray<LostKeys> Lost { get; init; } = [];
}
