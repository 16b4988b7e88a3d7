namespace Kv.Core.Rings;

/// <summary>
/// The ways to give a few consecutive partitions anew that cost little: where a ring is tight, one gift alone would put replicas together, and its neighbours have to follow.
/// A beam search, partition by partition from the first that changes, until as many keep their owner as a window reaches over. Deterministic: ties go to what was found first.
/// </summary>
internal sealed class ClaimRewrites(ClaimBoard board)
{
    /// <summary>Partitions from the first to the last that changes.</summary>
    private const int Length = 9;

    /// <summary>Farther than this a rewrite neither changes nor depends on anything.</summary>
    public const int Reach = 24;

    private const int Beam = 64;

    /// <summary>Partitions times beam, at most: large rings are less tight, and there are more of their rewrites.</summary>
    private const int MostWork = 32768;

    /// <summary>Nodes whose shares one rewrite may change, each by one: two that give and two that take.</summary>
    private const int MaxChanged = 4;

    /// <summary>Up to this many nodes all are candidates everywhere; beyond, those that are near, and those with the smallest shares.</summary>
    private const int FewNodes = 12;

    private const int Takers = 4;

    private readonly ClaimRules _rules = board.Rules;
    private readonly int _beam = Math.Min(Beam, MostWork / board.Rules.RingSize);
    private readonly List<Step> _kept = [];
    private readonly List<Step> _longer = [];
    private readonly HashSet<(long, long)> _seen = [];
    private readonly List<int> _candidates = [];

    /// <summary>All that were found whose first change is at <paramref name="first"/>.</summary>
    public List<ClaimRewrite> From(int first)
    {
        var found = new List<ClaimRewrite>();
        FindCandidates(first);
        var limit = LimitOf(first);
        _kept.Clear();
        _kept.Add(new Step(null, ClaimRules.Nobody, 0, 0, 0, 0));
        for (var at = 0; at < Length + _rules.NodeWindow - 1 && _kept.Count > 0; at++)
        {
            Lengthen(first, at, limit);
            _kept.Clear();
            _seen.Clear();
            foreach (var step in _longer)
            {
                if (step.Unchanged == _rules.NodeWindow - 1)
                {
                    Close(first, step, found);
                }
                else if (_kept.Count < _beam && _seen.Add((step.Effect, LastNodes(step))))
                {
                    _kept.Add(step);
                }
            }
        }

        return found;
    }

    private void Lengthen(int first, int at, long limit)
    {
        _longer.Clear();
        var place = board.Place(first + at);
        var owner = board.OwnerOf(place);
        var now = board.StepCost(place);
        foreach (var step in _kept)
        {
            foreach (var node in _candidates)
            {
                if ((at == 0 && node == owner) || (at >= Length && node != owner))
                {
                    continue;
                }

                var cost = step.Cost + CostOf(step, place, at, node) - now;
                if (cost < limit)
                {
                    var effect = node == owner ? step.Effect : step.Effect + Weight(node) - Weight(owner);
                    _longer.Add(new Step(step, node, at + 1, node == owner ? step.Unchanged + 1 : 0, cost, effect));
                }
            }
        }

        var order = 0;
        _longer.ForEach(step => step.Found = order++);
        _longer.Sort((a, b) => a.Cost != b.Cost ? a.Cost.CompareTo(b.Cost) : a.Found.CompareTo(b.Found));
    }

    // hot
    private long CostOf(Step before, int place, int at, int node)
    {
        Span<int> last = stackalloc int[_rules.NodeWindow];
        last[0] = node;
        for (var distance = 1; distance < last.Length; distance++)
        {
            if (distance <= at)
            {
                last[distance] = before.Node;
                before = before.Before!;
            }
            else
            {
                last[distance] = board.OwnerOf(board.Place(place - distance));
            }
        }

        return _rules.CostOfMove(place, node) + _rules.StepCost(last);
    }

    private void Close(int first, Step last, List<ClaimRewrite> found)
    {
        var nodes = new int[last.Length - (_rules.NodeWindow - 1)];
        var changes = new List<(int Node, int By)>();
        for (var step = last; step.Before is not null; step = step.Before)
        {
            if (step.Length <= nodes.Length)
            {
                nodes[step.Length - 1] = step.Node;
                Change(changes, step.Node, 1);
                Change(changes, board.OwnerOf(board.Place(first + step.Length - 1)), -1);
            }
        }

        changes.RemoveAll(c => c.By == 0);
        if (changes.Count <= MaxChanged && changes.TrueForAll(c => Math.Abs(c.By) == 1))
        {
            found.Add(new ClaimRewrite(first, nodes, last.Cost, [.. changes.Where(c => c.By < 0).Select(c => c.Node)], [.. changes.Where(c => c.By > 0).Select(c => c.Node)]));
        }
    }

    private static void Change(List<(int Node, int By)> changes, int node, int by)
    {
        var at = changes.FindIndex(c => c.Node == node);
        if (at < 0)
        {
            changes.Add((node, by));
        }
        else
        {
            changes[at] = (node, changes[at].By + by);
        }
    }

    /// <summary>What no beginning may cost more: a repeat, where there is none near now.</summary>
    private long LimitOf(int first)
    {
        for (var at = 0; at < Length + _rules.NodeWindow - 1; at++)
        {
            if (board.StepCost(board.Place(first + at)) > ClaimRules.MoveCost)
            {
                return ClaimRules.NodeCost;
            }
        }

        return Math.Min(ClaimRules.NodeCost, _rules.ZoneUnit);
    }

    private void FindCandidates(int first)
    {
        _candidates.Clear();
        if (board.Shares.Length <= FewNodes)
        {
            _candidates.AddRange(Enumerable.Range(0, board.Shares.Length));
            return;
        }

        for (var at = 1 - _rules.NodeWindow; at < Length + _rules.NodeWindow - 1; at++)
        {
            Add(board.OwnerOf(board.Place(first + at)));
            Add(_rules.Original[board.Place(first + at)]);
        }

        foreach (var node in Enumerable.Range(0, board.Shares.Length).OrderBy(node => board.Shares[node]).Take(Takers))
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

    /// <summary>Shares that change by the same have the same sum of these.</summary>
    private static long Weight(int node) => ((long)ClaimStarts.Mix(0, node) << 24) ^ ClaimStarts.Mix(1, node);

    private long LastNodes(Step step)
    {
        var number = 0L;
        for (var distance = 1; distance < _rules.NodeWindow && step.Before is not null; distance++, step = step.Before)
        {
            number = (number * (_rules.Nodes.Length + 1)) + step.Node + 1;
        }

        return number;
    }

    /// <summary>The first partitions given anew, as a chain from the last one back; and what they cost more than as they are.</summary>
    private sealed record Step(Step? Before, int Node, int Length, int Unchanged, long Cost, long Effect)
    {
        public int Found { get; set; }
    }
}
