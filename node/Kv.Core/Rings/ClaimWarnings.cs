using System.Collections.Immutable;

namespace Kv.Core.Rings;

/// <summary>What an assignment could not avoid, in words for people (the first two are Riak's).</summary>
internal static class ClaimWarnings
{
    public static ImmutableArray<string> Of(ClaimBoard board)
    {
        var rules = board.Rules;
        var warnings = ImmutableArray.CreateBuilder<string>();
        if (Repeats(board, rules.NodeWindow, (a, b) => a == b) is var nodes and > 0)
        {
            warnings.Add($"Not all replicas will be on distinct nodes: {nodes} of {rules.RingSize} runs of {rules.NodeWindow} consecutive partitions have a node twice");
        }

        if (rules.HasZones && Repeats(board, rules.ZoneWindow, (a, b) => rules.ZoneOf[a] == rules.ZoneOf[b]) is var zones and > 0)
        {
            warnings.Add($"Not all replicas will be in distinct zones: {zones} of {rules.RingSize} runs of {rules.ZoneWindow} consecutive partitions have a zone twice");
        }

        if (!board.IsEven)
        {
            warnings.Add($"Shares are uneven, from {board.Shares.Min()} to {board.Shares.Max()} partitions a node, to keep replicas apart");
        }

        if (board.Shares.Contains(0))
        {
            warnings.Add($"{board.Shares.Count(s => s == 0)} nodes will own no partition: there are more nodes than partitions");
        }

        return warnings.ToImmutable();
    }

    private static int Repeats(ClaimBoard board, int window, Func<int, int, bool> same)
    {
        var size = board.Rules.RingSize;
        return Enumerable.Range(0, size).Count(first =>
        {
            for (var i = 0; i < window; i++)
            {
                for (var j = i + 1; j < window; j++)
                {
                    if (same(board.OwnerOf((first + i) % size), board.OwnerOf((first + j) % size)))
                    {
                        return true;
                    }
                }
            }

            return false;
        });
    }
}
