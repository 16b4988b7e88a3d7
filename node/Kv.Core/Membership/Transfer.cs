using Kv.Core.Rings;

namespace Kv.Core.Membership;

/// <summary>A partition's way from its owner to its next owner, by the plan that was committed in version <paramref name="PlannedAt"/> of the document.</summary>
public readonly record struct Transfer(PartitionId Partition, NodeId From, NodeId To, long PlannedAt);
