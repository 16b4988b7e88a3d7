namespace Kv.Core.Rings;

/// <summary>
/// What a colouring tells apart: zones, and within them the nodes that matter to each other: those of small zones, which have to take turns, and those that are new and take much. Others are
/// nodes enough that some of them fits everywhere.
/// </summary>
internal sealed class ClaimPalette
{
    private readonly ClaimRules _rules;
    private readonly int[][] _nodes;
    private readonly int[] _of;

    /// <param name="rules">The problem.</param>
    /// <param name="largest">Nodes of zones of up to this size are told apart.</param>
    /// <param name="newcomers">As are nodes that own nothing yet, where others do.</param>
    public ClaimPalette(ClaimRules rules, int largest, bool newcomers = false)
    {
        _rules = rules;
        var isNew = new bool[rules.Nodes.Length];
        Array.Fill(isNew, newcomers && rules.Original.Any(o => o != ClaimRules.Nobody));
        foreach (var owner in rules.Original.Where(o => o != ClaimRules.Nobody))
        {
            isNew[owner] = false;
        }

        _nodes = [.. Enumerable.Range(0, isNew.Length).GroupBy(n => isNew[n] || rules.ZoneSizes[rules.ZoneOf[n]] <= largest ? n : -1 - rules.ZoneOf[n]).Select(g => g.ToArray())];
        _of = new int[rules.Nodes.Length];
        for (var colour = 0; colour < _nodes.Length; colour++)
        {
            Array.ForEach(_nodes[colour], node => _of[node] = colour);
        }
    }

    /// <summary>From zones alone to nodes.</summary>
    public static IEnumerable<ClaimPalette> Ladder(ClaimRules rules) =>
        rules.ZoneSizes.Append(1).Distinct().Order().Select(largest => new ClaimPalette(rules, largest, newcomers: true)).Prepend(new ClaimPalette(rules, 1)).DistinctBy(p => p.Count);

    public int Count => _nodes.Length;

    /// <summary>The colour of a node.</summary>
    public int Of(int node) => _of[node];

    public bool IsNode(int colour) => _nodes[colour].Length == 1;

    /// <summary>What a colouring pays for two colours, on a scale of its own.</summary>
    public long PairPrice(int a, int b, int distance, long nodeUnit, long zoneUnit) =>
        _rules.PairPrice(a == b && IsNode(a), ZoneOf(a) == ZoneOf(b), distance, nodeUnit, zoneUnit);

    /// <summary>Steps of a colouring round the ring, at most: colours that can follow those of the last partitions, and so on.</summary>
    public long Work()
    {
        var smallest = Enumerable.Range(0, Count).CountBy(ZoneOf).Min(zone => zone.Value);
        var work = (long)_rules.RingSize;
        for (var behind = 0; behind < _rules.NodeWindow; behind++)
        {
            var excluded = _rules.ZonesCanBeApart ? Math.Min(behind, _rules.ZoneWindow - 1) * smallest : _rules.NodesCanBeApart ? behind : 0;
            work *= Math.Max(1, Count - excluded);
        }

        return work;
    }

    private int ZoneOf(int colour) => _rules.ZoneOf[_nodes[colour][0]];

    /// <summary>Nodes for a colouring: who is wanted where that fits, else the cheapest of the colour.</summary>
    public ClaimBoard Fill(int[] colouring, int[] wanted)
    {
        var shares = new int[_of.Length];
        var owners = new int[_rules.RingSize];
        for (var p = 0; p < owners.Length; p++)
        {
            owners[p] = wanted[p] != ClaimRules.Nobody && _of[wanted[p]] == colouring[p] ? wanted[p] : ClaimRules.Nobody;
            if (owners[p] != ClaimRules.Nobody)
            {
                shares[owners[p]]++;
            }
        }

        for (var p = 0; p < owners.Length; p++)
        {
            if (owners[p] == ClaimRules.Nobody)
            {
                owners[p] = ClaimStarts.Cheapest(_rules, owners, shares, p, _nodes[colouring[p]]);
                shares[owners[p]]++;
            }
        }

        return new ClaimBoard(_rules, owners);
    }
}
