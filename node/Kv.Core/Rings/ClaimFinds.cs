namespace Kv.Core.Rings;

/// <summary>Assignments that the search came to from its beginnings.</summary>
internal sealed class ClaimFinds
{
    private readonly List<ClaimBoard> _boards = [];

    public ClaimFinds(ClaimBoard start)
    {
        ClaimSearch.Run(start);
        Best = start;
        _boards.Add(start);
    }

    public ClaimBoard Best { get; private set; }

    /// <summary>Searches from a beginning, if there is one; whether what it comes to is better.</summary>
    public bool Try(ClaimBoard? start)
    {
        if (start is null)
        {
            return false;
        }

        ClaimSearch.Run(start);
        _boards.Add(start);
        return Take(start);
    }

    /// <summary>Searches from all; whether any came to something better.</summary>
    public bool TryAll(List<ClaimBoard> starts)
    {
        var before = Best;
        starts.ForEach(start => Try(start));
        return !ReferenceEquals(before, Best);
    }

    /// <summary>Whether <paramref name="board"/> is better, and so the best from now on.</summary>
    public bool Take(ClaimBoard board)
    {
        if (board.TotalCost() >= Best.TotalCost())
        {
            return false;
        }

        Best = board;
        return true;
    }

    /// <summary>The best, and those that may become better: what is nearly even with few moves is often nearer to it than what is even with many.</summary>
    public List<ClaimBoard> Promising(int count) => [.. _boards.OrderBy(b => b.Promise()).Prepend(Best).DistinctBy(b => b.TotalCost()).Take(count)];
}
