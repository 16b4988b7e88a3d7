using Kv.Operator.Api;
using Kv.Operator.Clusters;

namespace Kv.Operator.Gates;

/// <summary>
/// Whether members that a person gave up may be given up now. Not while a preference list of theirs has less than a quorum because another member is only away: that one may turn out to be dead too, and until it
/// is back what a given-up disk holds may be the last copy. Nor would anything be won, since a rebuild asks every member. Who is given up too is waited for by nobody. Pure.
/// </summary>
internal static class LossBudget
{
    /// <summary>What requests ask for where no node tells of bucket types.</summary>
    private static readonly GateQuorum Default = new("bucket type default", 3, 2);

    /// <summary>Names the first such list; null where there is none.</summary>
    /// <param name="ring">As it was seen.</param>
    /// <param name="lost">Who is to be given up, and is not up.</param>
    public static GateVerdict.Closed? WhyNot(ObservedRing ring, IReadOnlyCollection<ObservedMember> lost)
    {
        foreach (var quorum in ring.Quorums.IsEmpty ? [Default] : ring.Quorums)
        {
            for (var partition = 0; partition < ring.Owners.Length; partition++)
            {
                if (WhyNot(ring, lost, quorum, partition) is { } why)
                {
                    return new GateVerdict.Closed(Conditions.Reasons.QuorumAtRisk, why, IsPassing: false);
                }
            }
        }

        return null;
    }

    private static string? WhyNot(ObservedRing ring, IReadOnlyCollection<ObservedMember> lost, GateQuorum quorum, int partition)
    {
        var length = Math.Min(quorum.NVal, ring.Owners.Length);
        var (live, needed) = (0, (length / 2) + 1);
        ObservedMember? away = null;
        var isOfLost = false;
        for (var i = 0; i < length; i++)
        {
            var replica = (partition + i) % ring.Owners.Length;
            if (ring.Owners[replica] >= ring.Members.Length)
            {
                continue;
            }

            var owner = ring.Members[ring.Owners[replica]];
            if (lost.Any(member => member.Id == owner.Id))
            {
                isOfLost = true;
                continue;
            }

            var isUp = IsUp(owner);
            live += isUp && !ring.Missing.Contains(replica) ? 1 : 0;
            away ??= isUp ? null : owner;
        }

        return isOfLost && live < needed && away is not null
            ? $"partition {partition} ({quorum.Whose}, n_val {quorum.NVal}) has {live} live owners and needs {needed}, and {away.Name} (node {away.Id}) is only away: nobody is given up before it is back, or in spec.lostNodes too"
            : null;
    }

    /// <summary>As others see it: one node's view may be of one broken link. Its own word where nobody else tells.</summary>
    public static bool IsUp(ObservedMember member) => member.SeenUpBy > 0 || (member.SeenDownBy == 0 && member.Up);
}
