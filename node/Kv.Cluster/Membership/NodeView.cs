using Kv.Core.Membership;

namespace Kv.Cluster.Membership;

/// <summary>Who this node is; known before it is in a cluster. <paramref name="ClusterId"/> is null and <paramref name="ClusterName"/> empty until then.</summary>
public sealed record NodeView(Member Node, Guid? ClusterId, string ClusterName);
