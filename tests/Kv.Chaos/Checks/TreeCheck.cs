using Kv.Chaos.Rings;
using Kv.Protos.Admin.V1;

namespace Kv.Chaos.Checks;

/// <summary>
/// Whether all replicas hold the same, by the nodes' own hash trees, so that no key is touched: each pair of replicas of each range of keys was compared since the ring is at rest, and
/// nothing differed. What differs is repaired by the nodes, and then compared again.
/// </summary>
internal static class TreeCheck
{
    /// <summary>Pairs that the replicas of each range make.</summary>
    private const int PairsOfThree = 3;

    /// <summary>What is not known to be equal yet; null when all is.</summary>
    /// <param name="shown">What each member says of its anti-entropy, by its name.</param>
    /// <param name="rest">For how long the ring has been at rest.</param>
    public static string? Complaint(IReadOnlyList<(string Node, AntiEntropy Shown)> shown, int ringSize, TimeSpan rest)
    {
        var compared = 0;
        foreach (var (node, state) in shown)
        {
            if (state.Trees.FirstOrDefault(tree => tree.State != HashTrees.Types.State.Built) is { } unbuilt)
            {
                return $"{node} has no trees of partition {unbuilt.Partition}: {unbuilt.State} {unbuilt.LastError}";
            }

            foreach (var exchange in state.Exchanges)
            {
                var pair = $"partition {exchange.Partition} of {node} and {exchange.PeerPartition} of {exchange.Peer}";
                if (exchange.MillisecondsSinceEnd < 0 || exchange.MillisecondsSinceEnd + exchange.MillisecondsTaken > rest.TotalMilliseconds)
                {
                    return $"{pair} were not compared since: {exchange.State} {exchange.LastError}";
                }

                if (exchange.KeysFound > 0)
                {
                    return $"{pair} differ in {exchange.KeysFound} keys";
                }

                compared++;
            }
        }

        var all = ringSize * PairsOfThree;
        return compared >= all ? null : $"{compared} pairs of replicas are compared at all, and {all} there are";
    }

    /// <summary>As <see cref="Complaint"/>, asked of the nodes.</summary>
    public static Task<string?> ComplaintAsync(RingAdmin admin, IReadOnlyList<ChaosNode> members, TimeSpan rest) => RingAdmin.TriedAsync(async () =>
    {
        var shown = new List<(string, AntiEntropy)>();
        foreach (var node in members)
        {
            shown.Add((node.Name, await admin.At(node).GetAntiEntropyAsync(new GetAntiEntropyRequest(), deadline: RingAdmin.Deadline)));
        }

        return Complaint(shown, RingAdmin.RingSize, rest);
    });
}
