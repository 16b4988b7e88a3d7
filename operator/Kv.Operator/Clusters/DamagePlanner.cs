using Kv.Operator.Api;
using Kv.Operator.Gates;

namespace Kv.Operator.Clusters;

/// <summary>
/// Partitions that their owner found damaged or gone, and which are rebuilt from their other copies. What it has left of them goes by that: so not while a member is away, since that one may turn out to be dead and the rotten
/// copy to have been the last; nor would anything be won, since a rebuild asks every member. But whatever partitions move, since these wait for a damaged one, and rebuilds of its neighbours wait for each
/// other. The owner itself refuses where keys would have no copy left, and nobody insists here; nor is what it held for others given up: both take a person's word. Pure.
/// </summary>
internal static class DamagePlanner
{
    /// <summary>What can be rebuilt now. Null too where it waits, or where the owner would refuse: nothing else is held up by that.</summary>
    public static ClusterAction.RebuildPartition? Next(ObservedCluster observed, ObservedRing ring) =>
        ring.Converged && WhyNot(ring) is null && !RingHealth.HasKeysWithoutCopy(ring) ? First(observed, ring) : null;

    /// <summary>What is left when all else is done: why it waits, and otherwise it is asked for, so that the owner's own words are told.</summary>
    public static ClusterAction? Left(ObservedCluster observed, ObservedRing ring) => First(observed, ring) switch
    {
        null => null,
        { } rebuild when WhyNot(ring) is { } why => new ClusterAction.Postponed(rebuild, why),
        var rebuild => rebuild,
    };

    /// <summary>Whether the node owns the partition; else it held it for another.</summary>
    public static bool IsOwned(ObservedRing ring, NodeAnswer answer, int partition) =>
        partition < ring.Owners.Length && ring.Owners[partition] < ring.Members.Length && ring.Members[ring.Owners[partition]].Id == answer.Id;

    /// <summary>Of those that are not being rebuilt: an order that is repeated would have it begin anew.</summary>
    private static ClusterAction.RebuildPartition? First(ObservedCluster observed, ObservedRing ring)
    {
        foreach (var node in observed.Nodes)
        {
            if (node.Answer is { } answer)
            {
                foreach (var partition in answer.Damaged.Where(partition => IsOwned(ring, answer, partition) && !ring.Rebuilding.Contains(partition)).Order())
                {
                    return new ClusterAction.RebuildPartition(node, partition);
                }
            }
        }

        return null;
    }

    private static GateVerdict.Closed? WhyNot(ObservedRing ring)
    {
        var away = ring.Members.Where(member => member.State != MemberState.Joining && !LossBudget.IsUp(member)).Select(member => $"{member.Name} (node {member.Id})").ToList();
        return away.Count == 0 ? null : new GateVerdict.Closed(
            Conditions.Reasons.NodesDown, $"a rebuild asks every member, and {string.Join(", ", away)} is away: it waits until that one is back, or in spec.lostNodes", IsPassing: false);
    }
}
