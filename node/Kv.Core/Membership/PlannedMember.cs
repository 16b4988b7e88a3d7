using Kv.Core.Rings;

namespace Kv.Core.Membership;

/// <summary>
/// A member in a plan: its state and its number of partitions now and when all of the plan's transfers are done. <paramref name="StateAfter"/> is null
/// where it is a member no more.
/// </summary>
public sealed record PlannedMember(NodeId Id, string Name, string Zone, MemberState StateNow, MemberState? StateAfter, int PartitionsNow, int PartitionsAfter);
