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
    private readonly int[] original;
    private readonly int[] owners;
    private readonly int[][] groups;
    private readonly int[] groupShares;
    private readonly int foundMoves;

    private ClaimBound(ImmutableArray<NodeId> current, ImmutableArray<ClaimMember> members, ImmutableArray<NodeId> found)
    {
        this.members = members;
        var index = members.Select((m, i) => (m.Id, i)).ToDictionary(m => m.Id, m => m.i);
        original = [.. current.Select(o => index.GetValueOrDefault(o, -1))];
        owners = [.. found.Select(o => index[o])];
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
        var best = 0.0;
        Prices? prices = null;
        ClaimColours? coarser = null;
        foreach (var colours in ClaimColours.Levels(members, original, owners))
        {
            var problem = new Problem(colours, new ClaimWalk(colours, original.Length), colours.Conflicts(owners));
            prices = prices?.Finer(coarser!, colours) ?? new Prices(new double[colours.Count], new double[members.Length], problem.Conflicts > 0 ? 1 : 0);
            (best, prices) = Climb(problem, prices, best, mostClosed: 1, Steps, enough);

            // The seam is exact where that is affordable: beginnings times steps times places.
            var closed = (int)Math.Min(problem.Walks.Begins, MostClosingWork / (problem.Walks.Size * original.Length));
            (best, prices) = Climb(problem, prices, best, closed, ClosedSteps, enough);
            coarser = colours;
        }

        return (int)Math.Ceiling(best - 1e-6);
    }

    private (double Best, Prices At) Climb(Problem problem, Prices prices, double best, int mostClosed, int steps, int enough)
    {
        var at = prices;
        var (length, since, highest) = (1.0, 0, double.MinValue);
        for (var step = 0; step < steps && length > 1e-3 && best <= enough - 1 + 1e-6; step++)
        {
            var walk = Walk(problem, prices, mostClosed);
            best = Math.Max(best, walk.Bound);
            if (walk.Bound > highest + 1e-3)
            {
                (highest, at, since) = (walk.Bound, prices, 0);
            }
            else if (++since == 12)
            {
                (length, since) = (length / 2, 0);
            }

            var squares = walk.OfColour.Sum(g => g * g) + walk.OfNode.Sum(g => g * g) + (walk.Conflicts * walk.Conflicts);
            var size = length * Math.Max(foundMoves - walk.Bound, 0.5) / Math.Max(squares, 1e-9);
            prices = new Prices(
                [.. prices.OfColour.Zip(walk.OfColour, (price, gradient) => price + (size * gradient))],
                [.. prices.OfNode.Zip(walk.OfNode, (price, gradient) => Math.Clamp(price + (size * gradient), 0, 1))],
                Math.Max(0, prices.OfConflict + (size * walk.Conflicts)));
        }

        return (best, at);
    }

    /// <summary>The cheapest walk at these prices, and by how much it is off the shares (in colours, in nodes that keep, where a price can tell) and the conflicts.</summary>
    private (double Bound, double[] OfColour, double[] OfNode, double Conflicts) Walk(Problem problem, Prices prices, int mostClosed)
    {
        var colours = problem.Colours;
        var cost = new double[original.Length, colours.Count];
        for (var p = 0; p < original.Length; p++)
        {
            for (var colour = 0; colour < colours.Count; colour++)
            {
                var owner = original[p];
                cost[p, colour] = prices.OfColour[colour] + (owner < 0 ? 0 : colours.Of(owner) != colour ? 1 : prices.OfNode[owner]);
            }
        }

        var (bound, walk) = problem.Walks.Cheapest(cost, prices.OfConflict, mostClosed);
        var (ofColour, ofNode) = (new double[colours.Count], new double[members.Length]);
        for (var p = 0; p < walk.Length; p++)
        {
            ofColour[walk[p]]++;
            if (original[p] >= 0 && colours.Of(original[p]) == walk[p])
            {
                ofNode[original[p]]++;
            }
        }

        bound -= prices.OfConflict * problem.Conflicts;
        foreach (var (group, total) in groups.Zip(groupShares))
        {
            // The dearest shares that are allowed: the larger ones to the dearest nodes.
            var (floor, more) = Math.DivRem(total, group.Length);
            var dearest = group.OrderByDescending(n => prices.OfColour[colours.Of(n)] + prices.OfNode[n]).ThenByDescending(n => ofNode[n]);
            foreach (var (node, rank) in dearest.Select((n, rank) => (n, rank)))
            {
                var share = rank < more ? floor + 1 : floor;
                bound -= share * (prices.OfColour[colours.Of(node)] + prices.OfNode[node]);
                ofColour[colours.Of(node)] -= share;
                ofNode[node] -= share;
                var isAtItsEnd = ofNode[node] < 0 ? prices.OfNode[node] <= 0 : prices.OfNode[node] >= 1;
                ofNode[node] = colours.IsNode(node) || isAtItsEnd ? 0 : ofNode[node];
            }
        }

        return (bound, ofColour, ofNode, colours.ConflictsOf(walk) - problem.Conflicts);
    }

    /// <summary>On each colour's share, on what each node that is no colour keeps of its own (0 to 1: for more it would rather move), on a conflict.</summary>
    private sealed record Prices(double[] OfColour, double[] OfNode, double OfConflict)
    {
        /// <summary>The same for finer colours.</summary>
        public Prices Finer(ClaimColours coarse, ClaimColours fine)
        {
            var (ofColour, ofNode) = (new double[fine.Count], (double[])OfNode.Clone());
            for (var node = 0; node < ofNode.Length; node++)
            {
                ofColour[fine.Of(node)] = OfColour[coarse.Of(node)] + (fine.IsNode(node) ? ofNode[node] : 0);
                ofNode[node] = fine.IsNode(node) ? 0 : ofNode[node];
            }

            return new Prices(ofColour, ofNode, OfConflict);
        }
    }

    private sealed record Problem(ClaimColours Colours, ClaimWalk Walks, double Conflicts);
}
