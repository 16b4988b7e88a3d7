using Kv.Cluster.Peers;
using Kv.Core.Membership;

namespace Kv.Cluster.Handoff;

/// <summary>What one owner is sent in one step for one partition that it rebuilds: its job, and for whose attempt. <see cref="RebuildSource"/>'s own.</summary>
internal sealed class RebuildFeed(Transfer transfer, ulong attempt, RebuildStep step, long createdAt)
{
    public HandoffJob Job { get; } = new(TransferKind.Rebuild, transfer, createdAt);

    public RebuildStep Step { get; } = step;

    /// <summary>All that was held here when it began is with the owner, on its disk, but for what the owner refuses, which stays here.</summary>
    public bool IsDone { get; set; }

    /// <summary>Whether it fills the store that the owner asks for, by the plan that it asks by.</summary>
    public bool IsFor(PeerRequest.Rebuild ask) => attempt == ask.Attempt && Job.Transfer.PlannedAt == ask.PlannedAt;
}
