namespace Kv.Core.Rings;

/// <summary>
/// The best of all assignments on a small ring, by branch and bound: partition by partition, given up where the best that may come of a beginning is no better than what is known. On a ring of
/// few windows most chains are of partitions that are neighbours, whose costs <see cref="ClaimSearch"/> adds up wrongly.
/// </summary>
internal sealed class ClaimBranches
{
    private const int MostPlaces = 16;

    /// <summary>Partitions given in all, some tens of milliseconds of work; where more were needed, the best so far stands.</summary>
    private const int MostGiven = 1 << 18;

    private readonly ClaimRules _rules;
    private readonly int[] _owners;
    private readonly int[] _shares;
    private readonly int[] _nodesWithShare;
    private readonly int[] _twin;
    private int[]? _best;
    private long _least;
    private int _given;

    private ClaimBranches(ClaimRules rules, long least)
    {
        (_rules, _least) = (rules, least);
        _owners = new int[rules.RingSize];
        _shares = new int[rules.Nodes.Length];
        _nodesWithShare = new int[rules.RingSize + 1];
        _nodesWithShare[0] = rules.Nodes.Length;
        _twin = [.. Enumerable.Range(0, _shares.Length).Select(node => Enumerable.Range(0, node).LastOrDefault(other => AreTwins(other, node), ClaimRules.Nobody))];
    }

    /// <summary>What is better than <paramref name="known"/>; null where nothing is, or nothing was found in time, or the ring is large.</summary>
    public static ClaimBoard? Better(ClaimBoard known)
    {
        if (known.Rules.RingSize > MostPlaces)
        {
            return null;
        }

        var branches = new ClaimBranches(known.Rules, known.TotalCost());
        branches.Extend(0, 0, 0);
        return branches._best is null ? null : new ClaimBoard(known.Rules, branches._best);
    }

    /// <summary>Nodes of a zone that own nothing now: the first of them may stand for the others until it has something.</summary>
    private bool AreTwins(int a, int b) => _rules.ZoneOf[a] == _rules.ZoneOf[b] && !_rules.Original.Contains(a) && !_rules.Original.Contains(b);

    // hot
    private void Extend(int p, long cost, int squares)
    {
        if (p == _rules.RingSize)
        {
            (_least, _best) = (LeastOf(p, cost, squares), (int[])_owners.Clone());
            return;
        }

        // Who has it now comes first.
        var now = _rules.Original[p];
        for (var i = now == ClaimRules.Nobody ? 0 : -1; i < _shares.Length && _given < MostGiven; i++)
        {
            var node = i < 0 ? now : i;
            if (i == now || (_twin[node] >= 0 && _shares[_twin[node]] == 0))
            {
                continue;
            }

            _given++;
            var costWith = cost + CostAt(p, node);
            var squaresWith = squares + (2 * _shares[node]) + 1;
            Count(node, 1);
            if (LeastOf(p + 1, costWith, squaresWith) < _least)
            {
                _owners[p] = node;
                Extend(p + 1, costWith, squaresWith);
            }

            Count(node, -1);
        }
    }

    private void Count(int node, int by)
    {
        _nodesWithShare[_shares[node]]--;
        _shares[node] += by;
        _nodesWithShare[_shares[node]]++;
    }

    /// <summary>What a partition costs by its move and by those before it, also round the ring's end.</summary>
    private long CostAt(int p, int node)
    {
        var cost = _rules.CostOfMove(p, node);
        for (var distance = 1; distance < _rules.NodeWindow; distance++)
        {
            cost += p >= distance ? _rules.PairCost(_owners[p - distance], node, distance) : 0;
            cost += p + distance >= _rules.RingSize ? _rules.PairCost(node, _owners[p + distance - _rules.RingSize], distance) : 0;
        }

        return cost;
    }

    /// <summary>No more than any assignment costs that begins with these <paramref name="given"/> partitions: what they cost, and the rest given to whoever owns least.</summary>
    private long LeastOf(int given, long cost, int squares)
    {
        var (rest, nodes) = (_rules.RingSize - given, 0);
        for (var share = 0; rest > 0; share++)
        {
            nodes += _nodesWithShare[share];
            var taken = Math.Min(rest, nodes);
            squares += taken * ((2 * share) + 1);
            rest -= taken;
        }

        return Math.Max(cost, _rules.LeastZoneCost) + (squares * _rules.BalanceCost);
    }
}
