using System.Collections.Immutable;
using Kv.Core.Rings;

namespace Kv.Core.Tests.Rings;

/// <summary>
/// How few moves any assignment could have made do with that keeps nodes and zones apart as well and shares as even as the one that was found. Sound, and apart from how the claim searches: a
/// Lagrangian relaxation. Apartness stays exact, as the cheapest walk round the ring over the zones (or the nodes, where they are few) of the last three partitions;
/// shares become prices: one on each zone (or node), and one on each node for what it keeps. Whatever the prices, the cheapest walk less the price of
/// the shares is no more than the moves of the best assignment; subgradient steps look for the prices that tell most.
/// </summary>
internal sealed class ClaimBound
{
    private const int Window = 4;
    private const int ZoneWindow = 3;
    private const int MostNodeColours = 7;
    private const int Steps = 400;
    private const double Forbidden = 1e12;

    private readonly ImmutableArray<ClaimMember> members;
    private readonly int[] colourOf;
    private readonly int[] zoneOfColour;
    private readonly int[] sizeOfColour;
    private readonly bool byNode;
    private readonly int[] original;
    private readonly int[][] groups;
    private readonly int[] groupShares;
    private readonly double foundConflicts;
    private readonly int foundMoves;
    private readonly int[] next;
    private readonly double[] conflictsOfStep;

    private ClaimBound(ImmutableArray<NodeId> current, ImmutableArray<ClaimMember> members, ImmutableArray<NodeId> found)
    {
        this.members = members;
        var index = members.Select((m, i) => (m.Id, i)).ToDictionary(m => m.Id, m => m.i);
        var zones = members.Select(m => m.Zone).Distinct().ToList();
        byNode = members.Length <= MostNodeColours;
        colourOf = [.. members.Select((m, i) => byNode ? i : zones.IndexOf(m.Zone))];
        Colours = byNode ? members.Length : zones.Count;
        zoneOfColour = [.. Enumerable.Range(0, Colours).Select(c => byNode ? zones.IndexOf(members[c].Zone) : c)];
        sizeOfColour = [.. Enumerable.Range(0, Colours).Select(c => colourOf.Count(o => o == c))];
        HasZones = zones.Count > 1;
        original = [.. current.Select(o => index.GetValueOrDefault(o, -1))];
        var owners = found.Select(o => index[o]).ToArray();
        var shares = members.Select((_, i) => owners.Count(o => o == i)).ToArray();
        var all = Enumerable.Range(0, members.Length).ToArray();
        groups = shares.Max() - shares.Min() <= 1 ? [all] : [.. all.GroupBy(n => members[n].Zone).Select(g => g.ToArray())];
        groupShares = [.. groups.Select(g => g.Sum(n => shares[n]))];
        foundMoves = owners.Where((o, p) => original[p] >= 0 && original[p] != o).Count();
        foundConflicts = Enumerable.Range(0, owners.Length).Sum(p => Enumerable.Range(1, Window - 1).Sum(d => ConflictOf(colourOf[owners[p]], colourOf[owners[(p + d) % owners.Length]], d)));
        States = (int)Math.Pow(Colours, Window - 1);
        (next, conflictsOfStep) = StepsOfStates();
    }

    private int Colours { get; }

    private int States { get; }

    private bool HasZones { get; }

    /// <summary>The least moves off members that stay, rounded up; what leavers held moves in any case and is not counted.</summary>
    public static int Of(ImmutableArray<NodeId> current, ImmutableArray<ClaimMember> members, ImmutableArray<NodeId> found)
    {
        var zones = members.Select(m => m.Zone).Distinct().Count();
        return members.Length < Window || (members.Length > MostNodeColours && zones == 1) ? 0 : new ClaimBound(current, members, found).Best();
    }

    private int Best()
    {
        var prices = new Prices(new double[Colours], new double[members.Length], foundConflicts > 0 ? 1 : 0);
        var best = 0.0;
        var (length, since) = (1.0, 0);
        for (var step = 0; step < Steps && best < foundMoves - 1 + 1e-6; step++)
        {
            var walk = Walk(prices);
            if (walk.Bound > best)
            {
                (best, since) = (walk.Bound, 0);
            }
            else if (++since == 12)
            {
                (length, since) = (length / 2, 0);
            }

            var squares = walk.ByColour.Sum(g => g * g) + walk.ByNode.Sum(g => g * g) + (walk.Conflicts * walk.Conflicts);
            if (squares == 0)
            {
                break;
            }

            var size = length * Math.Max(foundMoves - walk.Bound, 0.5) / squares;
            prices = new Prices(
                [.. prices.OfColour.Zip(walk.ByColour, (price, gradient) => price + (size * gradient))],
                [.. prices.OfNode.Zip(walk.ByNode, (price, gradient) => byNode ? 0 : Math.Clamp(price + (size * gradient), 0, 1))],
                Math.Max(0, prices.OfConflict + (size * walk.Conflicts)));
        }

        return (int)Math.Ceiling(best - 1e-6);
    }

    /// <summary>The cheapest walk at these prices, and by how much it is off the shares (in nodes that keep, in colours) and the conflicts.</summary>
    private (double Bound, double[] ByColour, double[] ByNode, double Conflicts) Walk(Prices prices)
    {
        var places = original.Length;
        var now = new double[States];
        var after = new double[States];
        var from = new byte[places, States];
        Array.Fill(now, 0);
        for (var p = 0; p < places; p++)
        {
            Array.Fill(after, Forbidden);
            for (var colour = 0; colour < Colours; colour++)
            {
                var here = prices.OfColour[colour] + PriceAt(p, colour, prices);
                for (var state = 0; state < States; state++)
                {
                    // The first places have nothing behind them: any state will do, and what pairs with it is not counted.
                    var conflicts = conflictsOfStep[(state * Colours) + colour];
                    var total = now[state] + here + (p < Window - 1 ? 0 : conflicts >= Forbidden ? Forbidden : prices.OfConflict * conflicts);
                    var to = next[(state * Colours) + colour];
                    if (total < after[to])
                    {
                        (after[to], from[p, to]) = (total, (byte)(state / (States / Colours)));
                    }
                }
            }

            (now, after) = (after, now);
        }

        var end = Array.IndexOf(now, now.Min());
        return Read(prices, now[end], end, from);
    }

    private (double Bound, double[] ByColour, double[] ByNode, double Conflicts) Read(Prices prices, double cost, int end, byte[,] from)
    {
        var (byColour, byNodeKept, conflicts) = (new double[Colours], new double[members.Length], -foundConflicts);
        var state = end;
        for (var p = original.Length - 1; p >= 0; p--)
        {
            var colour = state % Colours;
            var before = (from[p, state] * (States / Colours)) + (state / Colours);
            byColour[colour]++;
            if (p >= Window - 1)
            {
                conflicts += conflictsOfStep[(before * Colours) + colour];
            }

            if (!byNode && original[p] >= 0 && colourOf[original[p]] == colour && prices.OfNode[original[p]] < 1)
            {
                byNodeKept[original[p]]++;
            }

            state = before;
        }

        var bound = cost - (prices.OfConflict * foundConflicts);
        foreach (var (group, total) in groups.Zip(groupShares))
        {
            // The dearest shares that are allowed: the larger ones to the dearest nodes.
            var (floor, more) = Math.DivRem(total, group.Length);
            foreach (var (node, rank) in group.OrderByDescending(n => prices.OfColour[colourOf[n]] + prices.OfNode[n]).Select((n, rank) => (n, rank)))
            {
                var share = rank < more ? floor + 1 : floor;
                bound -= share * (prices.OfColour[colourOf[node]] + prices.OfNode[node]);
                byColour[colourOf[node]] -= share;
                byNodeKept[node] -= share;
            }
        }

        return (bound, byColour, byNode ? new double[members.Length] : byNodeKept, conflicts);
    }

    private double PriceAt(int p, int colour, Prices prices)
    {
        var owner = original[p];
        return owner < 0 ? 0 : colourOf[owner] != colour ? 1 : byNode ? 0 : Math.Min(1, prices.OfNode[owner]);
    }

    /// <summary>What two colours cost at a distance: forbidden for one node, the claim's weight for one zone.</summary>
    private double ConflictOf(int a, int b, int distance)
    {
        if (a == b && sizeOfColour[a] == 1)
        {
            return Forbidden;
        }

        var (zones, sameZone) = (zoneOfColour.Distinct().Count(), zoneOfColour[a] == zoneOfColour[b]);
        return !HasZones || !sameZone || distance >= ZoneWindow ? 0 : zones >= ZoneWindow ? (1 << (ZoneWindow - distance)) - 1 : ZoneWindow - distance;
    }

    private (int[] Next, double[] Conflicts) StepsOfStates()
    {
        var to = new int[States * Colours];
        var conflicts = new double[States * Colours];
        for (var state = 0; state < States; state++)
        {
            for (var colour = 0; colour < Colours; colour++)
            {
                to[(state * Colours) + colour] = ((state * Colours) + colour) % States;
                var (rest, sum) = (state, 0.0);
                for (var distance = 1; distance < Window; distance++, rest /= Colours)
                {
                    sum += ConflictOf(rest % Colours, colour, distance);
                }

                conflicts[(state * Colours) + colour] = Math.Min(sum, Forbidden);
            }
        }

        return (to, conflicts);
    }

    private sealed record Prices(double[] OfColour, double[] OfNode, double OfConflict);
}
