namespace Kv.Core.Rings;

/// <summary>One place of a preference list: the partition whose data is meant, the node that serves it, and whether it owns it and holds all of it.</summary>
public readonly record struct PreflistEntry(PartitionId Partition, NodeId Node, bool IsPrimary);
