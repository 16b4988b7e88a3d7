using System.Collections.Immutable;
using Kv.Core.Rings;
using static Kv.Core.Membership.DocumentRules;

namespace Kv.Core.Membership;

/// <summary>
/// What is done about members that are dead and do not come back: replaced, or removed (riak_core_claimant's force-replace and force-remove; Riak 1.6). Their
/// partitions get owners at once that hold nothing, and rebuild them from the other replicas.
/// </summary>
internal static class LossRules
{
    public static DocumentChangeResult StageReplace(ClusterDocument document, NodeId dead, Member node)
    {
        if (MemberRules.WhyInvalid(node) is { } why)
        {
            return Refused(RefusalReason.InvalidMember, why);
        }

        if (WhyNotLost(document, dead) is { } refused)
        {
            return refused;
        }

        var change = new StagedChange.Replace(node.Id, dead);
        var joining = node with { State = MemberState.Joining };
        var known = document.FindMember(node.Id);
        if (known is not null and not { State: MemberState.Joining })
        {
            return Refused(RefusalReason.AlreadyReplacement, $"{known.Name} ({known.Id}) is a member already; only a new node can replace another");
        }

        if (MemberRules.FindStaged(document, node.Id) is StagedChange.Replace other && other.Dead != dead)
        {
            return Refused(RefusalReason.AlreadyReplacement, $"{node.Name} is staged to replace {other.Dead} already");
        }

        if (ReplacementOf(document, dead) is { } first && first.Joining != node.Id)
        {
            return Refused(RefusalReason.AlreadyReplacement, $"{first.Joining} is staged to replace {dead} already");
        }

        if (MemberRules.NameTaken(document, node, dead) is { } taken)
        {
            return taken;
        }

        if (known is null && document.Members.Length == ClusterDocument.MaxMembers)
        {
            return Refused(RefusalReason.TooManyMembers, $"the cluster has {ClusterDocument.MaxMembers} members, the most there can be");
        }

        if (known is not null && IsSame(known, joining) && document.Staged.Contains(change))
        {
            return Unchanged;
        }

        var without = document with { Staged = document.Staged.RemoveAll(s => s.Node == dead) };
        var with = known is null
            ? without with { Members = without.Members.Add(joining).Sort((a, b) => a.Id.CompareTo(b.Id)) }
            : MemberRules.WithMember(without, joining);
        return Changed(document, with with { Staged = MemberRules.AddStaged(with, change) });
    }

    public static DocumentChangeResult StageRemove(ClusterDocument document, NodeId dead)
    {
        if (WhyNotLost(document, dead) is { } refused)
        {
            return refused;
        }

        var change = new StagedChange.Remove(dead);
        if (document.Staged.Contains(change))
        {
            return Unchanged;
        }

        if (ReplacementOf(document, dead) is { } replacement)
        {
            return Refused(RefusalReason.AlreadyReplacement, $"{replacement.Joining} is staged to replace {dead}; clear what is staged first");
        }

        return document.Members.Any(m => m.Id != dead && MemberRules.WillClaim(document, m))
            ? Changed(document, document with { Staged = MemberRules.AddStaged(document, change) })
            : Refused(RefusalReason.OnlyMember, $"{document.FindMember(dead)!.Name} is the only member that would stay");
    }

    public static DocumentChangeResult BeginRebuild(ClusterDocument document, DocumentChange.BeginRebuild change)
    {
        var ring = document.Ring;
        if (change.Partitions.Any(partition => partition.Number < 0 || partition.Number >= ring.Size || ring.Owner(partition) != change.Owner))
        {
            return Refused(RefusalReason.PlanChanged, $"partitions {string.Join(", ", change.Partitions)} are not all {change.Owner}'s");
        }

        // What others have sent of earlier losses counts no more, since this one may have taken it; nor what was sent of the same partition, where it is lost once more while it is rebuilt.
        if (change.PlannedAt == ring.PlannedAt && !change.Partitions.IsEmpty)
        {
            return Changed(document, document with { Ring = new Ring(ring.Owners, ring.NextOwners, [.. ring.Rebuilding.Union(change.Partitions).Order()], ClusterPlan.NextPlannedAt(document)) });
        }

        return change.Partitions.All(ring.IsRebuilding) ? Unchanged : Refused(RefusalReason.PlanChanged, "another plan was committed meanwhile: look again");
    }

    public static DocumentChangeResult CompleteRebuild(ClusterDocument document, DocumentChange.CompleteRebuild change)
    {
        var ring = RingTransition.CompleteRebuild(document.Ring, change.Owner, change.Partitions, change.PlannedAt);
        return ReferenceEquals(ring, document.Ring) ? Unchanged : Changed(document, document with { Ring = ring });
    }

    /// <summary>Ranges of keys all of whose owners would be without their data.</summary>
    public static ImmutableArray<LostKeys> LostKeys(ClusterDocument document, Ring ring)
    {
        var lost = ImmutableArray.CreateBuilder<LostKeys>();
        foreach (var n in DocumentRules.ReplicaCounts(document))
        {
            var ranges = Enumerable.Range(0, ring.Size)
                .Count(first => PreferenceList.Primaries(ring, new PartitionId(first), n).All(primary => ring.IsRebuilding(primary.Partition)));
            if (ranges > 0)
            {
                lost.Add(new LostKeys(n, ranges));
            }
        }

        return lost.ToImmutable();
    }

    public static StagedChange.Replace? ReplacementOf(ClusterDocument document, NodeId dead) =>
        document.Staged.OfType<StagedChange.Replace>().FirstOrDefault(r => r.Dead == dead);

    /// <summary>Without the member, and without what is staged about it; a node that was to replace it is taken back too.</summary>
    public static ClusterDocument Without(ClusterDocument document, NodeId node)
    {
        var replacement = ReplacementOf(document, node)?.Joining;
        return document with
        {
            Members = document.Members.RemoveAll(m => m.Id == node || m.Id == replacement),
            Staged = document.Staged.RemoveAll(s => s.Node == node || s.Node == replacement),
        };
    }

    private static DocumentChangeResult? WhyNotLost(ClusterDocument document, NodeId dead) => document.FindMember(dead) switch
    {
        null => Refused(RefusalReason.NotMember, $"{dead} is not a member"),
        { State: MemberState.Joining } member =>
            Refused(RefusalReason.NotMember, $"{member.Name} has not joined yet; clear what is staged to take its join back"),
        var member when !document.Members.Any(m => m.Id != dead && m.State is MemberState.Valid or MemberState.Leaving) =>
            Refused(RefusalReason.OnlyMember, $"{member.Name} is the only member"),
        _ => null,
    };

    private static bool IsSame(Member known, Member other) =>
        known.Name == other.Name && known.Zone == other.Zone && MemberRules.SameEndpoints(known, other);
}
