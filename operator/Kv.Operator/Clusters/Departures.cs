using System.Collections.Immutable;
using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Clusters;

/// <summary>
/// Which members are to leave: those that the spec names, and the last of each zone where it has no room for them. StatefulSets take away their highest ordinal only, so where
/// a named one is in the middle, the last stays until a new node has taken that place. Pure.
/// </summary>
internal static class Departures
{
    /// <summary>
    /// Those that have still to be staged or committed; who is leaving already is not among them. As many at once as the spec has no room for; of named ones, one at
    /// least, but none while the place of another has still to be taken.
    /// </summary>
    public static ImmutableArray<ObservedMember> Of(Cluster cluster, ObservedCluster observed, ObservedRing ring)
    {
        var excess = Staying(cluster, ring) + Joinable(cluster, observed, ring).Count() - cluster.Spec.Nodes;
        if (excess < 0)
        {
            return [];
        }

        var named = ring.Members.Where(member => CanLeave(cluster, member) && cluster.Spec.LeavingNodes?.Contains(member.Id) == true).Take(Math.Max(1, excess)).ToImmutableArray();
        var shares = ZoneShares.Of(cluster.Spec, observed.Workloads);
        var last = observed.Nodes
            .Where(node => node.Ordinal >= shares[node.Zone])
            .OrderByDescending(node => node.Ordinal)
            .Select(node => ring.MemberByName(node.Name))
            .OfType<ObservedMember>()
            .Where(member => CanLeave(cluster, member) && !named.Contains(member));
        return [.. named, .. last.Take(Math.Max(0, excess - named.Length))];
    }

    /// <summary>Nodes that the spec has room for and that could join: empty ones, whose name is not a member's.</summary>
    public static IEnumerable<ObservedNode> Joinable(Cluster cluster, ObservedCluster observed, ObservedRing ring)
    {
        var shares = ZoneShares.Of(cluster.Spec, observed.Workloads);
        return observed.Nodes.Where(node =>
            node.Ordinal < shares[node.Zone]
            && node.Answer is { IsRemoved: false } answer
            && ring.MemberById(answer.Id) is null
            && ring.MemberByName(node.Name) is null);
    }

    /// <summary>Members that neither leave nor are given up; those that join are among them.</summary>
    public static int Staying(Cluster cluster, ObservedRing ring) =>
        ring.Members.Count(member => member.State is not (MemberState.Leaving or MemberState.Exiting) && !IsLost(cluster, member));

    public static bool IsLost(Cluster cluster, ObservedMember member) => cluster.Spec.LostNodes?.Contains(member.Id) == true;

    /// <summary>The dead hand nothing over.</summary>
    private static bool CanLeave(Cluster cluster, ObservedMember member) => member.State is MemberState.Valid or MemberState.Down && !IsLost(cluster, member);
}
