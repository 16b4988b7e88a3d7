using System.Collections.Immutable;

namespace Kv.Core.Rings;

/// <summary>
/// Who owns each partition now and who is to own it next. Immutable; a change is a new ring, and the transfers are the
/// difference between its two columns. Both arrays have <see cref="Size"/> entries; where nothing moves they are equal.
/// An owner that took a partition over from a dead one, without its data, is <see cref="Rebuilding"/> it from the other replicas.
/// </summary>
public sealed class Ring
{
    public const int MinSize = 8;
    public const int MaxSize = 1024;

    /// <param name="owners">By partition.</param>
    /// <param name="nextOwners">By partition.</param>
    /// <param name="rebuilding">Sorted; none where it is not given.</param>
    /// <param name="plannedAt">See <see cref="PlannedAt"/>.</param>
    public Ring(ImmutableArray<NodeId> owners, ImmutableArray<NodeId> nextOwners, ImmutableArray<PartitionId> rebuilding = default, long plannedAt = 0)
    {
        if (!IsValidSize(owners.Length))
        {
            throw new ArgumentException($"a ring has a power of two of partitions between {MinSize} and {MaxSize}, not {owners.Length}", nameof(owners));
        }

        if (nextOwners.Length != owners.Length)
        {
            throw new ArgumentException($"{nextOwners.Length} next owners for {owners.Length} partitions", nameof(nextOwners));
        }

        Owners = owners;
        NextOwners = nextOwners;
        Rebuilding = rebuilding.IsDefault ? [] : rebuilding;
        PlannedAt = plannedAt;
    }

    public int Size => Owners.Length;

    public ImmutableArray<NodeId> Owners { get; }

    /// <summary>Equal to <see cref="Owners"/> but where a transfer is still to be done.</summary>
    public ImmutableArray<NodeId> NextOwners { get; }

    /// <summary>The partitions whose owner does not hold all of their data yet, and knows it. Sorted.</summary>
    public ImmutableArray<PartitionId> Rebuilding { get; }

    /// <summary>The version of the document that the last plan was committed in; 0 before the first. Tells a transfer from an equal one of another plan.</summary>
    public long PlannedAt { get; }

    public bool IsRebuilding(PartitionId partition) => !Rebuilding.IsEmpty && Rebuilding.BinarySearch(partition) >= 0;

    public NodeId Owner(PartitionId partition) => Owners[partition.Number];

    public NodeId NextOwner(PartitionId partition) => NextOwners[partition.Number];

    public static bool IsValidSize(int size) => size is >= MinSize and <= MaxSize && (size & (size - 1)) == 0;
}
