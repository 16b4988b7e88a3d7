using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>Members that go, are away, or come back (riak_core_claimant; Riak 1.5 and 1.6).</summary>
public sealed partial class ClusterAdmin
{
    /// <summary>How many other members have to know that a member is exiting before it is forgotten.</summary>
    private const int ExitWitnesses = 2;

    /// <summary>
    /// Stages that members leave. Refused where a member that stays is away (`member_down`), the document is not everywhere (`ring_not_ready`), partitions are on
    /// their way (`pending_transfers`), a member has not the room for what it is to take (`no_space`), fewer members would stay than some bucket has replicas
    /// (`too_few_members`), or fewer zones than replicas are spread over now (`too_few_zones`), these two unless <paramref name="allowFewerReplicas"/>, the last one
    /// unless <paramref name="allowFewerZones"/>, where a node of that zone is to join again.
    /// </summary>
    public async ValueTask<AdminResult<PlanView>> StageLeaveAsync(IReadOnlyList<NodeId> nodes, bool allowFewerReplicas, bool allowFewerZones, CancellationToken cancel)
    {
        if (state.Current.Document is not { } document)
        {
            return NotInCluster;
        }

        var staged = document;
        foreach (var node in nodes)
        {
            switch (DocumentRules.Apply(staged, new DocumentChange.StageLeave(node)))
            {
                case DocumentChangeResult.Refused refused:
                    return new AdminRefusal(KindOf(refused.Reason), refused.Reason, refused.Message);
                case DocumentChangeResult.Changed changed:
                    staged = changed.Document;
                    break;
            }
        }

        if (!allowFewerReplicas && (WhyTooFew(document, staged) ?? (allowFewerZones ? null : WhyTooFewZones(document, staged))) is { } tooFew)
        {
            return tooFew;
        }

        return await CheckLeaveAsync(staged, cancel) is { } refusal
            ? refusal
            : await StageAsync(nodes.Select(node => new DocumentChange.StageLeave(node)), cancel);
    }

    /// <summary>Marks a member that cannot be reached as down, so that the others need not wait for it; refused `is_up` where this node reaches it.</summary>
    public async ValueTask<AdminResult<ClusterView>> MarkDownAsync(NodeId node, CancellationToken cancel)
    {
        if (state.Current.IsUp(node) && state.Current.Document?.FindMember(node) is { State: not MemberState.Down } member)
        {
            return new AdminRefusal(AdminRefusalKind.FailedPrecondition, RefusalReason.IsUp, $"{member.Name} is up: this node reaches it");
        }

        return await ChangeAsync(new DocumentChange.MarkDown(node), cancel) is { } refusal ? refusal : GetCluster();
    }

    /// <summary>A member that returns says so itself; this is for an administrator who marked the wrong one.</summary>
    public async ValueTask<AdminResult<ClusterView>> MarkUpAsync(NodeId node, CancellationToken cancel) =>
        await ChangeAsync(new DocumentChange.MarkUp(node), cancel) is { } refusal ? refusal : GetCluster();

    /// <summary>
    /// Forgets an exiting member, once it says that it holds nothing and two other members (or all others, where they are fewer) show that they know of its exit.
    /// Refused `not_exiting`, `holds_data`, `not_reachable`, `ring_not_ready`. A node that is no member is forgotten already, which a majority of the members has to
    /// say: this one may not have heard yet that it joined.
    /// </summary>
    public async ValueTask<AdminResult<ClusterView>> ConfirmExitAsync(NodeId node, CancellationToken cancel)
    {
        if (state.Current.Document?.FindMember(node) is null && await CatchUpAsync(cancel) is { } unknown)
        {
            return unknown;
        }

        if (state.Current.Document is not { } document)
        {
            return NotInCluster;
        }

        // Refused by this document, and not only by the newest, which may say meanwhile that the member is exiting: nobody has asked it then what it holds.
        if (document.FindMember(node) is not { } leaver)
        {
            return GetCluster();
        }

        if (DocumentRules.Apply(document, new DocumentChange.ConfirmExit(node)) is DocumentChangeResult.Refused refused)
        {
            return new AdminRefusal(KindOf(refused.Reason), refused.Reason, refused.Message);
        }

        if (await WhyNotGoneAsync(document, leaver, cancel) is { } notGone)
        {
            return notGone;
        }

        return await ChangeAsync(new DocumentChange.ConfirmExit(node), cancel) is { } refusal ? refusal : GetCluster();
    }

    internal PeerReply.Holdings GetHoldings() => new(
        space().FreeBytes,
        [
            .. host.Open.Select(v => new PartitionHolding(v.Partition, v.ApproximateCount, v.ApproximateBytes))
                .Concat(host.Damaged.Keys.Select(PartitionHolding.Damaged)).OrderBy(held => held.Partition),
        ]);

    internal PeerReply.Volume GetVolume() => new(space());

    private static AdminRefusal? WhyTooFew(ClusterDocument before, ClusterDocument after)
    {
        var replicas = DocumentRules.ReplicaCounts(before)[^1];
        var (had, stay) = (DocumentRules.CountOwning(before), DocumentRules.CountOwning(after));
        return had >= replicas && stay < replicas
            ? new AdminRefusal(
                AdminRefusalKind.FailedPrecondition, RefusalReason.TooFewMembers, $"{stay} members would stay, and buckets have up to {replicas} replicas, each to be on its own node")
            : null;
    }

    /// <summary>Where the members had zones enough for replicas each in its own, those that stay are to have them too; and no zone is given up where there were fewer.</summary>
    private static AdminRefusal? WhyTooFewZones(ClusterDocument before, ClusterDocument after)
    {
        var had = Math.Min(DocumentRules.CountZones(before), ClusterPlan.NValPerZone);
        var stay = DocumentRules.CountZones(after);
        return stay < had
            ? new AdminRefusal(
                AdminRefusalKind.FailedPrecondition, RefusalReason.TooFewZones, $"members would stay in {stay} zones, and replicas are to be in {had}, each in its own")
            : null;
    }

    /// <summary>What a document cannot know about a leave that it has staged: who is away, who is behind, who has room.</summary>
    private async ValueTask<AdminRefusal?> CheckLeaveAsync(ClusterDocument staged, CancellationToken cancel)
    {
        var snapshot = state.Current;
        if (RingTransition.HasPending(staged.Ring) || !staged.Ring.Rebuilding.IsEmpty)
        {
            return new AdminRefusal(AdminRefusalKind.FailedPrecondition, RefusalReason.PendingTransfers, "partitions of an earlier plan are still on their way");
        }

        if (staged.Members.FirstOrDefault(m => m.State == MemberState.Down || !snapshot.IsUp(m.Id)) is { } away)
        {
            return new AdminRefusal(AdminRefusalKind.FailedPrecondition, RefusalReason.MemberDown, $"{away.Name} is away: nobody leaves while replicas are missing");
        }

        return await WaitForMembersAsync(cancel) ?? await WhyNoSpaceAsync(staged, cancel);
    }

    /// <summary>Learns the newest document that members hold; refused where no majority of them says what it holds.</summary>
    private async ValueTask<AdminRefusal?> CatchUpAsync(CancellationToken cancel)
    {
        if (state.Current.Document is not { } document)
        {
            return NotInCluster;
        }

        var voters = document.Members.Where(member => member.HasVote).ToList();
        var answers = await Task.WhenAll(voters.Where(member => member.Id != self.Id).Select(member =>
            transport.SendAsync(member.Id, new PeerRequest.GetDocument(), PeerLane.Request, Deadline.After(time, options.PeerDownAfter), cancel).AsTask()));
        // One that holds nothing newer says so with no document.
        var told = answers.OfType<PeerReply.Document>().ToList();
        if (told.Select(answer => answer.Held).OfType<ClusterDocument>().MaxBy(held => held.Version) is { } newest)
        {
            await documents.LearnAsync(newest, cancel);
        }

        return 2 * (told.Count + 1) > voters.Count
            ? null
            : new AdminRefusal(AdminRefusalKind.Unavailable, RefusalReason.NotReachable, $"{told.Count + 1} of {voters.Count} members say what they know; a majority is needed");
    }

    private async ValueTask<AdminRefusal?> WhyNotGoneAsync(ClusterDocument document, Member leaver, CancellationToken cancel)
    {
        if (leaver.Id == self.Id)
        {
            return new AdminRefusal(AdminRefusalKind.FailedPrecondition, RefusalReason.NotReachable, "a member cannot confirm its own exit: ask another");
        }

        switch (await AskHoldingsAsync(leaver.Id, cancel))
        {
            case null:
                return new AdminRefusal(AdminRefusalKind.Unavailable, RefusalReason.NotReachable, $"{leaver.Name} does not say whether it still holds data");
            case { Partitions.Length: > 0 and var left }:
                return new AdminRefusal(AdminRefusalKind.FailedPrecondition, RefusalReason.HoldsData, $"{leaver.Name} still holds data of {left} partitions");
        }

        var others = document.Members.Where(m => m.Id != leaver.Id && m.State != MemberState.Joining).ToList();
        var know = others.Count(m => gossip.VersionOf(m.Id) >= document.Version);
        return know >= Math.Min(ExitWitnesses, others.Count)
            ? null
            : new AdminRefusal(
                AdminRefusalKind.FailedPrecondition, RefusalReason.RingNotReady, $"version {document.Version} of the document is seen on {know} other members, not on {ExitWitnesses}");
    }
}
