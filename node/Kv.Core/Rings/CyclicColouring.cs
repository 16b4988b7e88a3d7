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
        var choice = new byte[places, states.Count];
        for (var begin = 0; begin < states.Count; begin++)
        {
            if (states.InnerPrice[begin] < best && SolveFrom(states, begin, places, prices, best, choice) is { } found)
            {
                (best, bestColours) = found;
            }
        }

        return bestColours;
    }

    /// <summary>
    /// As <see cref="Solve"/>, again and again with other prices and one beginning, the first window - 1 colours of <paramref name="begin"/>: as many times
    /// cheaper as there are beginnings, and best but for them.
    /// </summary>
    /// <param name="price">For a round, of a colour at a place.</param>
    /// <param name="take">Sees each round's colouring; false ends the rounds.</param>
    public static void SolveOften(
        int[] begin, int colours, int window, Func<int, int, long> price, Func<int, int, int, long> pairPrice, Func<int[], bool> take)
    {
        var places = begin.Length;
        var states = new StateSpace(colours, window - 1, pairPrice);
        var beginState = 0;
        for (var i = 0; i < window - 1; i++)
        {
            beginState = (beginState * colours) + begin[i];
        }

        if (states.InnerPrice[beginState] >= Forbidden)
        {
            return;
        }

        var choice = new byte[places, states.Count];
        while (SolveFrom(states, beginState, places, Tabulate(places, colours, price), Forbidden, choice) is { } found && take(found.Colours))
        {
            // The prices that the caller changed make the next round.
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

    private static (long Price, int[] Colours)? SolveFrom(StateSpace states, int begin, int places, long[,] prices, long bound, byte[,] choice)
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
                        choice[place, to] = (byte)states.ColourAt(state, 0);
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

        return end < 0 ? null : (bound, Trace(states, end, places, choice));
    }

    private static int[] Trace(StateSpace states, int end, int places, byte[,] choice)
    {
        var colours = new int[places];
        var state = end;
        for (var place = places - 1; place >= 0; place--)
        {
            colours[place] = states.ColourAt(state, states.Length - 1);
            if (place >= states.Length)
            {
                state = states.Before(state, choice[place, state]);
            }
            else
            {
                for (var i = 0; i <= place; i++)
                {
                    colours[i] = states.ColourAt(state, i);
                }

                break;
            }
        }

        return colours;
    }

    /// <summary>The colours of the last few places, as a number to the base of colours: the oldest is the highest digit.</summary>
    private sealed class StateSpace
    {
        private readonly int _colours;
        private readonly int _newest;
        private readonly Func<int, int, int, long> _pairPrice;

        public StateSpace(int colours, int length, Func<int, int, int, long> pairPrice)
        {
            _colours = colours;
            _pairPrice = pairPrice;
            Length = length;
            Count = 1;
            for (var i = 0; i < length; i++)
            {
                Count *= colours;
            }

            _newest = Count / colours;
            InnerPrice = new long[Count];
            Steps = new (int, int, long)[Count][];
            for (var state = 0; state < Count; state++)
            {
                InnerPrice[state] = PriceInside(state);
            }

            for (var state = 0; state < Count; state++)
            {
                Steps[state] = InnerPrice[state] >= Forbidden ? [] : [.. StepsFrom(state)];
            }
        }

        public int Count { get; }

        public int Length { get; }

        public long[] InnerPrice { get; }

        public (int Colour, int To, long Price)[][] Steps { get; }

        /// <summary>The colour at place <paramref name="i"/> of the state, 0 the oldest.</summary>
        public int ColourAt(int state, int i)
        {
            for (var digit = Length - 1; digit > i; digit--)
            {
                state /= _colours;
            }

            return state % _colours;
        }

        /// <summary>The state one place earlier, whose oldest colour was <paramref name="oldest"/>.</summary>
        public int Before(int state, int oldest) => (oldest * _newest) + (state / _colours);

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

        private long PriceInside(int state)
        {
            var total = 0L;
            for (var i = 0; i < Length; i++)
            {
                for (var j = i + 1; j < Length; j++)
                {
                    total = Math.Min(Forbidden, total + _pairPrice(ColourAt(state, i), ColourAt(state, j), j - i));
                }
            }

            return total;
        }

        private IEnumerable<(int Colour, int To, long Price)> StepsFrom(int state)
        {
            for (var colour = 0; colour < _colours; colour++)
            {
                var total = 0L;
                for (var i = 0; i < Length; i++)
                {
                    total = Math.Min(Forbidden, total + _pairPrice(ColourAt(state, i), colour, Length - i));
                }

                if (total < Forbidden)
                {
                    yield return (colour, ((state % _newest) * _colours) + colour, total);
                }
            }
        }
    }
}
