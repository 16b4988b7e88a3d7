namespace Kv.Core.Rings;

/// <summary>
/// Who serves a key: its first primary partition and the next ones clockwise with their owners, and stand-ins for owners that are
/// not up (riak_core_apl). While a partition is being transferred its owner serves it, not the next owner. Pure: callers cache the
/// result per ring and up-set.
/// </summary>
public static class PreferenceList
{
    /// <summary>
    /// The list of <paramref name="nVal"/> places from <paramref name="first"/>: primaries that are up in ring order, then owners that are up and still
    /// rebuild their partition, which are primaries for writing and for nothing else, and so do not count as such; then for each
    /// owner that is down, in order, the owner of the next partition beyond the list that is up, standing in for that owner's partition: of nodes that are not in the list yet, and where there are no
    /// more, of any, as in Riak, which repeats nodes before all others are in it. `node_confirms` refuses such a list. Shorter where stand-ins run out.
    /// </summary>
    /// <param name="ring">The ring.</param>
    /// <param name="first">The first primary partition, from <see cref="RingHash"/>.</param>
    /// <param name="nVal">Replicas wanted; more than the ring has partitions counts as that many.</param>
    /// <param name="up">Nodes that can serve.</param>
    /// <param name="sloppy">False: owners that are up and no stand-ins.</param>
    public static PreflistEntry[] Compute(Ring ring, PartitionId first, int nVal, IReadOnlySet<NodeId> up, bool sloppy = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(nVal, 1);
        var count = Math.Min(nVal, ring.Size);
        Span<int> down = count <= 64 ? stackalloc int[count] : new int[count];
        var downCount = 0;
        var list = new PreflistEntry[count];
        var filled = 0;
        for (var step = 0; step < count; step++)
        {
            var partition = At(ring, first, step);
            var owner = ring.Owner(partition);
            if (!up.Contains(owner))
            {
                down[downCount++] = partition.Number;
            }
            else if (!ring.IsRebuilding(partition))
            {
                list[filled++] = new PreflistEntry(partition, owner, IsPrimary: true);
            }
        }

        filled = AddRebuilding(ring, first, count, up, list, filled);

        if (sloppy)
        {
            filled = AddFallbacks(ring, first, count, down[..downCount], up, list, filled);
        }

        return filled == count ? list : list[..filled];
    }

    /// <summary>The list as it is when every node is up: the owners, whether they are or not.</summary>
    public static PreflistEntry[] Primaries(Ring ring, PartitionId first, int nVal)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(nVal, 1);
        var list = new PreflistEntry[Math.Min(nVal, ring.Size)];
        for (var step = 0; step < list.Length; step++)
        {
            var partition = At(ring, first, step);
            list[step] = new PreflistEntry(partition, ring.Owner(partition), IsPrimary: true);
        }

        return list;
    }

    /// <summary>Whether the partition is one of the <paramref name="nVal"/> that hold the keys of <paramref name="first"/>.</summary>
    public static bool Holds(Ring ring, PartitionId first, int nVal, PartitionId partition) => Steps(ring, first, partition) < nVal;

    /// <summary>Whether two partitions both hold some keys, of buckets with at most <paramref name="nVal"/> replicas; each does so with itself.</summary>
    public static bool Share(Ring ring, PartitionId one, PartitionId other, int nVal) => Math.Min(Steps(ring, one, other), Steps(ring, other, one)) < nVal;

    private static int Steps(Ring ring, PartitionId from, PartitionId to) => (to.Number - from.Number) & (ring.Size - 1);

    private static int AddRebuilding(Ring ring, PartitionId first, int count, IReadOnlySet<NodeId> up, PreflistEntry[] list, int filled)
    {
        for (var step = 0; step < count && !ring.Rebuilding.IsEmpty; step++)
        {
            var partition = At(ring, first, step);
            if (ring.IsRebuilding(partition) && up.Contains(ring.Owner(partition)))
            {
                list[filled++] = new PreflistEntry(partition, ring.Owner(partition), IsPrimary: false);
            }
        }

        return filled;
    }

    /// <summary>First those that have no place in the list yet, so that as many disks as there can be have what is acknowledged; then, in the same order, whoever is left of the ring beyond the list.</summary>
    private static int AddFallbacks(Ring ring, PartitionId first, int count, ReadOnlySpan<int> down, IReadOnlySet<NodeId> up, PreflistEntry[] list, int filled)
    {
        var replaced = 0;
        Span<int> taken = down.Length <= 64 ? stackalloc int[down.Length] : new int[down.Length];
        foreach (var mayRepeat in (ReadOnlySpan<bool>)[false, true])
        {
            for (var step = count; step < ring.Size && replaced < down.Length; step++)
            {
                var node = ring.Owner(At(ring, first, step));
                if (up.Contains(node) && (mayRepeat ? !taken[..replaced].Contains(step) : !IsIn(list.AsSpan(0, filled), node)))
                {
                    taken[replaced] = step;
                    list[filled++] = new PreflistEntry(new PartitionId(down[replaced++]), node, IsPrimary: false);
                }
            }
        }

        return filled;
    }

    private static bool IsIn(ReadOnlySpan<PreflistEntry> list, NodeId node)
    {
        foreach (var entry in list)
        {
            if (entry.Node == node)
            {
                return true;
            }
        }

        return false;
    }

    private static PartitionId At(Ring ring, PartitionId first, int step) => new((first.Number + step) & (ring.Size - 1));
}
