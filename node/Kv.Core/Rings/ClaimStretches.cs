namespace Kv.Core.Rings;

/// <summary>
/// Makes an assignment better by giving a few consecutive partitions anew at once, which chains of gifts cannot where each gift alone would put replicas together.
/// A beam search: partition by partition from the stretch's beginning, the cheapest few beginnings are kept. Costs are those of the whole board, so that what
/// it finds is better for certain. Deterministic: ties go to the beginning that was found first.
/// </summary>
internal sealed class ClaimStretches
{
    private const int Length = 10;
    private const int Beam = 96;

    /// <summary>Nodes beside those that are near: the ones with the smallest shares, who are to have more.</summary>
    private const int Takers = 4;

    private readonly ClaimBoard _board;
    private readonly ClaimRules _rules;
    private readonly List<Beginning> _kept = [];
    private readonly List<(long Cost, int Found, Beginning Before, int Node)> _longer = [];
    private readonly List<int> _candidates = [];
    private long _limit;

    private ClaimStretches(ClaimBoard board) => (_board, _rules) = (board, board.Rules);

    /// <summary>Goes round the ring once, and tells whether anything became better.</summary>
    public static bool Run(ClaimBoard board)
    {
        var stretches = new ClaimStretches(board);
        var better = false;
        for (var first = 0; first < board.Rules.RingSize && board.Rules.RingSize > Length + (2 * board.Rules.NodeWindow); first++)
        {
            better |= stretches.TryRewrite(first);
        }

        return better;
    }

    private bool TryRewrite(int first)
    {
        FindCandidates(first);
        _limit = LimitOf(first);
        _kept.Clear();
        _kept.Add(new Beginning(null, ClaimRules.Nobody, 0, 0));
        for (var at = 0; at < Length; at++)
        {
            Lengthen(first, at);
        }

        if (_kept.Count == 0 || _kept[0].Cost >= 0)
        {
            return false;
        }

        for (var (chosen, at) = (_kept[0], Length - 1); at >= 0; (chosen, at) = (chosen.Before!, at - 1))
        {
            _board.Give(Place(first, at), chosen.Node);
        }

        return true;
    }

    /// <summary>What no partition may cost more: a repeat, where there is none in the stretch now.</summary>
    private long LimitOf(int first)
    {
        for (var at = 0; at < Length; at++)
        {
            for (var distance = 1; distance < _rules.NodeWindow; distance++)
            {
                if (_rules.PairCost(_board.OwnerOf(Place(first, at)), _board.OwnerOf(Place(first, at - distance)), distance) > 0)
                {
                    return ClaimRules.NodeCost;
                }
            }
        }

        return Math.Min(ClaimRules.NodeCost, _rules.ZoneUnit);
    }

    private void Lengthen(int first, int at)
    {
        _longer.Clear();
        foreach (var beginning in _kept)
        {
            foreach (var node in _candidates)
            {
                var cost = CostOf(beginning, first, at, node);
                if (cost < _limit)
                {
                    _longer.Add((beginning.Cost + cost, _longer.Count, beginning, node));
                }
            }
        }

        _longer.Sort((a, b) => a.Cost != b.Cost ? a.Cost.CompareTo(b.Cost) : a.Found.CompareTo(b.Found));
        _kept.Clear();
        foreach (var (cost, _, before, node) in _longer.Take(Beam))
        {
            _kept.Add(new Beginning(before, node, at + 1, cost));
        }
    }

    private void FindCandidates(int first)
    {
        _candidates.Clear();
        for (var at = 1 - _rules.NodeWindow; at < Length + _rules.NodeWindow - 1; at++)
        {
            Add(_board.OwnerOf(Place(first, at)));
            Add(_rules.Original[Place(first, at)]);
        }

        foreach (var node in Enumerable.Range(0, _board.Shares.Length).OrderBy(node => _board.Shares[node]).Take(Takers))
        {
            Add(node);
        }

        void Add(int node)
        {
            if (node != ClaimRules.Nobody && !_candidates.Contains(node))
            {
                _candidates.Add(node);
            }
        }
    }

    /// <summary>What the next partition of a beginning costs with this node more than with its owner now: by its move, its neighbours known so far, and shares.</summary>
    // hot
    private long CostOf(Beginning beginning, int first, int at, int node)
    {
        var place = Place(first, at);
        var owner = _board.OwnerOf(place);
        var cost = _rules.CostOfMove(place, node) - _rules.CostOfMove(place, owner);
        var chosen = beginning;
        for (var distance = 1; distance < _rules.NodeWindow; distance++)
        {
            var behind = _board.OwnerOf(Place(first, at - distance));
            cost += _rules.PairCost(node, distance <= at ? chosen.Node : behind, distance) - _rules.PairCost(owner, behind, distance);
            chosen = chosen.Before ?? chosen;
            if (at + distance >= Length)
            {
                var ahead = _board.OwnerOf(Place(first, at + distance));
                cost += _rules.PairCost(node, ahead, distance) - _rules.PairCost(owner, ahead, distance);
            }
        }

        return node == owner ? cost : cost + (_rules.BalanceCost * 2 * (ShareOf(beginning, first, node) - ShareOf(beginning, first, owner) + 1));
    }

    private int ShareOf(Beginning beginning, int first, int node)
    {
        var share = _board.Shares[node];
        for (var chosen = beginning; chosen.Before is not null; chosen = chosen.Before)
        {
            share += (chosen.Node == node ? 1 : 0) - (_board.OwnerOf(Place(first, chosen.Length - 1)) == node ? 1 : 0);
        }

        return share;
    }

    private int Place(int first, int at) => (first + at) & (_rules.RingSize - 1);

    /// <summary>The first partitions of a stretch given anew, as a chain from the last one back; and what they cost more than as they are.</summary>
    private sealed record Beginning(Beginning? Before, int Node, int Length, long Cost);
}
