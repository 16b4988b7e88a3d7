using System.Collections.Immutable;
using Kv.Core.Membership;
using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>
/// The cluster as this node's document has it, with whom it sees. <paramref name="IsConverged"/>: every member that is up holds this document's version. <paramref name="Claimant"/>: to whom this node
/// gives changes of the document.
/// </summary>
public sealed record ClusterView(ClusterDocument Document, ImmutableArray<MemberView> Members, int PendingTransfers, bool IsConverged, NodeId Claimant);
