namespace Kv.Core.Rings;

/// <summary>
/// The cheapest colouring of a circle, exactly: each place has a price per colour, and two places nearer than a window have a price per pair of
/// colours. Dynamic programming over the last window - 1 places, closed to a circle by trying each beginning. For few colours: the work is places × colours^(2 × window - 1), less where pairs are
/// forbidden.
/// </summary>
internal static class CyclicColouring
{
    /// <summary>A pair's price that forbids it.</summary>
    public const long Forbidden = long.MaxValue / 1024;

    /// <summary>Beginnings that <see cref="SolveOften"/> takes in turn, each far from the last.</summary>
    public const int Seams = 8;

    private const int SeamStep = 3;

    /// <param name="places">Places of the circle, more than twice the window.</param>
    /// <param name="colours">Colours.</param>
    /// <param name="window">Places nearer than this have a pair price; at least 2.</param>
    /// <param name="price">Of a colour at a place.</param>
    /// <param name="pairPrice">Of two colours (the earlier first) at a distance of 1 to window - 1.</param>
    /// <returns>A colour for each place, or null where everything is forbidden.</returns>
    public static int[]? Solve(int places, int colours, int window, Func<int, int, long> price, Func<int, int, int, long> pairPrice)
    {
        var states = new StateSpace(colours, window - 1, pairPrice);
        var prices = Tabulate(places, colours, price);
        long best = Forbidden;
        int[]? bestColours = null;
        var before = new ushort[places, states.Count];
        for (var begin = 0; begin < states.Count; begin++)
        {
            if (states.InnerPrice[begin] < best && SolveFrom(states, begin, places, prices, best, before) is { } found)
            {
                (best, bestColours) = found;
            }
        }

        return bestColours;
    }

    /// <summary>
    /// As <see cref="Solve"/>, again and again with other prices, and each time with one beginning: window - 1 places that stay as they were the last time, others each time. As many times
    /// cheaper as there are beginnings, and best but for them.
    /// </summary>
    /// <param name="begin">The first beginning is of this colouring.</param>
    /// <param name="price">For a round, of a colour at a place.</param>
    /// <param name="take">Sees each round's colouring and its price; false ends the rounds.</param>
    public static void SolveOften(
        int[] begin, int colours, int window, Func<int, int, long> price, Func<int, int, int, long> pairPrice, Func<int[], long, bool> take)
    {
        var places = begin.Length;
        var states = new StateSpace(colours, window - 1, pairPrice);
        var before = new ushort[places, states.Count];
        for (var (seam, goesOn) = (0, true); goesOn; seam = (seam + (places / Seams * SeamStep)) % places)
        {
            var from = seam;
            var beginState = states.Find([.. Enumerable.Range(0, window - 1).Select(i => begin[(from + i) % places])]);
            if (beginState < 0 || SolveFrom(states, beginState, places, Tabulate(places, colours, (p, colour) => price((from + p) % places, colour)), Forbidden, before) is not { } found)
            {
                return;
            }

            begin = [.. Enumerable.Range(0, places).Select(p => found.Colours[(p - from + places) % places])];
            goesOn = take(begin, found.Price);
        }
    }

    private static long[,] Tabulate(int places, int colours, Func<int, int, long> price)
    {
        var prices = new long[places, colours];
        for (var place = 0; place < places; place++)
        {
            for (var colour = 0; colour < colours; colour++)
            {
                prices[place, colour] = price(place, colour);
            }
        }

        return prices;
    }

    private static (long Price, int[] Colours)? SolveFrom(StateSpace states, int begin, int places, long[,] prices, long bound, ushort[,] before)
    {
        var length = states.Length;
        var now = new long[states.Count];
        var next = new long[states.Count];
        Array.Fill(now, Forbidden);
        now[begin] = states.InnerPrice[begin];
        for (var i = 0; i < length; i++)
        {
            now[begin] += prices[i, states.ColourAt(begin, i)];
        }

        for (var place = length; place < places; place++)
        {
            Array.Fill(next, Forbidden);
            for (var state = 0; state < states.Count; state++)
            {
                if (now[state] >= bound)
                {
                    continue;
                }

                foreach (var (colour, to, stepPrice) in states.Steps[state])
                {
                    var total = now[state] + stepPrice + prices[place, colour];
                    if (total < next[to])
                    {
                        next[to] = total;
                        before[place, to] = (ushort)state;
                    }
                }
            }

            (now, next) = (next, now);
        }

        var end = -1;
        for (var state = 0; state < states.Count; state++)
        {
            var total = now[state] >= bound ? Forbidden : now[state] + states.JoinPrice(state, begin);
            if (total < bound)
            {
                (bound, end) = (total, state);
            }
        }

        return end < 0 ? null : (bound, Trace(states, end, places, before));
    }

    private static int[] Trace(StateSpace states, int end, int places, ushort[,] before)
    {
        var colours = new int[places];
        var state = end;
        for (var place = places - 1; place >= states.Length; place--)
        {
            colours[place] = states.ColourAt(state, states.Length - 1);
            state = before[place, state];
        }

        for (var i = 0; i < states.Length; i++)
        {
            colours[i] = states.ColourAt(state, i);
        }

        return colours;
    }

    /// <summary>The colours that the last few places can have, oldest first: only those that are not forbidden.</summary>
    private sealed class StateSpace
    {
        private readonly int _colours;
        private readonly Func<int, int, int, long> _pairPrice;
        private readonly List<int[]> _states = [];

        public StateSpace(int colours, int length, Func<int, int, int, long> pairPrice)
        {
            _colours = colours;
            _pairPrice = pairPrice;
            Length = length;
            AddStates([]);
            InnerPrice = [.. _states.Select(PriceInside)];
            var index = Enumerable.Range(0, _states.Count).ToDictionary(i => NumberOf(_states[i]));
            Steps = [.. _states.Select(state => StepsFrom(state, index).ToArray())];
        }

        public int Count => _states.Count;

        public int Length { get; }

        public long[] InnerPrice { get; }

        public (int Colour, int To, long Price)[][] Steps { get; }

        /// <summary>The colour at place <paramref name="i"/> of the state, 0 the oldest.</summary>
        public int ColourAt(int state, int i) => _states[state][i];

        /// <summary>The state with these colours, or -1 where it is forbidden.</summary>
        public int Find(ReadOnlySpan<int> colours)
        {
            for (var state = 0; state < Count; state++)
            {
                if (colours.SequenceEqual(_states[state]))
                {
                    return state;
                }
            }

            return -1;
        }

        /// <summary>The price of the pairs between the circle's last places and its first.</summary>
        public long JoinPrice(int last, int first)
        {
            var total = 0L;
            for (var i = 0; i < Length; i++)
            {
                for (var j = 0; j <= i; j++)
                {
                    // Place i of the last ones is Length - i before the circle's beginning; place j of the first ones is j after it.
                    var distance = Length - i + j;
                    total = Math.Min(Forbidden, total + (distance <= Length ? _pairPrice(ColourAt(last, i), ColourAt(first, j), distance) : 0));
                }
            }

            return total;
        }

        private void AddStates(int[] beginning)
        {
            if (beginning.Length == Length)
            {
                _states.Add(beginning);
                return;
            }

            for (var colour = 0; colour < _colours; colour++)
            {
                if (PriceAfter(beginning, colour) < Forbidden)
                {
                    AddStates([.. beginning, colour]);
                }
            }
        }

        private int NumberOf(IEnumerable<int> state) => state.Aggregate(0, (number, colour) => (number * _colours) + colour);

        private long PriceInside(int[] state) => Enumerable.Range(1, Length - 1).Aggregate(0L, (sum, i) => sum + PriceAfter(state[..i], state[i]));

        /// <summary>What <paramref name="colour"/> costs after these, by its pairs.</summary>
        private long PriceAfter(int[] before, int colour)
        {
            var total = 0L;
            for (var i = 0; i < before.Length; i++)
            {
                total = Math.Min(Forbidden, total + _pairPrice(before[i], colour, before.Length - i));
            }

            return total;
        }

        private IEnumerable<(int Colour, int To, long Price)> StepsFrom(int[] state, Dictionary<int, int> index)
        {
            for (var colour = 0; colour < _colours; colour++)
            {
                if (PriceAfter(state, colour) is var price && price < Forbidden)
                {
                    yield return (colour, index[NumberOf([.. state[1..], colour])], price);
                }
            }
        }
    }
}
