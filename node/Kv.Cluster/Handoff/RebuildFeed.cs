using Kv.Core.Membership;

namespace Kv.Cluster.Handoff;

/// <summary>What one owner is sent for one partition that it rebuilds: its job, and for whose attempt. <see cref="RebuildSource"/>'s own.</summary>
internal sealed class RebuildFeed(Transfer transfer, ulong attempt, long createdAt)
{
    public HandoffJob Job { get; } = new(TransferKind.Rebuild, transfer, createdAt);

    public ulong Attempt { get; } = attempt;

    /// <summary>All that was held here when it began is with the owner, on its disk.</summary>
    public bool IsDone { get; set; }
}
