namespace Kv.Core.Rings;

/// <summary>
/// Makes an assignment better until no chain of gifts does: node a gives a partition to b, b one to c, and so on, either ending at a node whose share grows or
/// coming back to a. The best chain is a shortest path among the nodes, where going from a to b costs what a's cheapest gift to b does (moves, neighbours) and
/// the ends cost what their shares do. It is what augmenting paths are to a min-cost flow, which this would be if neighbours did not matter.
/// Deterministic: ties go to the lower number.
/// </summary>
internal sealed class ClaimSearch
{
    /// <summary>Gifts in a chain. Longer chains were not seen to help.</summary>
    private const int MaxChain = 5;

    /// <summary>Chains tried when the best does not hold what it promised, which happens when its partitions are neighbours.</summary>
    private const int MaxTries = 12;

    private const long Never = long.MaxValue / 4;

    private readonly ClaimBoard _board;
    private readonly ClaimRules _rules;
    private readonly int _nodes;
    private readonly long[] _gift;
    private readonly int[] _giftPartition;
    private readonly bool[] _stale;
    private readonly long[][] _distance;
    private readonly int[][] _from;

    private ClaimSearch(ClaimBoard board)
    {
        _board = board;
        _rules = board.Rules;
        _nodes = _rules.Nodes.Length;
        _gift = new long[_nodes * _nodes];
        _giftPartition = new int[_nodes * _nodes];
        _stale = [.. Enumerable.Repeat(true, _nodes)];
        _distance = [.. Enumerable.Range(0, MaxChain + 1).Select(_ => new long[_nodes])];
        _from = [.. Enumerable.Range(0, MaxChain + 1).Select(_ => new int[_nodes])];
    }

    /// <summary>Improves <paramref name="board"/> in place.</summary>
    public static void Run(ClaimBoard board)
    {
        var search = new ClaimSearch(board);

        // Each step lowers a cost that is bounded below; the bound is for the proof's sake.
        for (var step = 0; step < 8 * board.Rules.RingSize; step++)
        {
            search.Refresh();
            if (!search.TryOpenChain() && !search.TryClosedChain() && !search.TrySwap())
            {
                return;
            }
        }
    }

    /// <summary>The cheapest gift of each pair of nodes, where an owner's surroundings changed.</summary>
    private void Refresh()
    {
        for (var node = 0; node < _nodes; node++)
        {
            if (_stale[node])
            {
                Array.Fill(_gift, Never, node * _nodes, _nodes);
            }
        }

        for (var p = 0; p < _rules.RingSize; p++)
        {
            var owner = _board.OwnerOf(p);
            if (!_stale[owner])
            {
                continue;
            }

            var kept = _board.CostAt(p, owner);
            for (var to = 0; to < _nodes; to++)
            {
                if (to == owner)
                {
                    continue;
                }

                var cost = _board.CostAt(p, to) - kept;
                var at = (owner * _nodes) + to;
                if (cost < _gift[at])
                {
                    _gift[at] = cost;
                    _giftPartition[at] = p;
                }
            }
        }

        Array.Clear(_stale);
    }

    private bool TryOpenChain()
    {
        for (var node = 0; node < _nodes; node++)
        {
            _distance[0][node] = -_rules.BalanceCost * ((2 * _board.Shares[node]) - 1);
            _from[0][node] = node;
        }

        Relax(MaxChain);
        var ends = new List<(long Cost, int Length, int End)>();
        for (var length = 1; length <= MaxChain; length++)
        {
            for (var end = 0; end < _nodes; end++)
            {
                var cost = _distance[length][end] + (_rules.BalanceCost * ((2 * _board.Shares[end]) + 1));
                if (cost < 0)
                {
                    ends.Add((cost, length, end));
                }
            }
        }

        ends.Sort();
        return ends.Take(MaxTries).Any(e => TryApply(e.Length, e.End));
    }

    private bool TryClosedChain()
    {
        var longest = _nodes <= 48 ? 4 : 2;
        for (var start = 0; start < _nodes; start++)
        {
            Array.Fill(_distance[0], Never);
            _distance[0][start] = 0;
            Relax(longest);
            for (var length = 2; length <= longest; length++)
            {
                if (_distance[length][start] < 0 && TryApply(length, start))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Exchanges two partitions' owners, neighbours included, which chains judge wrongly.</summary>
    private bool TrySwap()
    {
        for (var p = 0; p < _rules.RingSize; p++)
        {
            for (var distance = 1; distance < 2 * _rules.NodeWindow; distance++)
            {
                var q = (p + distance) & (_rules.RingSize - 1);
                if (q != p && _board.OwnerOf(p) != _board.OwnerOf(q) && TryGive([(p, _board.OwnerOf(q)), (q, _board.OwnerOf(p))]))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private void Relax(int longest)
    {
        for (var length = 1; length <= longest; length++)
        {
            var before = _distance[length - 1];
            var after = _distance[length];
            Array.Fill(after, Never);
            for (var giver = 0; giver < _nodes; giver++)
            {
                if (before[giver] >= Never)
                {
                    continue;
                }

                for (var taker = 0; taker < _nodes; taker++)
                {
                    var gift = _gift[(giver * _nodes) + taker];
                    if (gift < Never && before[giver] + gift < after[taker])
                    {
                        after[taker] = before[giver] + gift;
                        _from[length][taker] = giver;
                    }
                }
            }
        }
    }

    private bool TryApply(int length, int end)
    {
        var gifts = new List<(int Partition, int Taker)>(length);
        var taker = end;
        for (var at = length; at > 0; at--)
        {
            var giver = _from[at][taker];
            var partition = _giftPartition[(giver * _nodes) + taker];
            if (gifts.Any(g => g.Partition == partition))
            {
                return false;
            }

            gifts.Add((partition, taker));
            taker = giver;
        }

        return TryGive(gifts);
    }

    /// <summary>Does the gifts and keeps them if the true cost falls.</summary>
    private bool TryGive(List<(int Partition, int Taker)> gifts)
    {
        var cost = 0L;
        var undo = new List<(int Partition, int Owner)>(gifts.Count);
        foreach (var (partition, taker) in gifts)
        {
            var owner = _board.OwnerOf(partition);
            cost += _board.CostAt(partition, taker) - _board.CostAt(partition, owner);
            cost += _rules.BalanceCost * 2 * (_board.Shares[taker] - _board.Shares[owner] + 1);
            undo.Add((partition, owner));
            _board.Give(partition, taker);
        }

        if (cost >= 0)
        {
            undo.Reverse();
            undo.ForEach(u => _board.Give(u.Partition, u.Owner));
            return false;
        }

        undo.ForEach(u => MarkAround(u.Partition, u.Owner));
        return true;
    }

    private void MarkAround(int partition, int formerOwner)
    {
        _stale[formerOwner] = true;
        for (var distance = -_rules.NodeWindow + 1; distance < _rules.NodeWindow; distance++)
        {
            _stale[_board.OwnerOf((partition + distance) & (_rules.RingSize - 1))] = true;
        }
    }
}
