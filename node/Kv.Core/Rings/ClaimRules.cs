using System.Collections.Immutable;

namespace Kv.Core.Rings;

/// <summary>
/// The claim's problem in small numbers: nodes 0 to N - 1 in the order of their ids, zones 0 to K - 1 in the order of their names, and what a repeated node or
/// zone costs by how far apart the two partitions are. The costs' scales make one sum lexicographic: nodes apart, zones apart, balance, moves.
/// </summary>
internal sealed class ClaimRules
{
    /// <summary>No node: a partition whose owner leaves.</summary>
    public const int Nobody = -1;

    /// <summary>A partition that does not stay with its owner.</summary>
    public const long MoveCost = 1;

    /// <summary>Above all the moves of the largest ring.</summary>
    private const long AboveMoves = 1L << 11;

    /// <summary>Above the zone conflicts of the largest ring, of which each partition has a few.</summary>
    private const long AboveZones = AboveMoves << 13;

    /// <summary>Above the worst balance beyond moves: 2^10 partitions on one node, squared.</summary>
    private const long AboveBalance = AboveMoves << 21;

    /// <summary>A node repeated, where it matters least: above all zone conflicts of the largest ring.</summary>
    public const long NodeCost = 1L << 46;

    private readonly bool _countsWindows;

    public ClaimRules(int ringSize, ImmutableArray<NodeId> current, ImmutableArray<ClaimMember> members, int targetNVal, int nValPerZone)
    {
        RingSize = ringSize;
        var ordered = members.OrderBy(m => m.Id).ToList();
        Nodes = [.. ordered.Select(m => m.Id)];
        ZoneNames = [.. ordered.Select(m => m.Zone).Distinct().Order(StringComparer.Ordinal)];
        ZoneOf = [.. ordered.Select(m => ZoneNames.IndexOf(m.Zone))];
        ZoneSizes = new int[ZoneNames.Length];
        foreach (var zone in ZoneOf)
        {
            ZoneSizes[zone]++;
        }

        // Beyond half the ring a distance is a shorter one the other way round.
        NodeWindow = Math.Clamp(targetNVal, 1, ringSize / 2);
        ZoneWindow = HasZones ? Math.Clamp(nValPerZone, 1, NodeWindow) : 1;
        NodeCosts = CostsByDistance(NodeWindow, NodeWindow, NodeCost, Nearest);

        // With fewer zones than the window no assignment keeps them apart, so they do not cost anybody an even share.
        var zonesBeforeBalance = ZoneNames.Length >= ZoneWindow;
        _countsWindows = HasZones && !zonesBeforeBalance;
        ZoneUnit = zonesBeforeBalance ? AboveBalance : AboveMoves;
        ZoneCosts = CostsByDistance(NodeWindow, ZoneWindow, ZoneUnit, zonesBeforeBalance ? Nearest : Windows);
        BalanceCost = zonesBeforeBalance ? AboveMoves : AboveZones;
        var index = Nodes.Select((id, i) => (id, i)).ToDictionary(n => n.id, n => n.i);
        Original = new int[ringSize];
        for (var p = 0; p < ringSize; p++)
        {
            Original[p] = current.IsDefaultOrEmpty ? Nobody : index.GetValueOrDefault(current[p], Nobody);
        }
    }

    public int RingSize { get; }

    /// <summary>The moves that even shares force, whatever else: all above a share, where whoever holds most has the larger share.</summary>
    public int ForcedMoves
    {
        get
        {
            var (floor, more) = Math.DivRem(RingSize, Nodes.Length);
            var held = new int[Nodes.Length];
            foreach (var owner in Original.Where(o => o != Nobody))
            {
                held[owner]++;
            }

            return held.OrderDescending().Select((h, rank) => Math.Max(0, h - (rank < more ? floor + 1 : floor))).Sum();
        }
    }

    public ImmutableArray<NodeId> Nodes { get; }

    public ImmutableArray<string> ZoneNames { get; }

    public int[] ZoneOf { get; }

    public int[] ZoneSizes { get; }

    public bool HasZones => ZoneNames.Length > 1;

    /// <summary>This many consecutive partitions are to be on distinct nodes.</summary>
    public int NodeWindow { get; }

    /// <summary>This many consecutive partitions are to be in distinct zones; at most <see cref="NodeWindow"/>.</summary>
    public int ZoneWindow { get; }

    /// <summary>
    /// Whether some assignment repeats no node within the window. A node can have ⌊ring / window⌋ partitions then, so it takes ring / ⌊ring / window⌋
    /// nodes; and those suffice (the chromatic number of a power of a cycle).
    /// </summary>
    public bool NodesCanBeApart => Nodes.Length * (RingSize / NodeWindow) >= RingSize;

    /// <summary>Whether some assignment repeats no zone within its window, whatever the zones' sizes: one node of each suffices.</summary>
    public bool ZonesCanBeApart => ZoneNames.Length * (RingSize / NodeWindow) >= RingSize;

    /// <summary>
    /// Whether zones of these sizes leave room for even shares: a zone that is apart has at most each third partition (or whatever the window is; one more at the seam of three zones), and small zones
    /// have to fill the rest. Where zones are fewer than their window, shares come first.
    /// </summary>
    public bool SharesMayBeEven
    {
        get
        {
            var floor = RingSize / Nodes.Length;
            var most = (RingSize / ZoneWindow) + (ZonesCanBeApart ? 0 : 1);
            return _countsWindows || (ZoneSizes.Max() * floor <= most && ZoneSizes.Sum(size => Math.Min(most, size * (floor + 1))) >= RingSize);
        }
    }

    /// <summary>Times the sum of squares of the nodes' shares, which is least when shares differ by at most one.</summary>
    public long BalanceCost { get; }

    /// <summary>By distance, up to <see cref="NodeWindow"/> - 1.</summary>
    public long[] NodeCosts { get; }

    public long[] ZoneCosts { get; }

    /// <summary>A zone repeated, where it matters least.</summary>
    public long ZoneUnit { get; }

    /// <summary>
    /// What no assignment is below in zones repeated: of a window with more partitions than zones some share one; and three zones in turn do not close a ring whose size three does not divide
    /// (going round them forwards or backwards, the direction changes an even number of times, and at least once).
    /// </summary>
    public long LeastZoneCost
    {
        get
        {
            if (_countsWindows)
            {
                var (each, more) = Math.DivRem(ZoneWindow, ZoneNames.Length);
                return (((ZoneNames.Length - more) * (each * (each - 1) / 2)) + (more * (each * (each + 1) / 2))) * RingSize * ZoneUnit;
            }

            return ZoneWindow == 3 && ZoneNames.Length == 3 ? 2 * ZoneUnit : 0;
        }
    }

    /// <summary>The owner of each partition now; <see cref="Nobody"/> where it leaves or there is none.</summary>
    public int[] Original { get; }

    /// <summary>What a colouring pays for a pair, on a scale of its own; a node repeated is forbidden where it can be avoided.</summary>
    public long PairPrice(bool sameNode, bool sameZone, int distance, long nodeUnit, long zoneUnit)
    {
        if (sameZone && distance < ZoneWindow && ZonesCanBeApart)
        {
            return CyclicColouring.Forbidden;
        }

        var price = sameZone ? ZoneCosts[distance] / ZoneUnit * zoneUnit : 0;
        if (!sameNode)
        {
            return price;
        }

        return NodesCanBeApart ? CyclicColouring.Forbidden : price + (NodeCosts[distance] / NodeCost * nodeUnit);
    }

    /// <summary>What two nodes cost at a distance of 1 to <see cref="NodeWindow"/> - 1.</summary>
    public long PairCost(int a, int b, int distance) =>
        a == b ? NodeCosts[distance] + ZoneCosts[distance] : ZoneOf[a] == ZoneOf[b] ? ZoneCosts[distance] : 0;

    /// <summary>
    /// What a partition adds by its node and those behind it, the nearest first. Where windows of zones count, each with all its pairs is added at its end, so that beginnings
    /// of the same length can be compared.
    /// </summary>
    // hot
    public long StepCost(ReadOnlySpan<int> last)
    {
        var cost = 0L;
        for (var distance = 1; distance < last.Length; distance++)
        {
            cost += last[0] == last[distance] ? NodeCosts[distance] : 0;
            cost += _countsWindows || ZoneOf[last[0]] != ZoneOf[last[distance]] ? 0 : ZoneCosts[distance];
        }

        for (var i = 0; _countsWindows && i < ZoneWindow; i++)
        {
            for (var j = i + 1; j < ZoneWindow; j++)
            {
                cost += ZoneOf[last[i]] == ZoneOf[last[j]] ? ZoneUnit : 0;
            }
        }

        return cost;
    }

    /// <summary>What giving partition <paramref name="p"/> to <paramref name="node"/> costs in moves.</summary>
    public long CostOfMove(int p, int node) => Original[p] == Nobody || Original[p] == node ? 0 : MoveCost;

    /// <summary>A nearer pair costs more than all farther pairs of its two partitions: neighbours share the most preference lists.</summary>
    private static long Nearest(int window, int distance) => (1L << (window - distance)) - 1;

    /// <summary>
    /// As many as there are windows with both. Where there are two zones for three replicas, the sum is least, and as it must be, where no window is all in one zone:
    /// nothing moves for more than that.
    /// </summary>
    private static long Windows(int window, int distance) => window - distance;

    private static long[] CostsByDistance(int length, int window, long unit, Func<int, int, long> weight)
    {
        var costs = new long[length];
        for (var distance = 1; distance < window; distance++)
        {
            costs[distance] = weight(window, distance) * unit;
        }

        return costs;
    }
}
