using Kv.Core.AntiEntropy;
using Kv.Core.Rings;

namespace Kv.Cluster.AntiEntropy;

/// <summary>Two vnodes that hold a range: this node's <paramref name="Partition"/>, which asks, and the partition <paramref name="Peer"/>, which is asked.</summary>
internal readonly record struct ExchangePair(PartitionId Partition, TreeRange Range, PartitionId Peer);
