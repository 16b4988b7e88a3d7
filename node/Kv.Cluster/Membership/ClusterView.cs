using System.Collections.Immutable;
using Kv.Core.Membership;

namespace Kv.Cluster.Membership;

/// <summary>The cluster as this node's document has it, with whom it sees. <paramref name="IsConverged"/>: every member that is up holds this document's version.</summary>
public sealed record ClusterView(ClusterDocument Document, ImmutableArray<MemberView> Members, int PendingTransfers, bool IsConverged);
