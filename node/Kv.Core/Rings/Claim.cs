using System.Collections.Immutable;

namespace Kv.Core.Rings;

/// <summary>
/// Who is to own which partition: a pure, deterministic function of the ring as it is and the members that are to own it. In this order: (a) no node twice in
/// any <c>targetNVal</c> consecutive partitions (around the ring's end too), then no zone twice in any <c>nValPerZone</c>, wherever any assignment can avoid it and as
/// seldom as can be where none can; (b) shares that differ by at most one, yielding only to (a); (c) the fewest moves for that.
/// Why and how: node/docs/ring.md.
/// </summary>
public static class Claim
{
    /// <summary>Times a found assignment is coloured and searched anew.</summary>
    private const int Rounds = 3;

    /// <summary>Assignments that chains of rewrites are tried on.</summary>
    private const int Chained = 3;

    /// <summary>Assigns every partition to one of <paramref name="members"/>. An owner that is not among them gives all it has away.</summary>
    /// <param name="ringSize">Partitions.</param>
    /// <param name="current">Owners now; empty for a new ring.</param>
    /// <param name="members">Who is to own partitions, in any order; at least one.</param>
    /// <param name="targetNVal">Consecutive partitions that are to be on distinct nodes.</param>
    /// <param name="nValPerZone">Consecutive partitions that are to be in distinct zones.</param>
    public static ClaimResult Assign(int ringSize, ImmutableArray<NodeId> current, ImmutableArray<ClaimMember> members, int targetNVal, int nValPerZone)
    {
        if (members.IsDefaultOrEmpty)
        {
            throw new ArgumentException("a ring needs a member to own it", nameof(members));
        }

        if (!Ring.IsValidSize(ringSize) || (!current.IsDefaultOrEmpty && current.Length != ringSize))
        {
            throw new ArgumentException($"a ring of {ringSize} with {(current.IsDefault ? 0 : current.Length)} owners", nameof(ringSize));
        }

        var rules = new ClaimRules(ringSize, current, members, targetNVal, nValPerZone);
        var best = Best(rules);
        ImmutableArray<NodeId> owners = [.. best.Owners.ToArray().Select(o => rules.Nodes[o])];
        return new ClaimResult(owners, ClaimWarnings.Of(best));
    }

    private static ClaimBoard Best(ClaimRules rules)
    {
        var found = new ClaimFinds(ClaimStarts.FromCurrent(rules));
        for (var (round, isBetter) = (0, true); round < Rounds && isBetter && !IsApartAndEven(found.Best); round++)
        {
            isBetter = found.Try(ClaimStarts.Nearest(rules, found.Best.Owners.ToArray()));
        }

        if (IsLeast(found.Best))
        {
            return found.Best;
        }

        found.Try(ClaimStarts.Spread(rules));
        found.Try(ClaimStarts.Nearest(rules, rules.Original));
        if (!IsApartAndEven(found.Best))
        {
            found.TryAll(ClaimPrices.Even(found.Best, own: false));
        }

        if (!IsApartAndEven(found.Best))
        {
            // Beginnings that care for no move: where replicas could not be kept apart, or shares even, from what there is.
            found.Try(ClaimStarts.Interleaved(rules));
            found.Try(ClaimStarts.Mixed(rules));
            found.Try(ClaimStarts.FourZones(rules));
            found.Try(ClaimStarts.InterleavedApart(rules));
            found.Try(ClaimStarts.Refilled(found.Best));
        }

        for (var (round, isBetter) = (0, true); round < Rounds && isBetter && !IsLeast(found.Best); round++)
        {
            isBetter = found.TryAll(ClaimPrices.Around(found.Best));
        }

        if (!found.Best.IsEven && rules.SharesMayBeEven)
        {
            found.TryAll(ClaimPrices.Even(found.Best, own: true));
        }

        if (!IsLeast(found.Best) && ClaimBranches.Better(found.Best) is { } best)
        {
            return best;
        }

        foreach (var board in found.Promising(Chained).Where(board => board.Moves() > 0))
        {
            if (!IsLeast(found.Best))
            {
                ClaimChains.Run(board);
                found.Take(board);
            }
        }

        return found.Best;
    }

    /// <summary>Whether only moves are left to save: no node is repeated, zones only where they must be, and shares differ by at most one.</summary>
    private static bool IsApartAndEven(ClaimBoard board)
    {
        var rules = board.Rules;
        var (floor, more) = Math.DivRem(rules.RingSize, rules.Nodes.Length);
        var squares = ((long)more * (floor + 1) * (floor + 1)) + ((long)(rules.Nodes.Length - more) * floor * floor);
        return board.TotalCost() == (board.Moves() * ClaimRules.MoveCost) + (squares * rules.BalanceCost) + rules.LeastZoneCost;
    }

    /// <summary>Whether no assignment at all is better.</summary>
    private static bool IsLeast(ClaimBoard board) => IsApartAndEven(board) && board.Moves() <= board.Rules.ForcedMoves;
}
