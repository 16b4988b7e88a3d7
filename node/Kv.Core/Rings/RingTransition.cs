using System.Collections.Immutable;
using Kv.Core.Membership;

namespace Kv.Core.Rings;

/// <summary>What is still to move: the difference between a ring's owners and its next owners, and the steps that close it.</summary>
public static class RingTransition
{
    /// <summary>The pending transfers, by partition.</summary>
    public static ImmutableArray<Transfer> Pending(Ring ring)
    {
        var transfers = ImmutableArray.CreateBuilder<Transfer>();
        for (var number = 0; number < ring.Size; number++)
        {
            if (ring.Owners[number] != ring.NextOwners[number])
            {
                transfers.Add(new Transfer(new PartitionId(number), ring.Owners[number], ring.NextOwners[number], ring.PlannedAt));
            }
        }

        return transfers.ToImmutable();
    }

    public static bool HasPending(Ring ring) => !ring.Owners.AsSpan().SequenceEqual(ring.NextOwners.AsSpan());

    /// <summary>
    /// Whether the ring awaits exactly this transfer, of this plan. Not while any partition is rebuilt: replicas come before moves, its owner has not all to give, and a
    /// rebuild rests on the others' owners staying who they are.
    /// </summary>
    public static bool IsPending(Ring ring, Transfer transfer) =>
        transfer.Partition.Number >= 0
        && transfer.Partition.Number < ring.Size
        && transfer.From != transfer.To
        && transfer.PlannedAt == ring.PlannedAt
        && ring.Rebuilding.IsEmpty
        && ring.Owner(transfer.Partition) == transfer.From
        && ring.NextOwner(transfer.Partition) == transfer.To;

    /// <summary>The ring after those of <paramref name="done"/> that it awaits; the same ring where it awaits none of them.</summary>
    public static Ring Complete(Ring ring, ImmutableArray<Transfer> done)
    {
        ImmutableArray<NodeId>.Builder? owners = null;
        foreach (var transfer in done)
        {
            if (IsPending(ring, transfer))
            {
                owners ??= ring.Owners.ToBuilder();
                owners[transfer.Partition.Number] = transfer.To;
            }
        }

        return owners is null ? ring : new Ring(owners.MoveToImmutable(), ring.NextOwners, ring.Rebuilding, ring.PlannedAt);
    }

    /// <summary>
    /// The ring after <paramref name="owner"/> has all the data of <paramref name="rebuilt"/>; the same ring where it was rebuilding none of them, or by another plan than that of
    /// <paramref name="plannedAt"/>: what was whole then may have been lost since.
    /// </summary>
    public static Ring CompleteRebuild(Ring ring, NodeId owner, ImmutableArray<PartitionId> rebuilt, long plannedAt)
    {
        if (plannedAt != ring.PlannedAt)
        {
            return ring;
        }

        var left = ring.Rebuilding.RemoveAll(p => rebuilt.Contains(p) && ring.Owner(p) == owner);
        return left.Length == ring.Rebuilding.Length ? ring : new Ring(ring.Owners, ring.NextOwners, left, ring.PlannedAt);
    }

    /// <summary>How many partitions each node owns, in one of a ring's columns.</summary>
    public static Dictionary<NodeId, int> Count(ImmutableArray<NodeId> owners)
    {
        var counts = new Dictionary<NodeId, int>();
        foreach (var owner in owners)
        {
            counts[owner] = counts.GetValueOrDefault(owner) + 1;
        }

        return counts;
    }
}
