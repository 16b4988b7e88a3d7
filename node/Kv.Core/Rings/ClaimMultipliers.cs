namespace Kv.Core.Rings;

/// <summary>
/// Prices of shares: one on each colour, and one on what each node keeps, for nodes that are not colours of their own. Steps are Polyak's: as long as reaches the goal, and half as
/// long where the bound has not risen for a while. They are shorter the more all shares together are off, so that the price of a zone which lacks one partition creeps while the others' shares swing by twenties:
/// where that is seen, each price has steps of its own (<see cref="ClaimSteps"/>).
/// </summary>
internal sealed class ClaimMultipliers
{
    private const int Patience = 12;

    /// <summary>Short enough that a step changes few places: the scatter tells them apart.</summary>
    private const double ShortestLength = 1.0 / 1024;

    private readonly ClaimPalette _palette;
    private readonly double _movePrice;
    private readonly bool _isBestAsEven;
    private readonly (int[] Nodes, int Total)[] _groups;
    private readonly double[] _offColour;
    private readonly double[] _offKeeping;
    private readonly (ClaimSteps OfColour, ClaimSteps OfKeeping)? _own;
    private double _goal;
    private double _enough;
    private double _bound = double.MinValue;
    private double _length = 1;
    private int _since;
    private int _enoughInTurn;

    /// <param name="best">What shares are wanted.</param>
    /// <param name="palette">What has a price.</param>
    /// <param name="even">Even shares among all, or else those of each zone in <paramref name="best"/>, even within it.</param>
    /// <param name="movePrice">The price of a move: nobody pays more to keep.</param>
    /// <param name="coarser">Prices of a coarser palette to begin at.</param>
    /// <param name="ownRounds">Rounds, where each price has steps of its own.</param>
    public ClaimMultipliers(ClaimBoard best, ClaimPalette palette, bool even, double movePrice, ClaimMultipliers? coarser, int? ownRounds)
    {
        (_palette, _movePrice, _isBestAsEven) = (palette, movePrice, !even || best.IsEven);
        var nodes = Enumerable.Range(0, best.Shares.Length);
        _groups = [.. nodes.GroupBy(n => even ? 0 : best.Rules.ZoneOf[n]).Select(g => (g.ToArray(), g.Sum(n => best.Shares[n])))];
        (OfColour, _offColour) = (new double[palette.Count], new double[palette.Count]);
        (OfKeeping, _offKeeping) = (new double[best.Shares.Length], new double[best.Shares.Length]);
        _own = ownRounds is { } rounds ? (new ClaimSteps(OfColour.Length, movePrice, rounds), new ClaimSteps(OfKeeping.Length, movePrice, rounds)) : null;
        for (var node = 0; node < OfKeeping.Length && coarser is not null; node++)
        {
            var isColour = palette.IsNode(palette.Of(node));
            OfColour[palette.Of(node)] = coarser.OfColour[coarser._palette.Of(node)] + (isColour ? coarser.OfKeeping[node] : 0);
            OfKeeping[node] = isColour ? 0 : coarser.OfKeeping[node];
        }
    }

    public double[] OfColour { get; }

    /// <summary>By node.</summary>
    public double[] OfKeeping { get; }

    /// <summary>Partitions that the colouring seen last has above the shares of colours, or below them.</summary>
    public int Off { get; private set; }

    /// <summary>Moves that it takes, with those that even out nodes of a colour.</summary>
    public int Moves { get; private set; }

    /// <summary>Sets what the best so far costs, and what of a colouring's cost is at most but scatter: where the best is as even as is wanted, bounds above a move less from all seams end the rounds.</summary>
    public void Aim(double best, double scatter) => (_goal, _enough) = (best, _isBestAsEven ? best - _movePrice + scatter : double.MaxValue);

    /// <summary>Looks at a colouring, the cheapest at these prices, and changes them; false where it has the shares that are wanted, or nothing better is to be found.</summary>
    public bool Adjust(int[] colouring, int[] original, long cost)
    {
        Count(colouring, original);
        var bound = cost - PayShares();
        Off = (int)_offColour.Sum(Math.Abs);
        if (bound > _bound)
        {
            (_bound, _since) = (bound, 0);
        }
        else if (++_since == Patience)
        {
            (_length, _since) = (Math.Max(_length / 2, ShortestLength), 0);
        }

        _enoughInTurn = bound > _enough ? _enoughInTurn + 1 : 0;
        return Step(bound) && _enoughInTurn < CyclicColouring.Seams;
    }

    private void Count(int[] colouring, int[] original)
    {
        Array.Clear(_offColour);
        Array.Clear(_offKeeping);
        Moves = 0;
        for (var p = 0; p < colouring.Length; p++)
        {
            _offColour[colouring[p]]++;
            if (original[p] == ClaimRules.Nobody)
            {
                continue;
            }

            if (_palette.Of(original[p]) == colouring[p])
            {
                _offKeeping[original[p]]++;
            }
            else
            {
                Moves++;
            }
        }
    }

    /// <summary>The dearest shares that are allowed, the larger ones to the dearest nodes: what they cost, and how far off them the colouring is.</summary>
    private double PayShares()
    {
        var paid = 0.0;
        foreach (var (nodes, total) in _groups)
        {
            var (floor, more) = Math.DivRem(total, nodes.Length);
            var dearest = nodes.OrderByDescending(n => OfColour[_palette.Of(n)] + OfKeeping[n]).ThenByDescending(n => _offKeeping[n]);
            foreach (var (node, rank) in dearest.Select((n, rank) => (n, rank)))
            {
                var colour = _palette.Of(node);
                var share = rank < more ? floor + 1 : floor;
                paid += share * (OfColour[colour] + OfKeeping[node]);
                _offColour[colour] -= share;
                _offKeeping[node] = _palette.IsNode(colour) ? 0 : _offKeeping[node] - share;
                Moves += (int)Math.Max(0, _offKeeping[node]);
            }
        }

        return paid;
    }

    private bool Step(double bound)
    {
        for (var node = 0; node < OfKeeping.Length; node++)
        {
            // A price at its end goes no farther.
            if (_offKeeping[node] > 0 ? OfKeeping[node] >= _movePrice : OfKeeping[node] <= 0)
            {
                _offKeeping[node] = 0;
            }
        }

        var squares = _offColour.Sum(off => off * off) + _offKeeping.Sum(off => off * off);
        if (_own is { } own)
        {
            own.OfColour.Take(OfColour, _offColour, double.MinValue, double.MaxValue);
            own.OfKeeping.Take(OfKeeping, _offKeeping, 0, _movePrice);
            return squares > 0;
        }

        var size = _length * Math.Max(_goal - bound, 4 * _movePrice) / Math.Max(squares, 1);
        for (var colour = 0; colour < OfColour.Length; colour++)
        {
            OfColour[colour] += size * _offColour[colour];
        }

        for (var node = 0; node < OfKeeping.Length; node++)
        {
            OfKeeping[node] = Math.Clamp(OfKeeping[node] + (size * _offKeeping[node]), 0, _movePrice);
        }

        return squares > 0;
    }
}
