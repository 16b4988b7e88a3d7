namespace Kv.Core.Rings;

/// <summary>An assignment under work: who has which partition, each node's share, and what a change would cost.</summary>
internal sealed class ClaimBoard
{
    private readonly int[] _owners;

    public ClaimBoard(ClaimRules rules, int[] owners)
    {
        Rules = rules;
        _owners = owners;
        Shares = new int[rules.Nodes.Length];
        foreach (var owner in owners)
        {
            Shares[owner]++;
        }
    }

    public ClaimRules Rules { get; }

    public ReadOnlySpan<int> Owners => _owners;

    /// <summary>Partitions by node.</summary>
    public int[] Shares { get; }

    /// <summary>Whether shares differ by at most one.</summary>
    public bool IsEven => Shares.Max() - Shares.Min() <= 1;

    /// <summary>A partition counted on round the ring.</summary>
    public int Place(int p) => p & (Rules.RingSize - 1);

    public int OwnerOf(int p) => _owners[p];

    public void Give(int p, int node)
    {
        Shares[_owners[p]]--;
        Shares[node]++;
        _owners[p] = node;
    }

    /// <summary>What <paramref name="node"/> at <paramref name="p"/> costs by its neighbours and its move, whoever is there now.</summary>
    // hot
    public long CostAt(int p, int node)
    {
        var mask = Rules.RingSize - 1;
        var cost = Rules.CostOfMove(p, node);
        for (var distance = 1; distance < Rules.NodeWindow; distance++)
        {
            cost += Rules.PairCost(node, _owners[(p + distance) & mask], distance) + Rules.PairCost(node, _owners[(p - distance) & mask], distance);
        }

        return cost;
    }

    /// <summary>What a partition costs by its move and by what lies behind it; the sum over the ring is <see cref="TotalCost"/> but for shares.</summary>
    public long StepCost(int p)
    {
        Span<int> last = stackalloc int[Rules.NodeWindow];
        for (var distance = 0; distance < last.Length; distance++)
        {
            last[distance] = _owners[Place(p - distance)];
        }

        return Rules.CostOfMove(p, last[0]) + Rules.StepCost(last);
    }

    /// <summary>Partitions that leave an owner who stays.</summary>
    public int Moves()
    {
        var moves = 0;
        for (var p = 0; p < Rules.RingSize; p++)
        {
            moves += Rules.CostOfMove(p, _owners[p]) > 0 ? 1 : 0;
        }

        return moves;
    }

    /// <summary>The cost of the whole assignment: what the solver makes least.</summary>
    public long TotalCost() => CostWith(Rules.BalanceCost);

    /// <summary>The cost, were an uneven share worth but a few moves, as it is to rewrites.</summary>
    public long Promise() => CostWith(2 * ClaimRules.MoveCost);

    private long CostWith(long balanceCost)
    {
        var cost = 0L;
        for (var p = 0; p < Rules.RingSize; p++)
        {
            cost += Rules.CostOfMove(p, _owners[p]);
            for (var distance = 1; distance < Rules.NodeWindow; distance++)
            {
                cost += Rules.PairCost(_owners[p], _owners[(p + distance) & (Rules.RingSize - 1)], distance);
            }
        }

        foreach (var share in Shares)
        {
            cost += balanceCost * share * share;
        }

        return cost;
    }
}
