using Kv.Core.Rings;

namespace Kv.Cluster.Peers;

/// <summary>What a node holds of a partition, as exactly as its store knows. Minus one object stands for data that is damaged or gone; nodes that do not know this say nothing of such partitions.</summary>
public readonly record struct PartitionHolding(PartitionId Partition, long Objects, long Bytes)
{
    private const long DamagedObjects = -1;

    public bool IsDamaged => Objects == DamagedObjects;

    public static PartitionHolding Damaged(PartitionId partition) => new(partition, DamagedObjects, 0);
}
