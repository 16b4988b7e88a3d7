namespace Kv.Operator.Clusters;

/// <summary>How many partitions can answer with the default quorums from their own owners. Pure.</summary>
internal static class RingHealth
{
    private const int DefaultN = 3;

    /// <summary>Preference lists of three (fewer where the ring has fewer members) with fewer owners that are up and have the data than a quorum of them.</summary>
    public static int PartitionsWithoutQuorum(ObservedRing ring)
    {
        var n = Math.Min(DefaultN, Math.Max(1, ring.Members.Count(member => member.Partitions > 0)));
        var quorum = (n / 2) + 1;
        var count = 0;
        for (var partition = 0; partition < ring.Owners.Length; partition++)
        {
            var live = 0;
            for (var i = 0; i < n; i++)
            {
                var replica = (partition + i) % ring.Owners.Length;
                var owner = ring.Owners[replica];
                live += owner < ring.Members.Length && ring.Members[owner].Up && !ring.Missing.Contains(replica) ? 1 : 0;
            }

            count += live < quorum ? 1 : 0;
        }

        return count;
    }

    /// <summary>The preference lists, for each n_val that there is, with an owner that has not the data: the first partition of each, and how many of its owners have theirs, be they up or not.</summary>
    public static IEnumerable<(int First, int NVal, int Whole)> ListsWithout(ObservedRing ring)
    {
        var size = ring.Owners.Length;
        foreach (var nVal in ring.NVals.IsEmpty ? [DefaultN] : ring.NVals)
        {
            var n = Math.Min(nVal, size);
            foreach (var first in ring.Missing.SelectMany(partition => Enumerable.Range(0, n).Select(back => (partition - back + size) % size)).Distinct().Order())
            {
                yield return (first, n, Enumerable.Range(0, n).Count(i => !ring.Missing.Contains((first + i) % size)));
            }
        }
    }
}
