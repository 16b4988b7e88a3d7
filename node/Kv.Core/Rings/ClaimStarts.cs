namespace Kv.Core.Rings;

/// <summary>Assignments to begin the search from.</summary>
internal static class ClaimStarts
{
    /// <summary>Colourings are exact but grow with the number of colours; beyond these, rings are slack enough for the search alone.</summary>
    private const int MaxColours = 6;

    // As ClaimRules' scales, only closer together.
    private const long MovePrice = 1;
    private const long ZonePrice = 1L << 14;
    private const long NodePrice = 1L << 30;

    /// <summary>The ring as it is, and what leavers held given to whoever costs least there.</summary>
    public static ClaimBoard FromCurrent(ClaimRules rules)
    {
        if (rules.Original.All(o => o == ClaimRules.Nobody))
        {
            return Mixed(rules);
        }

        var nodes = rules.Nodes.Length;
        var shares = new int[nodes];
        foreach (var owner in rules.Original.Where(o => o != ClaimRules.Nobody))
        {
            shares[owner]++;
        }

        var owners = (int[])rules.Original.Clone();
        for (var p = 0; p < rules.RingSize; p++)
        {
            if (owners[p] == ClaimRules.Nobody)
            {
                owners[p] = Cheapest(rules, owners, shares, p, Enumerable.Range(0, nodes));
                shares[owners[p]]++;
            }
        }

        return new ClaimBoard(rules, owners);
    }

    /// <summary>
    /// The ring as it is, where nodes below their share take from those above theirs at even distances. In a tight ring (four nodes, to which a fifth comes) taking
    /// the first that fits leaves gaps that fit nobody.
    /// </summary>
    public static ClaimBoard Spread(ClaimRules rules)
    {
        var board = FromCurrent(rules);
        var (floor, more) = Math.DivRem(rules.RingSize, rules.Nodes.Length);
        var targets = new int[rules.Nodes.Length];
        foreach (var (node, rank) in Enumerable.Range(0, targets.Length).OrderByDescending(n => board.Shares[n]).Select((n, rank) => (n, rank)))
        {
            targets[node] = rank < more ? floor + 1 : floor;
        }

        var takers = Enumerable.Range(0, targets.Length).Where(n => board.Shares[n] < targets[n]).ToArray();
        var wants = takers.Select(t => targets[t] - board.Shares[t]).ToArray();
        for (var turn = 0; turn < rules.RingSize; turn++)
        {
            for (var i = 0; i < takers.Length; i++)
            {
                if (turn < wants[i])
                {
                    var from = (((turn * takers.Length) + i) * rules.RingSize) / (wants[i] * takers.Length);
                    TakeFrom(board, targets, from, takers[i]);
                }
            }
        }

        return board;
    }

    /// <summary>
    /// A new ring, partition by partition: whoever is apart from those before and owns least, and among equals by a hash. Each node so has many different
    /// neighbours: when one fails its load falls on many, and when one leaves many may take what it had. Round and round, it would be few.
    /// </summary>
    public static ClaimBoard Mixed(ClaimRules rules)
    {
        var shares = new int[rules.Nodes.Length];
        var zoneShares = new int[rules.ZoneSizes.Length];
        var owners = new int[rules.RingSize];
        Array.Fill(owners, ClaimRules.Nobody);
        for (var p = 0; p < rules.RingSize; p++)
        {
            var at = p;
            owners[p] = Enumerable.Range(0, shares.Length).MinBy(node =>
                (CostAmongKnown(rules, owners, at, node), shares[node], (double)zoneShares[rules.ZoneOf[node]] / rules.ZoneSizes[rules.ZoneOf[node]], Mix(at, node)));
            shares[owners[p]]++;
            zoneShares[rules.ZoneOf[owners[p]]]++;
        }

        return new ClaimBoard(rules, owners);
    }

    /// <summary>Four zones in turn, the largest, which keeps nodes and zones apart whatever their sizes; null where there are fewer.</summary>
    public static ClaimBoard? FourZones(ClaimRules rules)
    {
        if (rules.ZoneSizes.Length < 4 || rules.NodeWindow > 4)
        {
            return null;
        }

        var zones = Enumerable.Range(0, rules.ZoneSizes.Length).OrderByDescending(z => rules.ZoneSizes[z]).ThenBy(z => z).Take(4).ToArray();
        var nodes = zones.Select(z => Enumerable.Range(0, rules.Nodes.Length).Where(n => rules.ZoneOf[n] == z).ToArray()).ToArray();
        return new ClaimBoard(rules, [.. Enumerable.Range(0, rules.RingSize).Select(p => nodes[p % 4][p / 4 % nodes[p % 4].Length])]);
    }

    /// <summary>The zones as they are, filled anew: even within each zone, whatever moves.</summary>
    public static ClaimBoard? Refilled(ClaimBoard board)
    {
        var rules = board.Rules;
        var nobody = new int[rules.RingSize];
        Array.Fill(nobody, ClaimRules.Nobody);
        var zones = new ClaimPalette(rules, 1);
        return rules.HasZones ? zones.Fill([.. board.Owners.ToArray().Select(zones.Of)], nobody) : null;
    }

    /// <summary>Round and round, and made valid at the seam with no regard to zones, which few nodes in two zones need.</summary>
    public static ClaimBoard? InterleavedApart(ClaimRules rules) =>
        Nearest(rules, new ClaimPalette(rules, rules.Nodes.Length), Interleaved(rules).Owners.ToArray(), zonePrice: 0);

    /// <summary>Round and round: each node once per turn, zones in turn as evenly as their sizes let them.</summary>
    public static ClaimBoard Interleaved(ClaimRules rules)
    {
        // The i-th of a zone's m nodes stands at (i + 1/2) / m of the turn.
        var seen = new int[rules.ZoneSizes.Length];
        var turn = Enumerable.Range(0, rules.Nodes.Length)
            .Select(node => (node, zone: rules.ZoneOf[node], place: ((2.0 * seen[rules.ZoneOf[node]]++) + 1) / (2.0 * rules.ZoneSizes[rules.ZoneOf[node]])))
            .OrderBy(n => n.place).ThenBy(n => n.zone).ThenBy(n => n.node)
            .Select(n => n.node)
            .ToArray();
        return new ClaimBoard(rules, [.. Enumerable.Range(0, rules.RingSize).Select(p => turn[p % turn.Length])]);
    }

    /// <summary>The assignment nearest to <paramref name="wanted"/> that repeats nodes and zones least; null where there are too many colours to compute it.</summary>
    public static ClaimBoard? Nearest(ClaimRules rules, int[] wanted) =>
        Nearest(rules, new ClaimPalette(rules, rules.Nodes.Length <= MaxColours ? rules.Nodes.Length : 1), wanted, ZonePrice);

    private static ClaimBoard? Nearest(ClaimRules rules, ClaimPalette colours, int[] wanted, long zonePrice)
    {
        if (rules.NodeWindow < 2 || colours.Count is 1 or > MaxColours)
        {
            return null;
        }

        var colouring = CyclicColouring.Solve(
            rules.RingSize,
            colours.Count,
            rules.NodeWindow,
            (p, colour) => wanted[p] != ClaimRules.Nobody && colours.Of(wanted[p]) == colour ? 0 : MovePrice,
            (a, b, distance) => colours.PairPrice(a, b, distance, NodePrice, zonePrice));
        return colouring is null ? null : colours.Fill(colouring, wanted);
    }

    private static void TakeFrom(ClaimBoard board, int[] targets, int from, int taker)
    {
        for (var step = 0; step < board.Rules.RingSize; step++)
        {
            var p = (from + step) & (board.Rules.RingSize - 1);
            var giver = board.OwnerOf(p);
            if (board.Shares[giver] > targets[giver] && board.CostAt(p, taker) - board.CostAt(p, giver) <= ClaimRules.MoveCost)
            {
                board.Give(p, taker);
                return;
            }
        }
    }

    /// <summary>Of these nodes, the one that costs least at <paramref name="p"/> among the owners that are known already; of equals one by a hash, as in <see cref="Mixed"/>.</summary>
    public static int Cheapest(ClaimRules rules, int[] owners, int[] shares, int p, IEnumerable<int> candidates) =>
        candidates.MinBy(node => (CostAmongKnown(rules, owners, p, node) + (rules.BalanceCost * ((2 * shares[node]) + 1)), Mix(p, node)));

    private static long CostAmongKnown(ClaimRules rules, int[] owners, int p, int node)
    {
        var mask = rules.RingSize - 1;
        var cost = rules.CostOfMove(p, node);
        for (var distance = 1; distance < rules.NodeWindow; distance++)
        {
            var (after, before) = (owners[(p + distance) & mask], owners[(p - distance) & mask]);
            cost += after == ClaimRules.Nobody ? 0 : rules.PairCost(node, after, distance);
            cost += before == ClaimRules.Nobody ? 0 : rules.PairCost(node, before, distance);
        }

        return cost;
    }

    /// <summary>A fixed scatter of partitions and nodes, to tell equals apart.</summary>
    public static uint Mix(int p, int node)
    {
        // The finalizer of MurmurHash3: any fixed scatter would do, but it must never change, since plans are compared between nodes.
        var x = (uint)((p * 1021) + node + 1);
        x = (x ^ (x >> 16)) * 0x85EBCA6B;
        x = (x ^ (x >> 13)) * 0xC2B2AE35;
        return x ^ (x >> 16);
    }
}
