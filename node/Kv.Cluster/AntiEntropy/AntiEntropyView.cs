using System.Collections.Immutable;

namespace Kv.Cluster.AntiEntropy;

/// <summary>
/// Anti-entropy as one node carries it out: its vnodes' trees, and the pairs that it asks for. Peers ask for the others. <paramref name="KeyRepair"/> is the last that this node was asked
/// for, null for none.
/// </summary>
public sealed record AntiEntropyView(bool IsOn, ImmutableArray<TreeView> Trees, ImmutableArray<ExchangeView> Exchanges, KeyRepairView? KeyRepair = null);
