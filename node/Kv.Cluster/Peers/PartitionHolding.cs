using Kv.Core.Rings;

namespace Kv.Cluster.Peers;

/// <summary>What a node holds of a partition, as exactly as its store knows.</summary>
public readonly record struct PartitionHolding(PartitionId Partition, long Objects, long Bytes);
