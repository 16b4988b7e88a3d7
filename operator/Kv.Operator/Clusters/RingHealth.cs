using Kv.Operator.Gates;

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

    /// <summary>Whether there is a preference list, of any bucket type, none of whose owners has its data, be it up or not.</summary>
    public static bool HasKeysWithoutCopy(ObservedRing ring) => ring.Missing.Any(partition => GateQuorums.KnownOf(ring).Any(quorum =>
    {
        var n = Math.Min(quorum.NVal, ring.Owners.Length);
        return n > 0 && Enumerable.Range(0, n).Any(back => Enumerable.Range(0, n).All(i => ring.Missing.Contains((partition - back + i + ring.Owners.Length) % ring.Owners.Length)));
    }));
}
