using System.Collections.Immutable;
using Kv.Core.Rings;
using Xunit;

namespace Kv.Core.Tests.Rings;

/// <summary>What can be said of any good assignment by arithmetic, apart from how the claim found it.</summary>
internal sealed class ClaimCheck
{
    /// <summary>Consecutive partitions that are to be on distinct nodes.</summary>
    private const int Window = 4;

    private readonly int _size;
    private readonly ImmutableArray<NodeId> _current;
    private readonly ImmutableArray<ClaimMember> _members;
    private readonly ImmutableArray<NodeId> _owners;
    private readonly Dictionary<NodeId, string> _zoneOf;
    private readonly Dictionary<string, int> _zoneSizes;
    private readonly Dictionary<NodeId, int> _shares;
    private readonly string _what;

    public ClaimCheck(int ringSize, ImmutableArray<NodeId> current, ImmutableArray<ClaimMember> members, ImmutableArray<NodeId> owners)
    {
        (_size, _current, _members, _owners) = (ringSize, current, members, owners);
        _zoneOf = members.ToDictionary(m => m.Id, m => m.Zone);
        _zoneSizes = members.GroupBy(m => m.Zone).ToDictionary(g => g.Key, g => g.Count());
        Assert.Equal(ringSize, owners.Length);
        Assert.All(owners, o => Assert.Contains(o, _zoneOf));
        _shares = members.ToDictionary(m => m.Id, m => owners.Count(o => o == m.Id));
        _what = $"{current.Distinct().Count()} owners to {members.Length} members in {_zoneSizes.Count} zones on a ring of {ringSize}: ";
    }

    private int Nodes => _members.Length;

    private int Zones => _zoneSizes.Count;

    /// <summary>Four nodes suffice to repeat none in four partitions, since ring sizes are multiples of four; with fewer, none repeats before it must.</summary>
    public void NodesAreApart()
    {
        if (Nodes >= 4)
        {
            Equal(0, Repeats(4, o => o), "runs of four repeat a node");
        }
        else if (Nodes == 3)
        {
            // Three do not divide a power of two: the seam costs at least the windows across it.
            AtMost(2, Repeats(3, o => o), "runs of three repeat a node");
        }
        else if (Nodes == 2)
        {
            Equal(0, Repeats(2, o => o), "neighbours share a node");
        }
    }

    /// <summary>
    /// Four zones suffice to repeat none in three partitions, whatever their sizes: round and round, each node at most every fourth. Three zones repeat at the
    /// seam only, where none is so small that its one node cannot be in every third partition.
    /// </summary>
    public void ZonesAreApart()
    {
        var repeats = Repeats(3, o => _zoneOf[o]);
        if (Zones >= 4)
        {
            Equal(0, repeats, "runs of three repeat a zone");
        }
        else if (Zones == 3 && _zoneSizes.Values.Min() >= 2)
        {
            // Two nodes can take turns only an even number of times, which may cost another seam.
            AtMost(_zoneSizes.Values.Min() == 2 ? 6 : 2, repeats, "runs of three repeat a zone");
        }
    }

    /// <summary>Within one where no zone's size forbids it, and always within one among the nodes of a zone. Of four zones or more none can have above a third of the ring.</summary>
    public void SharesAreEven()
    {
        var (floor, more) = Math.DivRem(_size, Nodes);
        var mostOfAZone = _zoneSizes.Values.Max(size => (size * floor) + Math.Max(0, more - (Nodes - size)));
        if (Zones <= 2 || Nodes % Zones == 0 || (Zones >= 4 && mostOfAZone <= _size / 3))
        {
            AtMost(1, _shares.Values.Max() - _shares.Values.Min(), "is the difference of shares");
        }

        foreach (var zone in _members.GroupBy(m => m.Zone))
        {
            var shares = zone.Select(m => _shares[m.Id]).ToList();
            AtMost(1, shares.Max() - shares.Min(), $"is the difference of shares in {zone.Key}");
        }
    }

    /// <summary>Within a tenth of what any assignment must move that is as apart and as even (<see cref="ForcedMoves"/>, <see cref="MovesAround"/>, <see cref="ClaimBound"/>, <see cref="ClaimTrial"/>): below ten, as few as that.</summary>
    public void MovesAreFew()
    {
        if (_current.IsEmpty)
        {
            return;
        }

        var left = _current.Count(o => !_zoneOf.ContainsKey(o));
        var least = _shares.Values.Max() - _shares.Values.Min() <= 1 ? Math.Max(ForcedMoves(), left + MovesAround()) : 0;
        if (Moves() > MostFor(least))
        {
            var enough = Enumerable.Range(least, Moves() - least + 1).First(bound => MostFor(bound) >= Moves());
            least = Math.Max(least, left + ClaimBound.Of(_current, _members, _owners, enough - left));
            least = Moves() <= MostFor(least) ? least : ClaimTrial.FewerSuffice(_current, _members, _owners) switch
            {
                false => Moves(),

                // Nobody can say. The bound is of fractions of partitions, and one move too low at times.
                null => least + 1,
                true => least,
            };
        }

        AtMost(MostFor(least), Moves(), $"moves where it is known that {least} are needed");
    }

    private static int MostFor(int least) => least * 11 / 10;

    public int Moves() => _owners.Zip(_current).Count(p => p.First != p.Second);

    /// <summary>The moves that any even assignment needs: whoever owns most keeps the larger shares.</summary>
    public int ForcedMoves()
    {
        var (floor, more) = Math.DivRem(_size, Nodes);
        var held = _members.Select(m => _current.Count(o => o == m.Id)).OrderDescending();
        return _size - held.Select((h, rank) => Math.Min(h, rank < more ? floor + 1 : floor)).Sum();
    }

    /// <summary>
    /// The moves among stayers that any even assignment needs in which no four partitions repeat a node: a leaver's partition near one's own is had only for giving that up, so what a node lacks beyond those
    /// that are not near comes from stayers. One given up is worth two where it has leavers' on both sides; then what is given up counts too, which is as much over all nodes as what is taken.
    /// </summary>
    public int MovesAround()
    {
        var (one, all) = (0, 0);
        foreach (var node in _members.Select(m => m.Id).Where(_ => Nodes >= Window))
        {
            var own = Places.Where(p => _current[p] == node).ToList();
            var free = Places.Count(p => IsLeft(p) && !IsNear(p, -1, q => _current[q] == node) && !IsNear(p, 1, q => _current[q] == node));
            var lacks = Math.Max(0, (_size / Nodes) - own.Count - free);
            one += own.Exists(p => IsNear(p, -1, IsLeft) && IsNear(p, 1, IsLeft)) ? 0 : lacks;
            all += lacks;
        }

        return Math.Max(one, (all + 1) / 2);
    }

    private IEnumerable<int> Places => Enumerable.Range(0, _size);

    private bool IsLeft(int p) => !_zoneOf.ContainsKey(_current[p]);

    /// <summary>Whether a partition after <paramref name="p"/>, or before it, is one of these and in one window with it.</summary>
    private bool IsNear(int p, int side, Func<int, bool> isOne) => Enumerable.Range(1, Window - 1).Any(d => isOne((p + (side * d) + _size) % _size));

    private int Repeats<T>(int window, Func<NodeId, T> of) =>
        Enumerable.Range(0, _size).Count(first => Enumerable.Range(first, window).Select(p => of(_owners[p % _size])).Distinct().Count() < window);

    private void Equal(int expected, int actual, string what) => Assert.True(expected == actual, $"{_what}{actual} {what}, not {expected}");

    private void AtMost(int most, int actual, string what) => Assert.True(actual <= most, $"{_what}{actual} {what}, more than {most}");
}
