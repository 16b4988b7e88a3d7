using System.Collections.Immutable;
using System.Text;
using Kv.Core.Rings;
using static Kv.Core.Membership.DocumentRules;

namespace Kv.Core.Membership;

/// <summary>The changes of members and ring: stage → plan → commit → transfers (riak_core_claimant; Riak 1.5 and 1.6).</summary>
internal static class MemberRules
{
    public static DocumentChangeResult StageJoin(ClusterDocument document, Member node)
    {
        if (WhyInvalid(node) is { } why)
        {
            return Refused(RefusalReason.InvalidMember, why);
        }

        var joining = node with { State = MemberState.Joining };
        if (document.FindMember(node.Id) is { } known)
        {
            return known.State == MemberState.Joining ? Rejoin(document, known, joining) : JoinOfMember(document, known);
        }

        if (NameTaken(document, node) is { } taken)
        {
            return taken;
        }

        if (document.Members.Length == ClusterDocument.MaxMembers)
        {
            return Refused(RefusalReason.TooManyMembers, $"the cluster has {ClusterDocument.MaxMembers} members, the most there can be");
        }

        return Changed(document, document with
        {
            Members = document.Members.Add(joining).Sort((a, b) => a.Id.CompareTo(b.Id)),
            Staged = AddStaged(document, new StagedChange.Join(node.Id)),
        });
    }

    public static DocumentChangeResult StageLeave(ClusterDocument document, NodeId node)
    {
        if (document.FindMember(node) is not { } member)
        {
            return Refused(RefusalReason.NotMember, $"{node} is not a member");
        }

        switch (FindStaged(document, node))
        {
            case StagedChange.Leave:
                return Unchanged;
            case StagedChange.Remove:
                return Refused(RefusalReason.AlreadyLeaving, $"the removal of {member.Name} is staged already; clear what is staged first");
        }

        if (LossRules.ReplacementOf(document, node) is { } replacement)
        {
            return Refused(RefusalReason.AlreadyReplacement, $"{replacement.Joining} is staged to replace {member.Name}; clear what is staged first");
        }

        switch (member.State)
        {
            case MemberState.Joining:
                return Refused(RefusalReason.NotMember, $"{member.Name} has not joined yet; clear what is staged to take its join back");
            case MemberState.Leaving or MemberState.Exiting:
                return Refused(RefusalReason.AlreadyLeaving, $"{member.Name} is leaving already");
            case MemberState.Down:
                return Refused(RefusalReason.MemberDown, $"{member.Name} is marked down and cannot give its data away; bring it back first");
        }

        var staying = document.Members.Any(m => m.Id != node && WillClaim(document, m));
        return staying
            ? Changed(document, document with { Staged = AddStaged(document, new StagedChange.Leave(node)) })
            : Refused(RefusalReason.OnlyMember, $"{member.Name} is the only member that would stay");
    }

    public static DocumentChangeResult ClearStaged(ClusterDocument document) => document.Staged.IsEmpty
        ? Unchanged
        : Changed(document, document with { Staged = [], Members = document.Members.RemoveAll(m => m.State == MemberState.Joining) });

    public static DocumentChangeResult CommitPlan(ClusterDocument document, string planId)
    {
        var plan = ClusterPlan.Compute(document);
        if (plan?.Id != planId)
        {
            return (plan, planId) switch
            {
                (_, not "") when planId == document.LastCommittedPlanId => Unchanged,
                (null, _) => Refused(RefusalReason.NothingPlanned, "nothing is staged"),
                _ => Refused(RefusalReason.PlanChanged, $"plan {planId} is not what is staged now, which is plan {plan.Id}: look at it and commit that"),
            };
        }

        // The dead cannot be waited for: transfers from and to them end with this plan only.
        var pending = RingTransition.Pending(document.Ring).Length + document.Ring.Rebuilding.Length;
        if (pending > 0 && !plan.IsUrgent)
        {
            return Refused(RefusalReason.PendingTransfers, $"{pending} partitions of an earlier plan are still on their way");
        }

        var after = plan.Members.ToDictionary(m => m.Id, m => m.StateAfter);
        return Changed(document, WithExits(document with
        {
            Ring = plan.Ring,
            Members = [.. document.Members.Where(m => after[m.Id] is not null).Select(m => m with { State = after[m.Id]!.Value })],
            Staged = [],
            LastCommittedPlanId = plan.Id,
        }));
    }

    public static DocumentChangeResult CompleteTransfers(ClusterDocument document, ImmutableArray<Transfer> transfers)
    {
        var ring = RingTransition.Complete(document.Ring, transfers);
        return ReferenceEquals(ring, document.Ring) ? Unchanged : Changed(document, WithExits(document with { Ring = ring }));
    }

    public static DocumentChangeResult SetEndpoints(ClusterDocument document, NodeId node, ImmutableSortedDictionary<string, string> endpoints)
    {
        if (document.FindMember(node) is not { } member)
        {
            return Refused(RefusalReason.NotMember, $"{node} is not a member");
        }

        var moved = member with { Endpoints = endpoints };
        if (WhyInvalid(moved) is { } why)
        {
            return Refused(RefusalReason.InvalidMember, why);
        }

        return SameEndpoints(member, moved) ? Unchanged : Changed(document, WithMember(document, moved));
    }

    public static DocumentChangeResult MarkDown(ClusterDocument document, NodeId node)
    {
        if (document.FindMember(node) is not { } member)
        {
            return Refused(RefusalReason.NotMember, $"{node} is not a member");
        }

        if (member.State == MemberState.Down)
        {
            return Unchanged;
        }

        if (member.State != MemberState.Valid)
        {
            return Refused(RefusalReason.NotValid, $"{member.Name} is {Word(member.State)}; only a valid member can be marked down");
        }

        return document.Members.Any(m => m.Id != node && m.State == MemberState.Valid)
            ? Changed(document, WithMember(document, member with { State = MemberState.Down }) with { Staged = document.Staged.Remove(new StagedChange.Leave(node)) })
            : Refused(RefusalReason.OnlyMember, $"{member.Name} is the only valid member");
    }

    public static DocumentChangeResult MarkUp(ClusterDocument document, NodeId node) => document.FindMember(node) switch
    {
        null => Refused(RefusalReason.NotMember, $"{node} is not a member"),
        { State: MemberState.Down } member => Changed(document, WithMember(document, member with { State = MemberState.Valid })),
        _ => Unchanged,
    };

    /// <summary>Forgetting a node that is forgotten already changes nothing: ids are never used twice.</summary>
    public static DocumentChangeResult ConfirmExit(ClusterDocument document, NodeId node) => document.FindMember(node) switch
    {
        null => Unchanged,
        { State: MemberState.Exiting } => Changed(document, LossRules.Without(document, node)),
        var member => Refused(RefusalReason.NotExiting, $"{member.Name} is {Word(member.State)}, not exiting"),
    };

    /// <summary>Why a member's description cannot be taken; null where it can.</summary>
    public static string? WhyInvalid(Member member)
    {
        if (member.Id == NodeId.None)
        {
            return "a member's id is not zero";
        }

        if (member.Name.Length == 0 || Encoding.UTF8.GetByteCount(member.Name) > MaxNameBytes || Encoding.UTF8.GetByteCount(member.Zone) > MaxNameBytes)
        {
            return $"a member's name has 1 to {MaxNameBytes} bytes and its zone at most {MaxNameBytes}";
        }

        return member.Endpoints.Count > MaxEndpoints || member.Endpoints.Any(e => e.Key.Length > MaxNameBytes || e.Value.Length > 2 * MaxNameBytes)
            ? $"a member has at most {MaxEndpoints} endpoints of at most {2 * MaxNameBytes} characters"
            : null;
    }

    /// <summary>Whether a member is to own partitions once what is staged is committed. A member marked down still counts, as in Riak: it is expected back.</summary>
    public static bool WillClaim(ClusterDocument document, Member member) => member.State switch
    {
        MemberState.Joining => FindStaged(document, member.Id) is StagedChange.Join or StagedChange.Replace,
        MemberState.Valid or MemberState.Down =>
            FindStaged(document, member.Id) is not (StagedChange.Leave or StagedChange.Remove) && LossRules.ReplacementOf(document, member.Id) is null,
        _ => false,
    };

    public static StagedChange? FindStaged(ClusterDocument document, NodeId node) => document.Staged.FirstOrDefault(s => s.Node == node);

    private static DocumentChangeResult Rejoin(ClusterDocument document, Member known, Member joining)
    {
        if (known.Name == joining.Name && known.Zone == joining.Zone && SameEndpoints(known, joining))
        {
            return Unchanged;
        }

        return NameTaken(document, joining, FindStaged(document, joining.Id)?.Lost) ?? Changed(document, WithMember(document, joining));
    }

    private static DocumentChangeResult JoinOfMember(ClusterDocument document, Member known)
    {
        if (document.Members.Length == 1)
        {
            return Refused(RefusalReason.SelfJoin, $"{known.Name} cannot join itself");
        }

        // A member that is or was valid has joined: the request is an old one that was sent again.
        return known.State is MemberState.Leaving or MemberState.Exiting
            ? Refused(RefusalReason.AlreadyLeaving, $"{known.Name} is leaving; it can join anew as a new node when it is gone")
            : Unchanged;
    }

    /// <summary>A replacement may have the name of whom it replaces.</summary>
    public static DocumentChangeResult? NameTaken(ClusterDocument document, Member node, NodeId? dead = null)
    {
        var other = document.Members.FirstOrDefault(m => m.Id != node.Id && m.Id != dead && m.Name == node.Name);
        return other is null ? null : Refused(RefusalReason.NameTaken, $"{other.Id} is a member named {node.Name} already, and {node.Id} is another node");
    }

    /// <summary>A leaving member that owns nothing, now or next, has left: it may be stopped.</summary>
    private static ClusterDocument WithExits(ClusterDocument document)
    {
        var owning = document.Ring.Owners.Concat(document.Ring.NextOwners).ToHashSet();
        return document with
        {
            Members =
            [
                .. document.Members.Select(m => m.State == MemberState.Leaving && !owning.Contains(m.Id) ? m with { State = MemberState.Exiting } : m),
            ],
        };
    }

    public static ClusterDocument WithMember(ClusterDocument document, Member changed) =>
        document with { Members = [.. document.Members.Select(m => m.Id == changed.Id ? changed : m)] };

    /// <summary>With the change in place of another of the same node.</summary>
    public static ImmutableArray<StagedChange> AddStaged(ClusterDocument document, StagedChange change) =>
        document.Staged.RemoveAll(s => s.Node == change.Node).Add(change).Sort((a, b) => a.Node.CompareTo(b.Node));

    public static bool SameEndpoints(Member a, Member b) => a.Endpoints.SequenceEqual(b.Endpoints);

    public static string Word(MemberState state) => state switch
    {
        MemberState.Joining => "joining",
        MemberState.Valid => "valid",
        MemberState.Leaving => "leaving",
        MemberState.Exiting => "exiting",
        _ => "down",
    };
}
