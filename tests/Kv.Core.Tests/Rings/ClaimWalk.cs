namespace Kv.Core.Tests.Rings;

/// <summary>The cheapest closed walk round the ring over the colours of the last three partitions.</summary>
internal sealed class ClaimWalk
{
    private readonly ClaimColours colours;
    private readonly int places;
    private readonly List<int[]> states = [];
    private readonly List<(int From, int To, int Colour, double Conflicts)> steps = [];

    public ClaimWalk(ClaimColours colours, int places)
    {
        (this.colours, this.places) = (colours, places);
        AddStates([]);
        var index = Enumerable.Range(0, states.Count).ToDictionary(s => Number(states[s]));
        for (var from = 0; from < states.Count; from++)
        {
            for (var colour = 0; colour < colours.Count; colour++)
            {
                if (colours.Step(colour, states[from]) is var conflicts && conflicts < ClaimColours.Forbidden)
                {
                    steps.Add((from, index[Number([colour, .. states[from][..2]])], colour, conflicts));
                }
            }
        }
    }

    /// <summary>Steps from one place to the next.</summary>
    public long Size => steps.Count;

    /// <summary>Beginnings.</summary>
    public int Begins => states.Count;

    /// <summary>
    /// No more than the cheapest closed walk costs, and a walk (of that cost, where it is the cheapest). Closes only the most promising beginnings, <paramref name="mostClosed"/>; the
    /// others are bounded by their cheapest open walk.
    /// </summary>
    public (double Bound, int[] Colours) Cheapest(double[,] cost, double priceOfConflict, int mostClosed)
    {
        var whole = Follow(cost, priceOfConflict, begin: -1);
        var begins = Enumerable.Range(0, states.Count).OrderBy(s => whole.ToEnd[s]).ToList();
        var (best, walk) = (double.MaxValue, Array.Empty<int>());
        for (var i = 0; i < begins.Count && whole.ToEnd[begins[i]] < best - 1e-9; i++)
        {
            if (i == mostClosed)
            {
                return (whole.ToEnd[begins[i]], walk.Length > 0 ? walk : Read(whole.Next, begins[i]));
            }

            var closed = Follow(cost, priceOfConflict, begins[i]);
            if (closed.ToEnd[begins[i]] < best)
            {
                (best, walk) = (closed.ToEnd[begins[i]], Read(closed.Next, begins[i]));
            }
        }

        return (best, walk);
    }

    /// <summary>The cost to the ring's end by the colours of the first three places; closed to <paramref name="begin"/>, or open where that is -1.</summary>
    private (double[] ToEnd, int[,] Next) Follow(double[,] cost, double priceOfConflict, int begin)
    {
        var now = new double[states.Count];
        var before = new double[states.Count];
        var next = new int[places, states.Count];
        for (var s = 0; s < states.Count && begin >= 0; s++)
        {
            now[s] = Join(states[s], states[begin], priceOfConflict);
        }

        for (var p = places - 1; p >= ClaimColours.Window - 1; p--)
        {
            Array.Fill(before, ClaimColours.Forbidden);
            foreach (var (from, to, colour, conflicts) in steps)
            {
                var total = now[to] + cost[p, colour] + (priceOfConflict * conflicts);
                if (total < before[from])
                {
                    (before[from], next[p, from]) = (total, to);
                }
            }

            (now, before) = (before, now);
        }

        for (var s = 0; s < states.Count; s++)
        {
            for (var i = 0; i < states[s].Length; i++)
            {
                now[s] += cost[states[s].Length - 1 - i, states[s][i]];
            }
        }

        return (now, next);
    }

    private int[] Read(int[,] next, int begin)
    {
        var walk = new int[places];
        var state = begin;
        for (var i = 0; i < ClaimColours.Window - 1; i++)
        {
            walk[ClaimColours.Window - 2 - i] = states[begin][i];
        }

        for (var p = ClaimColours.Window - 1; p < places; p++)
        {
            state = next[p, state];
            walk[p] = states[state][0];
        }

        return walk;
    }

    /// <summary>What the first three places pay for those behind them, round the ring's end.</summary>
    private double Join(int[] last, int[] first, double priceOfConflict)
    {
        var sum = 0.0;
        int[] behind = last;
        foreach (var colour in first.Reverse())
        {
            var conflicts = colours.Step(colour, behind);
            sum += conflicts >= ClaimColours.Forbidden ? ClaimColours.Forbidden : priceOfConflict * conflicts;
            behind = [colour, .. behind[..2]];
        }

        return Math.Min(sum, ClaimColours.Forbidden);
    }

    private void AddStates(int[] state)
    {
        if (state.Length == ClaimColours.Window - 1)
        {
            states.Add(state);
            return;
        }

        for (var colour = 0; colour < colours.Count; colour++)
        {
            if (colours.Step(colour, state) < ClaimColours.Forbidden)
            {
                AddStates([colour, .. state]);
            }
        }
    }

    private int Number(IEnumerable<int> state) => state.Aggregate(0, (number, colour) => (number * colours.Count) + colour);
}
