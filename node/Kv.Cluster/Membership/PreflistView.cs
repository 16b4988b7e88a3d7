using System.Collections.Immutable;
using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>
/// The primaries of the keys whose first partition is <paramref name="First"/>, with as many replicas as <paramref name="NVal"/>. Alive are those that this node
/// takes for up and that hold all of their partition's data: one that rebuilds it is not yet.
/// </summary>
public sealed record PreflistView(PartitionId First, int NVal, int Alive, ImmutableArray<NodeId> Primaries);
