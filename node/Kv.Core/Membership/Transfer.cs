using Kv.Core.Rings;

namespace Kv.Core.Membership;

/// <summary>A partition's way from its owner to its next owner.</summary>
public readonly record struct Transfer(PartitionId Partition, NodeId From, NodeId To);
