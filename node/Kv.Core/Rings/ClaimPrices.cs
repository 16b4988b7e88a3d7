namespace Kv.Core.Rings;

/// <summary>
/// Few moves where a ring is tight. The exact colouring knows nothing of shares; here each node (where there are few) or each zone has a price that rises while it
/// has more than its share and falls while it has less (Lagrange multipliers by subgradient steps), so that colourings come near the shares with the fewest moves for
/// them. The search then makes them exact.
/// </summary>
internal static class ClaimPrices
{
    private const int MaxZoneColours = 5;

    /// <summary>Up to this many nodes zones say nothing that nodes do not.</summary>
    private const int FewNodes = 7;

    /// <summary>Steps of the colouring in one round, up to which each node has a price; and in all rounds together.</summary>
    private const long MaxRoundWork = 2_500_000;

    private const long MaxWork = 100_000_000;
    private const int MinRounds = 24;
    private const int MaxRounds = 320;
    private const int Patience = 12;
    private const int Kept = 4;

    // A move's price leaves room below it for the scatter that tells equal places apart.
    private const long MovePrice = 1L << 14;
    private const int ScatterMask = 7;
    private const long ZonePrice = 1L << 28;
    private const long NodePrice = 1L << 40;

    /// <summary>
    /// Colourings near the shares of <paramref name="best"/>, the most promising first; none where there are too many colours. What <paramref name="best"/> has at
    /// <paramref name="seam"/> stays: another seam leaves other ways open.
    /// </summary>
    public static List<ClaimBoard> Around(ClaimBoard best, int seam) => Near(best, best.Shares, seam);

    /// <summary>As <see cref="Around"/>, but near even shares, which <paramref name="best"/> may not have: nodes that hold more keep the larger ones.</summary>
    public static List<ClaimBoard> Even(ClaimBoard best)
    {
        var (floor, more) = Math.DivRem(best.Rules.RingSize, best.Shares.Length);
        var shares = new int[best.Shares.Length];
        foreach (var (node, rank) in Enumerable.Range(0, shares.Length).OrderByDescending(n => best.Shares[n]).Select((n, rank) => (n, rank)))
        {
            shares[node] = rank < more ? floor + 1 : floor;
        }

        return Near(best, shares, seam: 0);
    }

    private static List<ClaimBoard> Near(ClaimBoard best, int[] wanted, int seam)
    {
        var rules = best.Rules;
        var found = new List<ClaimBoard>();
        var nodeWork = WorkByNode(rules);
        if (rules.NodeWindow >= 2 && nodeWork <= MaxRoundWork)
        {
            var rounds = (int)Math.Clamp(MaxWork / nodeWork, MinRounds, MaxRounds);
            found.AddRange(Near(best, wanted, seam, rules.Nodes.Length, node => node, rounds).Select(owners => new ClaimBoard(rules, owners)));
        }

        if (rules.NodeWindow >= 2 && rules.HasZones && rules.ZoneNames.Length <= MaxZoneColours && rules.Nodes.Length > FewNodes)
        {
            found.AddRange(Near(best, wanted, seam, rules.ZoneNames.Length, node => rules.ZoneOf[node], MinRounds).Select(zones => ClaimStarts.FillZones(rules, zones, rules.Original)));
        }

        return found;
    }

    private static IEnumerable<int[]> Near(ClaimBoard best, int[] wanted, int seam, int colours, Func<int, int> colourOf, int rounds)
    {
        var rules = best.Rules;
        var byNode = colours == rules.Nodes.Length;
        var begin = Enumerable.Range(seam, rules.RingSize).Select(p => colourOf(best.OwnerOf(best.Place(p)))).ToArray();
        var original = Enumerable.Range(seam, rules.RingSize).Select(p => rules.Original[best.Place(p)]).Select(o => o == ClaimRules.Nobody ? o : colourOf(o)).ToArray();
        var target = new int[colours];
        for (var node = 0; node < wanted.Length; node++)
        {
            target[colourOf(node)] += wanted[node];
        }

        long PairPrice(int a, int b, int distance) => byNode
            ? rules.PairPrice(a == b, rules.ZoneOf[a] == rules.ZoneOf[b], distance, NodePrice, ZonePrice)
            : rules.PairPrice(a == b && rules.ZoneSizes[a] == 1, a == b, distance, NodePrice, ZonePrice);
        var pairs = Enumerable.Range(1, rules.NodeWindow - 1)
            .SelectMany(distance => begin.Select((colour, p) => PairPrice(colour, begin[best.Place(p + distance)], distance)))
            .Where(price => price < CyclicColouring.Forbidden)
            .Sum();

        // Where the best has these very shares, a bound above one move less ends the search; the scatter is part of what the bound is of.
        var moves = best.Moves() * MovePrice;
        var enough = wanted.AsSpan().SequenceEqual(best.Shares) ? pairs + moves - MovePrice + (ScatterMask * rules.RingSize) : double.MaxValue;
        var prices = new Multipliers(target, pairs + moves, enough, smallest: Math.Max(4 * MovePrice, moves / 8));
        var found = new List<(int Off, int Moves, int[] Colouring)>();
        CyclicColouring.SolveOften(
            begin,
            colours,
            rules.NodeWindow,
            (p, colour) => (original[p] == colour || original[p] == ClaimRules.Nobody ? 0 : MovePrice) + (long)prices.Of[colour] + (ClaimStarts.Mix(p, colour) & ScatterMask),
            PairPrice,
            (colouring, price) =>
            {
                var shares = Count(colouring, colours);
                var off = shares.Zip(target, (share, wanted) => Math.Abs(share - wanted)).Sum();
                found.Add((off, colouring.Where((colour, p) => original[p] != colour).Count(), colouring));
                return prices.Adjust(shares, price) && found.Count < rounds;
            });

        // What is left to even out costs about a move each on a loose ring, and far more on a tight one.
        var promising = found.OrderBy(f => f.Off + f.Moves).Take(Kept / 2).Concat(found.OrderBy(f => f.Off).ThenBy(f => f.Moves).Take(Kept / 2));
        return promising.Select(f => Enumerable.Range(0, rules.RingSize).Select(p => f.Colouring[best.Place(p - seam)]).ToArray());
    }

    /// <summary>Steps of a colouring by nodes, at most: nodes that can follow those of the last three partitions, and so on.</summary>
    private static long WorkByNode(ClaimRules rules)
    {
        var work = (long)rules.RingSize;
        for (var behind = 0; behind < rules.NodeWindow && work <= MaxRoundWork; behind++)
        {
            var excluded = rules.ZonesCanBeApart ? Math.Min(behind, rules.ZoneWindow - 1) * rules.ZoneSizes.Min() : rules.NodesCanBeApart ? behind : 0;
            work *= Math.Max(1, rules.Nodes.Length - excluded);
        }

        return work;
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

    /// <summary>
    /// A price on each colour's share. Steps are Polyak's: as long as reaches the goal (or <paramref name="smallest"/> more), and half as long where the bound has not risen for a while.
    /// </summary>
    private sealed class Multipliers(int[] target, double goal, double enough, double smallest)
    {
        private double _bound = double.MinValue;
        private double _length = 1;
        private int _since;

        public double[] Of { get; } = new double[target.Length];

        /// <summary>False where the shares are right, or the bound tells that nothing better is to be found.</summary>
        public bool Adjust(int[] shares, long cost)
        {
            var bound = cost - Of.Zip(target, (price, share) => (long)price * share).Sum();
            if (bound > _bound)
            {
                (_bound, _since) = (bound, 0);
            }
            else if (++_since == Patience)
            {
                (_length, _since) = (_length / 2, 0);
            }

            var squares = shares.Zip(target, (share, wanted) => (double)(share - wanted) * (share - wanted)).Sum();
            var size = _length * Math.Max(goal - bound, smallest) / Math.Max(squares, 1);
            for (var colour = 0; colour < Of.Length; colour++)
            {
                Of[colour] += size * (shares[colour] - target[colour]);
            }

            return squares > 0 && bound <= enough;
        }
    }
}
