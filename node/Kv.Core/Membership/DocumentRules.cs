using System.Collections.Immutable;
using System.Diagnostics;
using Kv.Core.Rings;
using Kv.Core.Security;
using static Kv.Core.Membership.DocumentChange;

namespace Kv.Core.Membership;

/// <summary>
/// What each <see cref="DocumentChange"/> does to a <see cref="ClusterDocument"/>: a pure function, total over the family, so that whoever proposes a
/// change computes the same next version. A change that is sent twice has its effect once. What a document cannot know (who can be reached, who holds
/// which version) is for the caller to check; its words are in <see cref="RefusalReason"/> too.
/// </summary>
public static class DocumentRules
{
    public const int MaxNameBytes = 255;
    public const int MaxEndpoints = 32;

    /// <summary>The document a cluster begins with: version 1, and its first member owns the whole ring.</summary>
    /// <exception cref="ArgumentException">The ring size or the member is not valid.</exception>
    public static ClusterDocument Create(Guid clusterId, string clusterName, int ringSize, Member first)
    {
        if (!Ring.IsValidSize(ringSize))
        {
            throw new ArgumentException($"a ring has a power of two of partitions between {Ring.MinSize} and {Ring.MaxSize}, not {ringSize}", nameof(ringSize));
        }

        if (MemberRules.WhyInvalid(first) is { } why)
        {
            throw new ArgumentException(why, nameof(first));
        }

        var owners = ImmutableArray.CreateRange(Enumerable.Repeat(first.Id, ringSize));
        return new ClusterDocument
        {
            ClusterId = clusterId,
            ClusterName = clusterName,
            Version = 1,
            Ring = new Ring(owners, owners),
            Members = [first with { State = MemberState.Valid }],
        };
    }

    /// <summary>In how many zones are the members that own partitions once what is staged is committed; those that name none are in one.</summary>
    public static int CountZones(ClusterDocument document) =>
        document.Members.Where(m => MemberRules.WillClaim(document, m)).Select(m => m.Zone).Distinct(StringComparer.Ordinal).Count();

    /// <summary>How many members are to own partitions once what is staged is committed.</summary>
    public static int CountOwning(ClusterDocument document) => document.Members.Count(m => MemberRules.WillClaim(document, m));

    /// <summary>The numbers of replicas that buckets can have by this document, each once, the least first.</summary>
    public static ImmutableArray<int> ReplicaCounts(ClusterDocument document) =>
    [
        .. document.BucketTypes.Values.Select(t => t.Props.NVal).Concat(document.Buckets.Values.Select(p => p.NVal)).Append(document.DefaultTypeProps.NVal)
            .Distinct().Order(),
    ];

    /// <summary>Ranges of keys all of whose owners are without their data.</summary>
    public static ImmutableArray<LostKeys> LostKeys(ClusterDocument document) => LossRules.LostKeys(document, document.Ring);

    /// <summary>Applies one change.</summary>
    public static DocumentChangeResult Apply(ClusterDocument document, DocumentChange change) => change switch
    {
        StageJoin join => MemberRules.StageJoin(document, join.Node),
        StageLeave leave => MemberRules.StageLeave(document, leave.Node),
        StageReplace replace => LossRules.StageReplace(document, replace.Dead, replace.Node),
        StageRemove remove => LossRules.StageRemove(document, remove.Dead),
        ConfirmExit exit => MemberRules.ConfirmExit(document, exit.Node),
        BeginRebuild rebuild => LossRules.BeginRebuild(document, rebuild),
        CompleteRebuild rebuild => LossRules.CompleteRebuild(document, rebuild),
        ClearStaged => MemberRules.ClearStaged(document),
        CommitPlan commit => MemberRules.CommitPlan(document, commit.PlanId),
        CompleteTransfers complete => MemberRules.CompleteTransfers(document, complete.Transfers),
        SetEndpoints set => MemberRules.SetEndpoints(document, set.Node, set.Endpoints),
        MarkDown down => MemberRules.MarkDown(document, down.Node),
        MarkUp up => MemberRules.MarkUp(document, up.Node),
        CreateBucketType create => BucketTypeRules.Create(document, create.Name, create.Props),
        ActivateBucketType activate => BucketTypeRules.Activate(document, activate.Name, activate.Props),
        UpdateBucketType update => BucketTypeRules.Update(document, update.Name, update.Props),
        SetBucketProps set => BucketTypeRules.SetBucket(document, set.Bucket, set.Props),
        ResetBucketProps reset => BucketTypeRules.ResetBucket(document, reset.Bucket),
        ChangeSecurity security => WithSecurity(document, security),
        _ => throw new UnreachableException($"no rule for {change.GetType().Name}"),
    };

    /// <summary>
    /// The first law that a document breaks, in words; null where it keeps them all. Checked wherever a document crosses a disk or a network:
    /// every partition has an owner and a next owner that are members, and what should be sorted and unique is.
    /// </summary>
    public static string? WhyBroken(ClusterDocument document)
    {
        if (document.Version < 1)
        {
            return $"version {document.Version}: the first is 1";
        }

        if (document.Members.Length is 0 or > ClusterDocument.MaxMembers)
        {
            return $"{document.Members.Length} members: between 1 and {ClusterDocument.MaxMembers}";
        }

        for (var i = 1; i < document.Members.Length; i++)
        {
            if (document.Members[i - 1].Id >= document.Members[i].Id)
            {
                return $"member {document.Members[i].Id} is out of order";
            }
        }

        for (var i = 1; i < document.Staged.Length; i++)
        {
            if (document.Staged[i - 1].Node >= document.Staged[i].Node)
            {
                return $"the staged change of {document.Staged[i].Node} is out of order";
            }
        }

        return WhyRingBroken(document) ?? WhyTypesBroken(document) ?? SecurityLimits.WhyBroken(document.Security);
    }

    /// <summary>The document one version on, after a change that keeps its laws.</summary>
    internal static DocumentChangeResult Changed(ClusterDocument document, ClusterDocument changed)
    {
        var next = changed with { Version = document.Version + 1 };
        if (WhyBroken(next) is { } law)
        {
            throw new UnreachableException($"a change would break the cluster document: {law}");
        }

        return new DocumentChangeResult.Changed(next);
    }

    private static DocumentChangeResult WithSecurity(ClusterDocument document, ChangeSecurity change)
    {
        switch (SecurityRules.Apply(document.Security, change.Change))
        {
            case SecurityChangeResult.Refused refused:
                return Refused(refused.Reason, refused.Message);
            case SecurityChangeResult.Done done when SecurityLimits.WhyTooLong(done.State) is { } tooLong:
                return Refused(SecurityRefusal.TooMany, tooLong);
            case SecurityChangeResult.Done done when !done.State.HasSameContent(document.Security):
                return document.Security.IsEmpty && document.Members.FirstOrDefault(member => !change.Knowing.Contains(member.Id)) is { } other
                    ? Refused(SecurityRefusal.NotSupported, $"{other.Name} was not asked whether it knows of security; try again")
                    : Changed(document, document with { Security = done.State });
            default:
                return Unchanged;
        }
    }

    internal static DocumentChangeResult Unchanged { get; } = new DocumentChangeResult.Unchanged();

    internal static DocumentChangeResult Refused(string reason, string message) => new DocumentChangeResult.Refused(reason, message);

    private static string? WhyRingBroken(ClusterDocument document)
    {
        var members = document.Members.Where(m => m.State != MemberState.Joining).Select(m => m.Id).ToHashSet();
        for (var number = 0; number < document.Ring.Size; number++)
        {
            if (!members.Contains(document.Ring.Owners[number]) || !members.Contains(document.Ring.NextOwners[number]))
            {
                return $"partition {number} belongs to {document.Ring.Owners[number]}, next {document.Ring.NextOwners[number]}: not both are members";
            }
        }

        foreach (var staged in document.Staged)
        {
            if (document.FindMember(staged.Node) is null || (staged.Lost is { } lost && document.FindMember(lost) is null))
            {
                return $"a change of {staged.Node} is staged, which is no member, or of one that it replaces";
            }
        }

        return WhyRebuildingBroken(document.Ring);
    }

    private static string? WhyRebuildingBroken(Ring ring)
    {
        for (var i = 0; i < ring.Rebuilding.Length; i++)
        {
            var partition = ring.Rebuilding[i];
            if (partition.Number < 0 || partition.Number >= ring.Size || (i > 0 && ring.Rebuilding[i - 1] >= partition))
            {
                return $"partition {partition}, which is rebuilt, is out of order or beyond the ring";
            }
        }

        return null;
    }

    private static string? WhyTypesBroken(ClusterDocument document)
    {
        if (document.BucketTypes.Count > ClusterDocument.MaxBucketTypes)
        {
            return $"{document.BucketTypes.Count} bucket types: at most {ClusterDocument.MaxBucketTypes}";
        }

        return document.Buckets.Count > ClusterDocument.MaxBuckets
            ? $"{document.Buckets.Count} buckets with properties of their own: at most {ClusterDocument.MaxBuckets}"
            : null;
    }
}
