using Kv.Core.Membership;

namespace Kv.Cluster.Membership;

/// <summary>
/// A member as this node sees it. <paramref name="NextPartitions"/> is what it owns once all transfers are done;
/// <paramref name="DocumentVersion"/> the newest version it is known to hold, 0 if it has not said.
/// </summary>
public sealed record MemberView(Member Node, int Partitions, int NextPartitions, bool IsUp, long DocumentVersion);
