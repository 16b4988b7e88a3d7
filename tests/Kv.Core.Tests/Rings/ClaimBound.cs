using System.Collections.Immutable;
using Kv.Core.Rings;

namespace Kv.Core.Tests.Rings;

/// <summary>
/// How few moves any assignment could have made do with that keeps nodes and zones apart as well and shares as even as the one that was found. Sound, and apart from how the claim
/// searches: a Lagrangian relaxation. Apartness stays exact, as the cheapest walk round the ring (<see cref="ClaimWalk"/>); shares become prices: one on each colour, and one on each node
/// for what it keeps. Whatever the prices, the cheapest walk less the price of the shares is no more than the moves of the best assignment; subgradient steps look for the prices that tell most.
/// </summary>
internal sealed class ClaimBound
{
    private const int Steps = 400;
    private const int ClosedSteps = 60;
    private const long MostClosingWork = 10_000_000;

    private readonly ImmutableArray<ClaimMember> members;
    private readonly ClaimColours colours;
    private readonly ClaimWalk walks;
    private readonly int[] original;
    private readonly int[][] groups;
    private readonly int[] groupShares;
    private readonly double foundConflicts;
    private readonly int foundMoves;

    private ClaimBound(ImmutableArray<NodeId> current, ImmutableArray<ClaimMember> members, ImmutableArray<NodeId> found)
    {
        this.members = members;
        var index = members.Select((m, i) => (m.Id, i)).ToDictionary(m => m.Id, m => m.i);
        original = [.. current.Select(o => index.GetValueOrDefault(o, -1))];
        var owners = found.Select(o => index[o]).ToArray();
        colours = new ClaimColours(members, owners);
        walks = new ClaimWalk(colours, original.Length);
        foundConflicts = colours.Conflicts(owners);
        foundMoves = owners.Where((o, p) => original[p] >= 0 && original[p] != o).Count();
        var shares = members.Select((_, i) => owners.Count(o => o == i)).ToArray();
        var all = Enumerable.Range(0, members.Length).ToArray();
        groups = shares.Max() - shares.Min() <= 1 ? [all] : [.. all.GroupBy(n => members[n].Zone).Select(g => g.ToArray())];
        groupShares = [.. groups.Select(g => g.Sum(n => shares[n]))];
    }

    /// <summary>The least moves off members that stay, rounded up; what leavers held moves in any case and is not counted.</summary>
    public static int Of(ImmutableArray<NodeId> current, ImmutableArray<ClaimMember> members, ImmutableArray<NodeId> found, int enough) =>
        members.Length == 1 ? 0 : new ClaimBound(current, members, found).Best(enough);

    private int Best(int enough)
    {
        var begin = new Prices(new double[colours.Count], new double[members.Length], foundConflicts > 0 ? 1 : 0);
        var (best, prices) = Climb(begin, 0, mostClosed: 1, Steps, enough);

        // The seam is exact where that is affordable: beginnings times steps times places.
        var closed = (int)Math.Min(walks.Begins, MostClosingWork / (walks.Size * original.Length));
        return (int)Math.Ceiling(Climb(prices, best, closed, ClosedSteps, enough).Best - 1e-6);
    }

    private (double Best, Prices At) Climb(Prices prices, double best, int mostClosed, int steps, int enough)
    {
        var at = prices;
        var (length, since) = (1.0, 0);
        for (var step = 0; step < steps && length > 1e-3 && best <= enough - 1 + 1e-6; step++)
        {
            var walk = Walk(prices, mostClosed);
            if (walk.Bound > best + 1e-3)
            {
                (best, at, since) = (walk.Bound, prices, 0);
            }
            else if (++since == 12)
            {
                (length, since) = (length / 2, 0);
            }

            var squares = walk.OfColour.Sum(g => g * g) + walk.OfNode.Sum(g => g * g) + (walk.Conflicts * walk.Conflicts);
            var size = length * Math.Max(foundMoves - walk.Bound, 0.5) / Math.Max(squares, 1e-9);
            prices = new Prices(
                [.. prices.OfColour.Zip(walk.OfColour, (price, gradient) => price + (size * gradient))],
                [.. prices.OfNode.Select((price, node) => colours.IsNode(node) ? 0 : Math.Clamp(price + (size * walk.OfNode[node]), 0, 1))],
                Math.Max(0, prices.OfConflict + (size * walk.Conflicts)));
        }

        return (best, at);
    }

    /// <summary>The cheapest walk at these prices, and by how much it is off the shares (in colours, in nodes that keep) and the conflicts.</summary>
    private (double Bound, double[] OfColour, double[] OfNode, double Conflicts) Walk(Prices prices, int mostClosed)
    {
        var cost = new double[original.Length, colours.Count];
        for (var p = 0; p < original.Length; p++)
        {
            for (var colour = 0; colour < colours.Count; colour++)
            {
                var owner = original[p];
                var move = owner < 0 ? 0 : colours.Of(owner) != colour ? 1 : colours.IsNode(owner) ? 0 : Math.Min(1, prices.OfNode[owner]);
                cost[p, colour] = prices.OfColour[colour] + move;
            }
        }

        var (bound, walk) = walks.Cheapest(cost, prices.OfConflict, mostClosed);
        var (ofColour, ofNode) = (new double[colours.Count], new double[members.Length]);
        for (var p = 0; p < walk.Length; p++)
        {
            ofColour[walk[p]]++;
            if (original[p] >= 0 && colours.Of(original[p]) == walk[p] && !colours.IsNode(original[p]) && prices.OfNode[original[p]] < 1)
            {
                ofNode[original[p]]++;
            }
        }

        bound -= prices.OfConflict * foundConflicts;
        foreach (var (group, total) in groups.Zip(groupShares))
        {
            // The dearest shares that are allowed: the larger ones to the dearest nodes.
            var (floor, more) = Math.DivRem(total, group.Length);
            foreach (var (node, rank) in group.OrderByDescending(n => prices.OfColour[colours.Of(n)] + prices.OfNode[n]).Select((n, rank) => (n, rank)))
            {
                var share = rank < more ? floor + 1 : floor;
                bound -= share * (prices.OfColour[colours.Of(node)] + prices.OfNode[node]);
                ofColour[colours.Of(node)] -= share;
                ofNode[node] -= colours.IsNode(node) ? 0 : share;
            }
        }

        return (bound, ofColour, ofNode, colours.ConflictsOf(walk) - foundConflicts);
    }

    private sealed record Prices(double[] OfColour, double[] OfNode, double OfConflict);
}
