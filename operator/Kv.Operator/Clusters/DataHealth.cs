using Kv.Operator.Api.Clusters;
using static Kv.Operator.Api.Conditions;

namespace Kv.Operator.Clusters;

/// <summary>Whether the copies that there should be are there, and room for more. Pure.</summary>
internal static class DataHealth
{
    /// <summary>A disk with less than a twentieth of it free.</summary>
    private const int CriticalShare = 20;

    /// <summary>Pressure ends only with a tenth free, so that a disk on the brink does not come and go.</summary>
    private const int RelievedShare = 10;

    public static bool IsDiskCritical(NodeAnswer answer) => IsBelow(answer, CriticalShare);

    /// <summary>
    /// A node that is only away is none of it: its copies are where they were. While one does not answer, what it holds is not known; nor is it False then.
    /// </summary>
    public static (bool? Holds, string Reason, string Message) UnderReplicatedOf(Cluster cluster, ObservedCluster? observed)
    {
        if (observed?.Ring is not { } ring)
        {
            return (null, Reasons.NoRing, "no ring was seen");
        }

        if (DamageOf(cluster, observed, ring) is { } damage)
        {
            return (true, Reasons.DataDamaged, damage);
        }

        var lost = ring.Members.Where(member => IsLost(cluster, observed, member)).Select(member => member.Name).ToList();
        if (lost.Count > 0)
        {
            return (true, Reasons.NodesLost, $"lost with all that they held: {string.Join(", ", lost)}");
        }

        if (!ring.Rebuilding.IsEmpty)
        {
            return (true, Reasons.Rebuilding, "partitions are rebuilt from their other copies");
        }

        var silent = ring.Members.Where(member => member.State != MemberState.Joining && !observed.Nodes.Any(node => node.Answer?.Id == member.Id)).Select(member => member.Name).ToList();
        return silent.Count > 0
            ? (null, Reasons.NodesUnreachable, $"what they hold is not known: {string.Join(", ", silent)}")
            : (false, Reasons.AsExpected, "");
    }

    public static (bool? Holds, string Reason, string Message) DiskPressureOf(Cluster cluster, ObservedCluster? observed)
    {
        if (observed is null)
        {
            return (null, Reasons.NotObserved, "the cluster could not be looked at");
        }

        var full = observed.Nodes.Where(node => IsPressed(node, cluster.Status.NodeStatuses?.Find(before => before.Name == node.Name))).Select(node => node.Name).ToList();
        return full.Count > 0 ? (true, Reasons.DiskCritical, $"nearly full: the disk of {string.Join(", ", full)}") : (false, Reasons.AsExpected, "");
    }

    /// <summary>Where data is damaged, and who has it made anew: without a person, but for what nobody else may have. Null where none is.</summary>
    private static string? DamageOf(Cluster cluster, ObservedCluster observed, ObservedRing ring)
    {
        var damaged = observed.Nodes.Where(node => node.Answer is { Damaged.IsEmpty: false }).ToList();
        if (damaged.Count == 0)
        {
            return null;
        }

        var where = $"data is damaged or gone on {string.Join(", ", damaged.Select(node => $"{node.Name} ({node.Answer!.Damaged.Length} partitions)"))}";
        var word = cluster.Spec.Paused ? "spec.paused is true, and kv cluster rebuild has it made anew" : DamagePlanner.WhyNot(observed, ring) ?? "it is rebuilt from the other copies";
        return $"{where}; {word}";
    }

    /// <summary>Each node's own, since one disk's recovery tells nothing of another's; a node that does not answer stays what it was.</summary>
    public static bool IsPressed(ObservedNode node, NodeStatus? before)
    {
        var wasPressed = before?.DiskPressure == true;
        return node.Answer is { } answer ? IsBelow(answer, wasPressed ? RelievedShare : CriticalShare) : wasPressed;
    }

    /// <summary>Given up by a person, or replaced by an empty node of its name.</summary>
    private static bool IsLost(Cluster cluster, ObservedCluster observed, ObservedMember member) =>
        (Departures.IsLost(cluster, member) && !LossPlanner.IsUp(observed, member))
        || observed.Nodes.Any(node => node.Name == member.Name && node.Answer is { ClusterId.Length: 0 } answer && answer.Id != member.Id);

    private static bool IsBelow(NodeAnswer answer, int share) => answer.FreeBytes < ((double)answer.FreeBytes + answer.DataBytes) / share;
}
