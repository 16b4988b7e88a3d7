using System.Collections.Immutable;
using Kv.Core.Rings;

namespace Kv.Core.Tests.Rings;

/// <summary>
/// Whether fewer moves than were made suffice, by trying all assignments that have fewer: partition by partition round the ring, and back where one can no longer be as apart and as even. It decides
/// where the ring is small or tight, or a move or two beyond those of leavers' partitions are in question; <see cref="ClaimBound"/>, which is of fractions of partitions, is at times a move too low there.
/// </summary>
internal sealed class ClaimTrial
{
    private const int MostTried = 3_000_000;
    private const int Window = 4;

    private readonly int[] original;
    private readonly int[] owners;
    private readonly int[] zoneOf;
    private readonly int zones;
    private readonly (int Nodes, int Second, int Third) found;
    private readonly int mostZonesRepeated;
    private readonly bool isEven;

    /// <summary>What each node has: of the places tried so far, and of those ahead whoever is there now.</summary>
    private readonly int[] has;
    private readonly int floor;
    private readonly int more;
    private int tried;
    private bool isOver;

    private ClaimTrial(ImmutableArray<NodeId> current, ImmutableArray<ClaimMember> members, ImmutableArray<NodeId> found)
    {
        var index = members.Select((m, i) => (m.Id, i)).ToDictionary(m => m.Id, m => m.i);
        var names = members.Select(m => m.Zone).Distinct().ToList();
        (zones, zoneOf) = (names.Count, [.. members.Select(m => names.IndexOf(m.Zone))]);
        owners = [.. found.Select(o => index[o])];
        original = [.. current.Select(o => index.GetValueOrDefault(o, -1))];
        this.found = Cost();
        mostZonesRepeated = Places.Sum(p => ZonesRepeated(owners, p));
        var shares = members.Select((_, node) => owners.Count(o => o == node)).ToArray();
        isEven = shares.Max() - shares.Min() <= 1;
        has = [.. members.Select((_, node) => original.Count(o => o == node))];
        (floor, more) = Math.DivRem(original.Length, members.Length);
    }

    private IEnumerable<int> Places => Enumerable.Range(0, original.Length);

    /// <summary>Whether an assignment as good has fewer moves; null where those are too many to try.</summary>
    public static bool? FewerSuffice(ImmutableArray<NodeId> current, ImmutableArray<ClaimMember> members, ImmutableArray<NodeId> found)
    {
        // Where zones repeat now comes first, so that repeats elsewhere are too many at once.
        var trial = new ClaimTrial(current, members, found);
        var begin = trial.Places.FirstOrDefault(p => trial.ZonesRepeated(trial.original, p) > 0) + current.Length - 2;
        Turn(trial.original, begin % current.Length);
        Turn(trial.owners, begin % current.Length);
        var moves = trial.Places.Count(p => trial.original[p] >= 0 && trial.original[p] != trial.owners[p]);
        var suffice = moves > 0 && trial.TryFrom(0, moves - 1, 0);
        return trial.isOver ? null : suffice;
    }

    private static void Turn(int[] ring, int begin) => ((int[])[.. ring[begin..], .. ring[..begin]]).CopyTo(ring, 0);

    private bool TryFrom(int p, int moves, int zonesRepeated)
    {
        if (p == owners.Length)
        {
            return Cost().CompareTo(found) <= 0;
        }

        isOver |= ++tried > MostTried;
        if (isOver)
        {
            return true;
        }

        var now = original[p];
        Change(now, -1);
        for (var i = now < 0 ? 0 : -1; i < has.Length; i++)
        {
            owners[p] = i < 0 ? now : i;
            var left = now < 0 || owners[p] == now ? moves : moves - 1;
            if (i == now || left < 0 || (found.Nodes == 0 && owners.AsSpan(Math.Max(0, p - Window + 1)..p).Contains(owners[p])))
            {
                continue;
            }

            Change(owners[p], 1);
            var repeated = zonesRepeated + (p < 2 ? 0 : ZonesRepeated(owners, p));
            var suffice = CanBeAsGood(p, left, repeated) && TryFrom(p + 1, left, repeated);
            Change(owners[p], -1);
            if (suffice)
            {
                return true;
            }
        }

        Change(now, 1);
        return false;
    }

    private void Change(int node, int by)
    {
        if (node >= 0)
        {
            has[node] += by;
        }
    }

    /// <summary>Whether these moves suffice for stayers ahead that are too near to their own places behind, and for what nodes have above even shares; and zones repeat no more.</summary>
    private bool CanBeAsGood(int p, int moves, int zonesRepeated)
    {
        if (found.Nodes > 0 || !isEven)
        {
            return true;
        }

        var near = 0;
        for (var ahead = p + 1; ahead < Math.Min(p + Window, owners.Length); ahead++)
        {
            near += original[ahead] >= 0 && owners.AsSpan(Math.Max(0, ahead - Window + 1)..(p + 1)).Contains(original[ahead]) ? 1 : 0;
        }

        var (aboveFloor, aboveCeiling) = (-more, 0);
        foreach (var share in has)
        {
            aboveFloor += Math.Max(0, share - floor);
            aboveCeiling += Math.Max(0, share - floor - 1);
        }

        return zonesRepeated <= mostZonesRepeated && Math.Max(near, Math.Max(aboveFloor, aboveCeiling)) <= moves;
    }

    /// <summary>What the claim makes least before moves, in its order: nodes that repeat and zones that repeat, by how near they are; squares of shares, which come first where zones are too few.</summary>
    private (int Nodes, int Second, int Third) Cost()
    {
        var nodes = Places.Sum(p => Enumerable.Range(1, Window - 1).Sum(d => owners[p] == owners[(p + d) % owners.Length] ? (1 << (Window - d)) - 1 : 0));
        var (repeated, squares) = (Places.Sum(p => ZonesRepeated(owners, p)), owners.CountBy(o => o).Sum(o => o.Value * o.Value));
        return zones >= 3 ? (nodes, repeated, squares) : (nodes, squares, repeated);
    }

    /// <summary>By a place's zone and the two behind it. Three zones and more: pairs, by how near they are; two: all three, since a pair is unavoidable.</summary>
    private int ZonesRepeated(int[] ring, int p)
    {
        var (here, behind, farther) = (ring[p], ring[(p + ring.Length - 1) % ring.Length], ring[(p + ring.Length - 2) % ring.Length]);
        if (zones == 1 || here < 0)
        {
            return 0;
        }

        var (near, far) = (behind >= 0 && zoneOf[here] == zoneOf[behind], farther >= 0 && zoneOf[here] == zoneOf[farther]);
        return zones >= 3 ? (near ? 3 : 0) + (far ? 1 : 0) : near && far ? 2 : 0;
    }
}
