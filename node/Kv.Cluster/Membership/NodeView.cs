using System.Collections.Immutable;
using Kv.Core.Membership;
using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>
/// Who this node is; known before it is in a cluster. <paramref name="ClusterId"/> is null and <paramref name="ClusterName"/> empty until then, and stay for
/// good where it was removed from one.
/// </summary>
public sealed record NodeView(Member Node, Guid? ClusterId, string ClusterName)
{
    /// <summary>It was a member and is one no more.</summary>
    public bool IsRemoved { get; init; }

    public bool IsDraining { get; init; }

    /// <summary>Partitions that it holds data of and neither owns nor is to own: as a stand-in, or not yet handed over.</summary>
    public int HeldForOthers { get; init; }

    /// <summary>Partitions that it holds data of in all.</summary>
    public int Held { get; init; }

    /// <summary>Partitions whose data here is damaged or gone, and why; they are not served.</summary>
    public ImmutableSortedDictionary<PartitionId, string> Damaged { get; init; } = ImmutableSortedDictionary<PartitionId, string>.Empty;
}
