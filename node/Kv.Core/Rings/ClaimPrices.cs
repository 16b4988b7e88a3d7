namespace Kv.Core.Rings;

/// <summary>
/// Few moves where a ring is tight. The exact colouring knows nothing of shares; here each colour has a price that rises while it has more than its share and falls while it has less, and each
/// node one for what it keeps beyond its share (Lagrange multipliers by subgradient steps), so that colourings come near the shares with the fewest moves for them. The search then makes them exact.
/// </summary>
internal static class ClaimPrices
{
    /// <summary>Steps of the colouring in one round, up to which more nodes are colours of their own; and in all rounds of a palette together.</summary>
    private const long MaxRoundWork = 2_500_000;

    private const long MaxWork = 50_000_000;
    private const int MinRounds = 24;
    private const int MaxRounds = 400;
    private const int Kept = 2;

    // A move's price leaves room below it for the scatter that tells equal places apart: not a move's worth of it on the largest ring.
    private const long MovePrice = 1L << 16;
    private const int ScatterMask = 63;
    private const long ZonePrice = 1L << 28;
    private const long NodePrice = 1L << 40;

    /// <summary>
    /// Assignments near shares as even as those of <paramref name="best"/>; none where there are too many colours.
    /// </summary>
    public static List<ClaimBoard> Around(ClaimBoard best) => Near(best, best.IsEven, own: false);

    /// <summary>As <see cref="Around"/>, but near even shares, which <paramref name="best"/> may not have.</summary>
    /// <param name="own">Whether each price has steps of its own.</param>
    public static List<ClaimBoard> Even(ClaimBoard best, bool own) => Near(best, even: true, own);

    private static List<ClaimBoard> Near(ClaimBoard best, bool even, bool own)
    {
        var found = new List<ClaimBoard>();
        if (best.Rules.NodeWindow < 2)
        {
            return found;
        }

        // Prices of coarse colours, which have many rounds, are where those of finer ones begin.
        ClaimMultipliers? prices = null;
        foreach (var palette in ClaimPalette.Ladder(best.Rules).Where(p => p.Count > 1 && p.Work() <= MaxRoundWork))
        {
            var rounds = (int)Math.Clamp(MaxWork / palette.Work(), MinRounds, MaxRounds);
            prices = new ClaimMultipliers(best, palette, even, MovePrice, prices, own ? rounds : null);
            found.AddRange(Near(best, palette, prices, rounds));
        }

        return found;
    }

    private static IEnumerable<ClaimBoard> Near(ClaimBoard best, ClaimPalette palette, ClaimMultipliers prices, int rounds)
    {
        var rules = best.Rules;
        var begin = best.Owners.ToArray().Select(palette.Of).ToArray();
        var pairs = Enumerable.Range(1, rules.NodeWindow - 1)
            .SelectMany(distance => begin.Select((colour, p) => PairPrice(colour, begin[best.Place(p + distance)], distance)))
            .Where(price => price < CyclicColouring.Forbidden)
            .Sum();
        prices.Aim(pairs + (best.Moves() * MovePrice), scatter: ScatterMask * rules.RingSize);
        var found = new List<(int Off, int Moves, int[] Colouring)>();
        CyclicColouring.SolveOften(
            begin,
            palette.Count,
            rules.NodeWindow,
            (p, colour) => (long)(prices.OfColour[colour] + PriceOfMove(rules.Original[p], colour)) + (ClaimStarts.Mix(p, colour) & ScatterMask),
            PairPrice,
            (colouring, price) =>
            {
                var goesOn = prices.Adjust(colouring, rules.Original, price);
                found.Add((prices.Off, prices.Moves, colouring));
                return goesOn && found.Count < rounds;
            });

        // Half by what they are likely to move: to even out one partition costs a few moves on a tight ring.
        var different = found.DistinctBy(f => (f.Off, f.Moves)).ToList();
        var promising = different.OrderBy(f => (2 * f.Off) + f.Moves).Take(Kept).Union(different.OrderBy(f => f.Off).ThenBy(f => f.Moves).Take(Kept));
        return promising.Select(f => palette.Fill(f.Colouring, rules.Original));

        long PairPrice(int a, int b, int distance) => palette.PairPrice(a, b, distance, NodePrice, ZonePrice);

        double PriceOfMove(int owner, int colour) => owner == ClaimRules.Nobody ? 0 : palette.Of(owner) == colour ? prices.OfKeeping[owner] : MovePrice;
    }
}
