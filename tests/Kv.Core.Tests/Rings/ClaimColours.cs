using System.Collections.Immutable;
using Kv.Core.Rings;

namespace Kv.Core.Tests.Rings;

/// <summary>
/// What the walk of a bound tells apart: nodes where they are few, else the zones, of which the small ones still as nodes (a zone of two nodes has to alternate), and newcomers. And what colours that
/// are near each other cost: where the assignment that was found repeats nothing, no other that is as good does, so repeats are forbidden; else they have the claim's weights.
/// </summary>
internal sealed class ClaimColours
{
    public const int Window = 4;
    public const double Forbidden = 1e12;
    private const int ZoneWindow = 3;

    /// <summary>Steps of a walk times places: bounds the time a bound takes.</summary>
    private const long MostWork = 4_000_000;

    private readonly int[] _zoneOfNode;
    private readonly int[] _colourOfNode;
    private readonly int[] _zone;
    private readonly bool[] _isNode;
    private readonly int _zones;
    private readonly bool _nodesRepeat;
    private readonly bool _zonesRepeat;

    private ClaimColours(ImmutableArray<ClaimMember> members, int[] found, Func<int, bool> isNode)
    {
        var names = members.Select(m => m.Zone).Distinct().ToList();
        _zones = names.Count;
        _zoneOfNode = [.. members.Select(m => names.IndexOf(m.Zone))];
        _nodesRepeat = Weigh(found, (a, b, distance) => a == b ? (1 << (Window - distance)) - 1 : 0) > 0;
        (_zone, _isNode) = (_zoneOfNode, [.. members.Select(_ => true)]);
        _zonesRepeat = _zones > 1 && Enumerable.Range(0, found.Length).Any(p => ZoneStep(found[p], found[(p + found.Length - 1) % found.Length], found[(p + found.Length - 2) % found.Length]) > 0);
        var colours = Enumerable.Range(0, members.Length).Select(n => (Zone: _zoneOfNode[n], Node: isNode(n) ? n : -1)).Distinct().ToList();
        _zone = [.. colours.Select(c => c.Zone)];
        _isNode = [.. colours.Select(c => c.Node >= 0)];
        _colourOfNode = [.. _zoneOfNode.Select((zone, node) => colours.IndexOf((zone, isNode(node) ? node : -1)))];
    }

    /// <summary>From the coarsest, where only zones of one node are nodes, to the finest whose walks can be afforded; newcomers, which take much, are nodes from the second on.</summary>
    public static IEnumerable<ClaimColours> Levels(ImmutableArray<ClaimMember> members, int[] original, int[] found)
    {
        var sizes = members.Select(m => members.Count(other => other.Zone == m.Zone)).ToArray();
        var isNew = members.Select((_, node) => original.Any(o => o >= 0) && !original.Contains(node)).ToArray();
        return sizes.Append(1).Distinct().Order()
            .Select(largest => new ClaimColours(members, found, node => isNew[node] || sizes[node] <= largest))
            .TakeWhile(colours => colours.Work() * found.Length <= MostWork)
            .Prepend(new ClaimColours(members, found, node => sizes[node] == 1));
    }

    public int Count => _zone.Length;

    public int Of(int node) => _colourOfNode[node];

    public bool IsNode(int node) => _isNode[_colourOfNode[node]];

    public double Conflicts(int[] owners) => ConflictsOf([.. owners.Select(Of)]);

    public double ConflictsOf(int[] colours) =>
        Enumerable.Range(0, colours.Length).Sum(p => Step(colours[p], [.. Enumerable.Range(1, Window - 1).Select(d => colours[(p + colours.Length - d) % colours.Length])]));

    /// <summary>What a colour costs by those behind it, the nearest first (all three, or fewer at a walk's beginning).</summary>
    public double Step(int colour, ReadOnlySpan<int> behind)
    {
        var cost = 0.0;
        for (var distance = 1; distance <= behind.Length; distance++)
        {
            if (colour == behind[distance - 1] && _isNode[colour])
            {
                cost += _nodesRepeat ? 4 * ((1 << (Window - distance)) - 1) : Forbidden;
            }
        }

        var zones = _zones == 1 || behind.Length < 2 ? 0 : ZoneStep(colour, behind[0], behind[1]);
        return Math.Min(Forbidden, cost + (zones == 0 ? 0 : _zonesRepeat ? zones : Forbidden));
    }

    /// <summary>Three zones and more: repeats by how near they are. Two: one pair in three is unavoidable, and what is beyond it counts.</summary>
    private double ZoneStep(int colour, int behind, int farther)
    {
        var (near, far, other) = (_zone[colour] == _zone[behind], _zone[colour] == _zone[farther], _zone[behind] == _zone[farther]);
        return _zones >= ZoneWindow ? (near ? 3 : 0) + (far ? 1 : 0) : near && far && other ? 2 : 0;
    }

    private static long Weigh(int[] owners, Func<int, int, int, int> weight) =>
        Enumerable.Range(0, owners.Length).Sum(p => Enumerable.Range(1, Window - 1).Sum(d => (long)weight(owners[p], owners[(p + d) % owners.Length], d)));

    private long Work() => new ClaimWalk(this, 0).Size;
}
