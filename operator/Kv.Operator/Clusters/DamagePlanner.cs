using System.Globalization;
using Kv.Operator.Api;
using Kv.Operator.Gates;

namespace Kv.Operator.Clusters;

/// <summary>
/// Partitions that their owner found damaged or gone, and which are rebuilt from their other copies. What it has left of them goes by that, for good: so only where every write that a quorum acknowledged is certain to
/// be in another copy, and while no member is away, since that one may turn out to be dead. All else takes a person's word. One after another, since an order begins every rebuild of the ring anew; but whatever partitions
/// move, since these wait for a damaged one. Pure.
/// </summary>
internal static class DamagePlanner
{
    /// <summary>What can be rebuilt now. Null too where it has to wait, or for a person: nothing else is held up by that.</summary>
    public static ClusterAction.RebuildPartition? Next(ObservedCluster observed, ObservedRing ring) =>
        ring is { Converged: true, NVals.IsEmpty: false } ? Damaged(observed, ring).FirstOrDefault(rebuild => IsTurnOf(ring, rebuild.Partition) && WhyNot(observed, ring, rebuild.Partition) is null) : null;

    /// <summary>What nothing but a person, or a member that comes back, brings on. Told when all else is done.</summary>
    public static ClusterAction? Left(ObservedCluster observed, ObservedRing ring) =>
        Damaged(observed, ring).FirstOrDefault() is { } rebuild && WhyNot(observed, ring, rebuild.Partition) is { } why ? new ClusterAction.Postponed(rebuild, why) : null;

    /// <summary>Whether the node owns the partition; else it held it for another.</summary>
    public static bool IsOwned(ObservedRing ring, NodeAnswer answer, int partition) =>
        partition < ring.Owners.Length && ring.Owners[partition] < ring.Members.Length && ring.Members[ring.Owners[partition]].Id == answer.Id;

    /// <summary>Why the first of what is damaged is not rebuilt without a person; null where it is, or nothing is damaged.</summary>
    public static string? WhyNot(ObservedCluster observed, ObservedRing ring) =>
        Damaged(observed, ring).FirstOrDefault() is { } rebuild ? WhyNot(observed, ring, rebuild.Partition)?.Message : WhyHeld(observed, ring)?.Message;

    /// <summary>Of those that are not being rebuilt: an order that is repeated would have it begin anew.</summary>
    private static IEnumerable<ClusterAction.RebuildPartition> Damaged(ObservedCluster observed, ObservedRing ring) =>
        observed.Nodes.SelectMany(node => node.Answer is { } answer
            ? answer.Damaged.Where(partition => IsOwned(ring, answer, partition) && !ring.Rebuilding.Contains(partition)).Order().Select(partition => new ClusterAction.RebuildPartition(node, partition))
            : []);

    /// <summary>Rebuilds that share keys wait for each other's order; any other waits for those that are under way.</summary>
    private static bool IsTurnOf(ObservedRing ring, int partition)
    {
        var reach = ring.NVals.Max();
        return ring.Rebuilding.IsEmpty || ring.Rebuilding.Any(other => Math.Abs(other - partition) is var apart && Math.Min(apart, ring.Owners.Length - apart) < reach);
    }

    private static GateVerdict.Closed? WhyNot(ObservedCluster observed, ObservedRing ring, int partition) => WhyAway(ring) ?? WhyHeld(observed, ring) ?? WhyLost(ring, partition);

    /// <summary>A member that one peer does not reach may be one that the owner does not reach either, which then would not ask it what it has.</summary>
    private static GateVerdict.Closed? WhyAway(ObservedRing ring)
    {
        var away = ring.Members.Where(member => member.State != MemberState.Joining && (member.SeenDownBy > 0 || !LossBudget.IsUp(member))).Select(member => $"{member.Name} (node {member.Id})").ToList();
        return away.Count == 0 ? null : Closed(Conditions.Reasons.NodesDown, $"a rebuild asks every member, and {string.Join(", ", away)} is away: it waits until that one is back, or in spec.lostNodes");
    }

    /// <summary>Rebuilds nearby wait until it is given up.</summary>
    private static GateVerdict.Closed? WhyHeld(ObservedCluster observed, ObservedRing ring)
    {
        var held = observed.Nodes.Where(node => node.Answer is { } answer && answer.Damaged.Any(partition => !IsOwned(ring, answer, partition))).Select(node => node.Name).ToList();
        return held.Count == 0 ? null : Closed(Conditions.Reasons.DataDamaged, $"what {string.Join(", ", held)} held of it for others is given up at a person's word: kv cluster rebuild");
    }

    /// <summary>
    /// A write that a quorum acknowledged is on n / 2 + 1 owners of its list: with n - n / 2 of them whole one of these has it. The owner asks the members itself and refuses where no copy is left of any range; that is
    /// seen here first, so that a refusal does not come in the way of all else.
    /// </summary>
    private static GateVerdict.Closed? WhyLost(ObservedRing ring, int partition)
    {
        foreach (var (first, n, whole) in RingHealth.ListsWithout(ring))
        {
            var has = (partition - first + ring.Owners.Length) % ring.Owners.Length < n;
            var needed = has ? n - (n / 2) : 1;
            if (whole < needed)
            {
                return Closed(
                    Conditions.Reasons.DataLoss,
                    string.Create(CultureInfo.InvariantCulture, $"of the {n} copies from partition {first} on {whole} are whole, and it takes {needed} to be certain of all that was acknowledged: what is damaged is given up at a person's word: kv cluster rebuild"));
            }
        }

        return null;
    }

    private static GateVerdict.Closed Closed(string reason, string message) => new(reason, message, IsPassing: false);
}
