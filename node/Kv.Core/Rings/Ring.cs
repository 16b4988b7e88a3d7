using System.Collections.Immutable;

namespace Kv.Core.Rings;

/// <summary>
/// Who owns each partition now and who is to own it next. Immutable; a change is a new ring, and the transfers are the
/// difference between its two columns. Both arrays have <see cref="Size"/> entries; where nothing moves they are equal.
/// </summary>
public sealed class Ring
{
    public const int MinSize = 8;
    public const int MaxSize = 1024;

    public Ring(ImmutableArray<NodeId> owners, ImmutableArray<NodeId> nextOwners)
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
    }

    public int Size => Owners.Length;

    public ImmutableArray<NodeId> Owners { get; }

    /// <summary>Equal to <see cref="Owners"/> but where a transfer is still to be done.</summary>
    public ImmutableArray<NodeId> NextOwners { get; }

    public NodeId Owner(PartitionId partition) => Owners[partition.Number];

    public NodeId NextOwner(PartitionId partition) => NextOwners[partition.Number];

    public static bool IsValidSize(int size) => size is >= MinSize and <= MaxSize && (size & (size - 1)) == 0;
}
