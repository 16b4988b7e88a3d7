namespace Kv.Core.Rings;

/// <summary>
/// Few moves where a ring is tight. The exact colouring knows nothing of shares; here each node (where there are few) or each zone has a price that rises while it
/// has more than its share and falls while it has less (Lagrange multipliers by subgradient steps), so that colourings come near the shares with the fewest moves for
/// them. The search then makes them exact.
/// </summary>
internal static class ClaimPrices
{
    private const int MaxNodeColours = 7;
    private const int MaxZoneColours = 5;
    private const int Rounds = 48;
    private const int Kept = 4;

    // A move's price leaves room below it for the scatter that tells equal places apart.
    private const long MovePrice = 64;
    private const int ScatterMask = 15;
    private const long ZonePrice = 1L << 20;
    private const long NodePrice = 1L << 34;

    /// <summary>Colourings near the shares of <paramref name="best"/>, the most promising first; none where there are too many colours.</summary>
    public static List<ClaimBoard> Around(ClaimBoard best) => Near(best, best.Shares);

    /// <summary>As <see cref="Around"/>, but near even shares, which <paramref name="best"/> may not have: nodes that hold more keep the larger ones.</summary>
    public static List<ClaimBoard> Even(ClaimBoard best)
    {
        var (floor, more) = Math.DivRem(best.Rules.RingSize, best.Shares.Length);
        var shares = new int[best.Shares.Length];
        foreach (var (node, rank) in Enumerable.Range(0, shares.Length).OrderByDescending(n => best.Shares[n]).Select((n, rank) => (n, rank)))
        {
            shares[node] = rank < more ? floor + 1 : floor;
        }

        return Near(best, shares);
    }

    private static List<ClaimBoard> Near(ClaimBoard best, int[] wanted)
    {
        var rules = best.Rules;
        var byNode = rules.Nodes.Length <= MaxNodeColours;
        if (rules.NodeWindow < 2 || (!byNode && (!rules.HasZones || rules.ZoneNames.Length > MaxZoneColours)))
        {
            return [];
        }

        var colours = byNode ? rules.Nodes.Length : rules.ZoneNames.Length;
        int ColourOf(int node) => node == ClaimRules.Nobody ? node : byNode ? node : rules.ZoneOf[node];
        var begin = best.Owners.ToArray().Select(ColourOf).ToArray();
        var original = rules.Original.Select(ColourOf).ToArray();
        var target = new int[colours];
        for (var node = 0; node < wanted.Length; node++)
        {
            target[ColourOf(node)] += wanted[node];
        }

        var prices = new double[colours];
        var found = new List<(int Off, int Moves, int[] Colouring)>();
        var round = 0;
        CyclicColouring.SolveOften(
            begin,
            colours,
            rules.NodeWindow,
            (p, colour) => (original[p] == colour ? 0 : MovePrice) + (long)prices[colour] + (ClaimStarts.Mix(p, colour) & ScatterMask),
            (a, b, distance) => byNode
                ? rules.PairPrice(a == b, rules.ZoneOf[a] == rules.ZoneOf[b], distance, NodePrice, ZonePrice)
                : rules.PairPrice(a == b && rules.ZoneSizes[a] == 1, a == b, distance, NodePrice, ZonePrice),
            colouring =>
            {
                var shares = Count(colouring, colours);
                var off = shares.Zip(target, (share, wanted) => Math.Abs(share - wanted)).Sum();
                found.Add((off, colouring.Where((colour, p) => original[p] != colour).Count(), colouring));
                for (var colour = 0; colour < colours; colour++)
                {
                    prices[colour] += 4.0 * MovePrice * (shares[colour] - target[colour]) / (Math.Max(target[colour], 1) * (1 + (round / 8.0)));
                }

                return off > 0 && ++round < Rounds;
            });

        // What is left to even out costs about a move each on a loose ring, and far more on a tight one.
        var promising = found.OrderBy(f => f.Off + f.Moves).Take(Kept / 2).Concat(found.OrderBy(f => f.Off).ThenBy(f => f.Moves).Take(Kept / 2));
        return [.. promising.Select(f => byNode ? new ClaimBoard(rules, f.Colouring) : ClaimStarts.FillZones(rules, f.Colouring, rules.Original))];
    }

    private static int[] Count(int[] colouring, int colours)
    {
        var counts = new int[colours];
        foreach (var colour in colouring)
        {
            counts[colour]++;
        }

        return counts;
    }
}
