using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;

namespace Kv.Operator.Gates;

/// <summary>
/// Whether members that a person gave up may be given up now. Not while a preference list has less than a quorum because another member is only away: that one may turn out to be dead too, and until it
/// is back what a given-up disk holds may be the last copy. Nor would anything be won, since a rebuild asks every member. Who is given up too is waited for by nobody. Pure.
/// </summary>
internal static class LossBudget
{
    /// <summary>What requests ask for where no node tells of bucket types.</summary>
    private static readonly GateQuorum Default = new("bucket type default", 3, 2);

    /// <summary>Names the first such list; null where there is none.</summary>
    public static GateVerdict.Closed? WhyNot(Cluster cluster, ObservedRing ring)
    {
        foreach (var quorum in ring.Quorums.IsEmpty ? [Default] : ring.Quorums)
        {
            for (var partition = 0; partition < ring.Owners.Length; partition++)
            {
                if (WhyNot(cluster, ring, quorum, partition) is { } why)
                {
                    return new GateVerdict.Closed(Conditions.Reasons.QuorumAtRisk, why, IsPassing: false);
                }
            }
        }

        return null;
    }

    private static string? WhyNot(Cluster cluster, ObservedRing ring, GateQuorum quorum, int partition)
    {
        var length = Math.Min(quorum.NVal, ring.Owners.Length);
        var (live, needed) = (0, (length / 2) + 1);
        ObservedMember? away = null;
        for (var i = 0; i < length; i++)
        {
            var replica = (partition + i) % ring.Owners.Length;
            if (ring.Owners[replica] >= ring.Members.Length || ring.Members[ring.Owners[replica]] is not { } owner || Departures.IsLost(cluster, owner))
            {
                continue;
            }

            live += owner.Up && !ring.Missing.Contains(replica) ? 1 : 0;
            away ??= owner.Up ? null : owner;
        }

        return live < needed && away is not null
            ? $"partition {partition} ({quorum.Whose}, n_val {quorum.NVal}) has {live} live owners and needs {needed}, and {away.Name} (node {away.Id}) is only away: nobody is given up before it is back, or in spec.lostNodes too"
            : null;
    }
}
