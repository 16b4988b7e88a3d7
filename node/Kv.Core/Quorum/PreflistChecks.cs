using System.Collections.Immutable;
using Kv.Core.Rings;

namespace Kv.Core.Quorum;

/// <summary>What reads and writes both ask of a preference list before they send anything, in Riak's order.</summary>
internal static class PreflistChecks
{
    public static QuorumFailure? Check(ImmutableArray<PreflistEntry> preflist, string primaryOption, int primariesRequired, int vnodesRequired, int nodesRequired)
    {
        if (preflist.IsEmpty)
        {
            return new QuorumFailure.AllNodesDown();
        }

        var primaries = 0;
        foreach (var entry in preflist)
        {
            primaries += entry.IsPrimary ? 1 : 0;
        }

        if (primaries < primariesRequired)
        {
            return new QuorumFailure.Unsatisfied(primaryOption, primariesRequired, primaries);
        }

        if (preflist.Length < Math.Max(1, vnodesRequired))
        {
            return new QuorumFailure.InsufficientVnodes(preflist.Length, Math.Max(1, vnodesRequired));
        }

        var nodes = CountNodes(preflist, static (_, _) => true, 0);
        return nodes < nodesRequired ? new QuorumFailure.Unsatisfied("node_confirms", nodesRequired, nodes) : null;
    }

    /// <summary>Distinct nodes among the entries that are counted. Preference lists are short: comparing all pairs beats a set.</summary>
    public static int CountNodes<TState>(ImmutableArray<PreflistEntry> preflist, Func<TState, int, bool> isCounted, TState state)
    {
        var nodes = 0;
        for (var i = 0; i < preflist.Length; i++)
        {
            if (!isCounted(state, i))
            {
                continue;
            }

            var isNew = true;
            for (var j = 0; j < i && isNew; j++)
            {
                isNew = !isCounted(state, j) || preflist[j].Node != preflist[i].Node;
            }

            nodes += isNew ? 1 : 0;
        }

        return nodes;
    }
}
