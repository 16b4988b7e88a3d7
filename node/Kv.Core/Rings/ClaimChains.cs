namespace Kv.Core.Rings;

/// <summary>
/// Makes an assignment better by rewrites in several places at once: one that changes shares, and others that change them back or make them even. A rewrite after which a has
/// one partition less and b one more is an edge of a graph among the nodes, what it costs its length; the cheapest chain that takes a share from one node to another is a shortest path.
/// Where <see cref="ClaimSearch"/> has chains of single partitions, these are of rewrites, and far fewer rings are too tight for them.
/// </summary>
internal sealed class ClaimChains
{
    private const long Never = long.MaxValue / 16;

    /// <summary>Promising chains tried in a round. They do not hold what they promise where their rewrites are neighbours.</summary>
    private const int MaxTries = 64;

    private const int MaxRounds = 64;

    private const int MaxGifts = 4;

    private readonly ClaimBoard _board;
    private readonly ClaimRules _rules;
    private readonly int _nodes;
    private readonly ClaimRewrites _rewrites;
    private readonly List<ClaimRewrite>?[] _from;
    private readonly List<ClaimRewrite>[] _gifts;
    private readonly long[][] _paths;
    private readonly int[][] _via;

    private ClaimChains(ClaimBoard board)
    {
        _board = board;
        _rules = board.Rules;
        _nodes = _rules.Nodes.Length;
        _rewrites = new ClaimRewrites(board);
        _from = new List<ClaimRewrite>?[_rules.RingSize];
        _gifts = [.. Enumerable.Range(0, _nodes * _nodes).Select(_ => new List<ClaimRewrite>())];
        _paths = [.. Enumerable.Range(0, 6).Select(_ => new long[_nodes * _nodes])];
        _via = [.. Enumerable.Range(0, 6).Select(_ => new int[_nodes * _nodes])];
    }

    /// <summary>Improves <paramref name="board"/> in place.</summary>
    public static void Run(ClaimBoard board)
    {
        var chains = new ClaimChains(board);
        for (var round = 0; round < MaxRounds && chains.TryRound(); round++)
        {
        }
    }

    private bool TryRound()
    {
        FindGifts();
        FindPaths();
        var better = false;
        var tries = 0;
        foreach (var chain in Promising())
        {
            if (tries++ >= MaxTries)
            {
                break;
            }

            better |= TryApply(chain);
        }

        return better;
    }

    /// <summary>The cheapest few rewrites from each node to each other, far enough from each other that each may stand in for one that is in the way.</summary>
    private void FindGifts()
    {
        Array.ForEach(_gifts, gifts => gifts.Clear());
        for (var first = 0; first < _rules.RingSize; first++)
        {
            foreach (var rewrite in _from[first] ??= _rewrites.From(first))
            {
                if (rewrite.Givers.Length == 1)
                {
                    Keep(_gifts[(rewrite.Givers[0] * _nodes) + rewrite.Takers[0]], rewrite);
                }
            }
        }
    }

    private void Keep(List<ClaimRewrite> gifts, ClaimRewrite rewrite)
    {
        if (gifts.Find(g => AreNear(g, rewrite)) is { } near)
        {
            if (near.Cost <= rewrite.Cost)
            {
                return;
            }

            gifts.Remove(near);
        }

        var at = gifts.FindIndex(g => g.Cost > rewrite.Cost);
        gifts.Insert(at < 0 ? gifts.Count : at, rewrite);
        if (gifts.Count > MaxGifts)
        {
            gifts.RemoveAt(MaxGifts);
        }
    }

    private bool AreNear(ClaimRewrite a, ClaimRewrite b) =>
        _board.Place(b.First - a.First) < a.Nodes.Length + _rules.NodeWindow - 1 || _board.Place(a.First - b.First) < b.Nodes.Length + _rules.NodeWindow - 1;

    /// <summary>0: gifts; 1: two; 2: four; 3: the ends left as they are; 4: four gifts and an end; 5: and four more.</summary>
    private void FindPaths()
    {
        for (var from = 0; from < _nodes; from++)
        {
            for (var to = 0; to < _nodes; to++)
            {
                var at = (from * _nodes) + to;
                _paths[0][at] = from == to ? 0 : _gifts[at].Count > 0 ? Math.Max(0, _gifts[at][0].Cost) : Never;
                _paths[3][at] = from == to ? 0 : _rules.BalanceCost * 2 * (_board.Shares[from] - _board.Shares[to] + 1);
            }
        }

        Join(0, 0, 1);
        Join(1, 1, 2);
        Join(2, 3, 4);
        Join(4, 2, 5);
    }

    private void Join(int a, int b, int into)
    {
        for (var from = 0; from < _nodes; from++)
        {
            for (var to = 0; to < _nodes; to++)
            {
                var (best, via) = (Never, -1);
                for (var middle = 0; middle < _nodes; middle++)
                {
                    var cost = _paths[a][(from * _nodes) + middle] + _paths[b][(middle * _nodes) + to];
                    if (cost < best)
                    {
                        (best, via) = (cost, middle);
                    }
                }

                _paths[into][(from * _nodes) + to] = best;
                _via[into][(from * _nodes) + to] = via;
            }
        }
    }

    private IEnumerable<List<ClaimRewrite>> Promising()
    {
        var found = new List<(long Cost, int Found, ClaimRewrite Rewrite, bool Crossed)>();
        foreach (var rewrite in _from.SelectMany(r => r!))
        {
            var (givers, takers) = (rewrite.Givers, rewrite.Takers);
            for (var crossed = 0; crossed < Math.Max(1, givers.Length); crossed++)
            {
                var cost = rewrite.Cost;
                for (var i = 0; i < givers.Length; i++)
                {
                    cost += _paths[5][(takers[i] * _nodes) + givers[i ^ crossed]];
                }

                if (cost < 0)
                {
                    found.Add((cost, found.Count, rewrite, crossed == 1));
                }
            }
        }

        found.Sort((a, b) => a.Cost != b.Cost ? a.Cost.CompareTo(b.Cost) : a.Found.CompareTo(b.Found));
        foreach (var (_, _, rewrite, crossed) in found)
        {
            var chain = new List<ClaimRewrite> { rewrite };
            for (var i = 0; i < rewrite.Givers.Length; i++)
            {
                Collect(5, rewrite.Takers[i], rewrite.Givers[crossed ? i ^ 1 : i], chain);
            }

            yield return chain;
        }
    }

    private void Collect(int level, int from, int to, List<ClaimRewrite> chain)
    {
        if (level == 0 && from != to)
        {
            var gifts = _gifts[(from * _nodes) + to];
            chain.Add(gifts.Find(g => chain.TrueForAll(c => !AreNear(c, g))) ?? gifts[0]);
        }

        if (level is 0 or 3)
        {
            return;
        }

        var via = _via[level][(from * _nodes) + to];
        var (a, b) = level switch { 1 => (0, 0), 2 => (1, 1), 4 => (2, 3), _ => (4, 2) };
        Collect(a, from, via, chain);
        Collect(b, via, to, chain);
    }

    /// <summary>Does the rewrites and keeps them if the true cost falls.</summary>
    private bool TryApply(List<ClaimRewrite> chain)
    {
        var before = _board.TotalCost();
        var owners = _board.Owners.ToArray();
        foreach (var rewrite in chain)
        {
            for (var i = 0; i < rewrite.Nodes.Length; i++)
            {
                _board.Give(_board.Place(rewrite.First + i), rewrite.Nodes[i]);
            }
        }

        if (_board.TotalCost() >= before)
        {
            foreach (var rewrite in chain)
            {
                for (var i = 0; i < rewrite.Nodes.Length; i++)
                {
                    var p = _board.Place(rewrite.First + i);
                    _board.Give(p, owners[p]);
                }
            }

            return false;
        }

        foreach (var rewrite in chain)
        {
            for (var p = rewrite.First - ClaimRewrites.Reach; p < rewrite.First + ClaimRewrites.Reach; p++)
            {
                _from[_board.Place(p)] = null;
            }
        }

        return true;
    }
}
