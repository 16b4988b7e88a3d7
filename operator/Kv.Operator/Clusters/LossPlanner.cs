using System.Collections.Immutable;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Gates;

namespace Kv.Operator.Clusters;

/// <summary>
/// Members that a person gave up: replaced by the empty node of the same name, or removed where the spec has no room for one. Nothing waits for them, not even partitions that
/// move, since those may wait for the dead; they themselves wait for members that are only away, while these leave a preference list without a quorum. All go in one plan: a rebuild asks every member,
/// so that one dead member's waits for each other that is not given up. No volume is deleted here: that one is empty is what its node says. Pure.
/// </summary>
internal static class LossPlanner
{
    public static ClusterAction? Next(Cluster cluster, ObservedCluster observed, ObservedRing ring)
    {
        if (ring.Staged.Where(staged => staged.LostId is { } id && !IsStillLost(cluster, observed, ring, id)).Select(staged => staged.NodeName).ToList() is { Count: > 0 } stray)
        {
            // Ours: what others staged has stopped the pass before. The order was taken back, or the node is, and nodes would refuse the commit.
            return new ClusterAction.ClearStaged(string.Join(", ", stray));
        }

        var lost = ring.Members.Where(member => Departures.IsLost(cluster, member) && !IsUp(observed, member)).ToImmutableArray();
        if (lost.IsEmpty)
        {
            return null;
        }

        if (LossBudget.WhyNot(ring, lost) is { } closed)
        {
            return new ClusterAction.Postponed(new ClusterAction.BeginLoss(lost), closed);
        }

        if (lost.Any(member => cluster.Status.Operation?.Leaving?.Contains(member.Id) != true))
        {
            return new ClusterAction.BeginLoss(lost);
        }

        return lost.FirstOrDefault(member => ring.Staged.All(staged => staged.LostId != member.Id)) is { } next
            ? StageOf(cluster, observed, ring, next)
            : MembershipPlanner.Commit(ring);
    }

    /// <summary>It answers by this very id: whoever gave it up was wrong.</summary>
    public static bool IsUp(ObservedCluster observed, ObservedMember member) => observed.Nodes.Any(node => node.Answer?.Id == member.Id);

    private static bool IsStillLost(Cluster cluster, ObservedCluster observed, ObservedRing ring, string id) =>
        cluster.Spec.LostNodes?.Contains(id) == true && !(ring.MemberById(id) is { } member && IsUp(observed, member));

    private static ClusterAction StageOf(Cluster cluster, ObservedCluster observed, ObservedRing ring, ObservedMember lost)
    {
        var shares = ZoneShares.Of(cluster.Spec, observed.Workloads);
        return observed.Nodes.FirstOrDefault(node => node.Name == lost.Name && node.Ordinal < shares[node.Zone]) switch
        {
            null => new ClusterAction.StageRemove(lost),
            { Answer: { IsRemoved: false } answer } node when ring.MemberById(answer.Id) is null => new ClusterAction.StageReplace(lost, node),
            var node => ClusterPlanner.Wait([node]),
        };
    }
}
