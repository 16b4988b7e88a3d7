using Kv.Core.Membership;

namespace Kv.Cluster.Membership;

/// <summary>A member before and after the plan; <paramref name="State"/> is the one after.</summary>
public sealed record PlannedMember(Member Node, MemberState State, int PartitionsNow, int PartitionsAfter);
