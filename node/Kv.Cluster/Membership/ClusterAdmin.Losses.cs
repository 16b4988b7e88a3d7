using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Membership;

/// <summary>Members that are dead and do not come back (Riak's force-replace and force-remove; 1.6).</summary>
public sealed partial class ClusterAdmin
{
    /// <summary>
    /// Stages that the node at this peer address, which is in no cluster, takes over what a dead member owned, and rebuilds its data from the other replicas. It may have the dead one's
    /// name: a pod that lost its volume. Refused `is_up` where any member reaches the dead one; `data_loss` where keys would have no replica left, unless
    /// <paramref name="allowDataLoss"/>; `ring_not_ready`, `no_space`; and as a join is.
    /// </summary>
    public async ValueTask<AdminResult<PlanView>> StageReplaceAsync(NodeId dead, string peerAddress, bool allowDataLoss, CancellationToken cancel)
    {
        if (state.Current.Document is null)
        {
            return NotInCluster;
        }

        var met = await MeetAsync(peerAddress, cancel);
        return met.IsOk ? await StageLossAsync(new DocumentChange.StageReplace(dead, met.Value), allowFewerReplicas: true, allowDataLoss, cancel) : met.Refusal;
    }

    /// <summary>
    /// Stages that a dead member is removed; others own at once what it owned, and rebuild it. Refused as <see cref="StageReplaceAsync"/> is, and `too_few_members` where fewer members would
    /// stay than some bucket has replicas, unless <paramref name="allowFewerReplicas"/>.
    /// </summary>
    public ValueTask<AdminResult<PlanView>> StageRemoveAsync(NodeId dead, bool allowFewerReplicas, bool allowDataLoss, CancellationToken cancel) =>
        StageLossAsync(new DocumentChange.StageRemove(dead), allowFewerReplicas, allowDataLoss, cancel);

    private async ValueTask<AdminResult<PlanView>> StageLossAsync(DocumentChange change, bool allowFewerReplicas, bool allowDataLoss, CancellationToken cancel)
    {
        if (state.Current.Document is not { } document)
        {
            return NotInCluster;
        }

        var result = DocumentRules.Apply(document, change);
        if (result is DocumentChangeResult.Refused refused)
        {
            return new AdminRefusal(KindOf(refused.Reason), refused.Reason, refused.Message);
        }

        var staged = (result as DocumentChangeResult.Changed)?.Document ?? document;
        if (!allowFewerReplicas && WhyTooFew(document, staged) is { } tooFew)
        {
            return tooFew;
        }

        if (!allowDataLoss && await WhyDataLossAsync(staged, cancel) is { } loss)
        {
            return loss;
        }

        return await CheckLossAsync(staged, cancel) is { } refusal ? refusal : await StageAsync([change], cancel);
    }

    /// <summary>
    /// Has a partition of this node's whose data here is damaged or gone rebuilt from the other replicas, by another actor; meanwhile it takes writes and counts for nothing else. Data of another
    /// node's partition that this one held for it is given up, which takes <paramref name="allowDataLoss"/>: nobody else may have it. Refused `invalid_argument` where it is another
    /// node's, `not_damaged`, and `data_loss` where keys would have no replica left.
    /// </summary>
    public async ValueTask<AdminResult<ClusterView>> RebuildPartitionAsync(PartitionId partition, bool allowDataLoss, CancellationToken cancel)
    {
        if (state.Current.Document is not { Ring: var ring } document)
        {
            return NotInCluster;
        }

        if (WhyNotHere(document, partition) is { } elsewhere && !host.Damaged.ContainsKey(partition))
        {
            return elsewhere;
        }

        var isOwned = ring.Owner(partition) == self.Id;
        if (!host.Damaged.TryGetValue(partition, out var damage))
        {
            return ring.IsRebuilding(partition)
                ? GetCluster()
                : new AdminRefusal(AdminRefusalKind.FailedPrecondition, RefusalReason.NotDamaged, $"partition {partition} is not known to be damaged here; kv aae repair compares it with its other replicas");
        }

        if (!allowDataLoss)
        {
            var refusal = isOwned ? await WhyDataLossAsync(document, cancel) : new AdminRefusal(
                AdminRefusalKind.FailedPrecondition, RefusalReason.DataLoss, $"partition {partition} was held here for its owner, and nobody else may have what was in it ({damage}); the caller has to say that it may be lost");
            if (refusal is not null)
            {
                return refusal;
            }
        }

        if (isOwned)
        {
            return await ChangeAsync(new DocumentChange.BeginRebuild(self.Id, [partition], ring.PlannedAt), cancel) is { } refused ? refused : GetCluster();
        }

        try
        {
            await host.DiscardAsync(partition, cancel);
        }
        catch (InvalidOperationException)
        {
            // The same order, given twice at once, was carried out.
        }
        catch (StoreRefusedException full)
        {
            return new AdminRefusal(AdminRefusalKind.FailedPrecondition, RefusalReason.NoSpace, full.Message);
        }

        return GetCluster();
    }

    /// <summary>
    /// Of what is staged, or of the ring as it is where nothing is. A replica that is damaged is none, and no document knows of it: every member that is up is asked, and has to answer.
    /// </summary>
    private async ValueTask<AdminRefusal?> WhyDataLossAsync(ClusterDocument document, CancellationToken cancel)
    {
        var ring = document.Ring;
        var snapshot = state.Current;
        var asked = document.Members.Where(m => m.State != MemberState.Joining && (m.Id == self.Id || snapshot.IsUp(m.Id))).ToList();
        var answers = await Task.WhenAll(asked.Select(m => AskHoldingsAsync(m.Id, cancel).AsTask()));
        var without = ring.Rebuilding.ToHashSet();
        foreach (var (member, answer) in asked.Zip(answers))
        {
            if (answer is null)
            {
                return new AdminRefusal(AdminRefusalKind.Unavailable, RefusalReason.NotReachable, $"{member.Name} does not say which of its data is damaged");
            }

            without.UnionWith(answer.Partitions.Where(held => held.IsDamaged && held.Partition.Number < ring.Size && ring.Owner(held.Partition) == member.Id).Select(held => held.Partition));
        }

        var seen = document with { Ring = new Ring(ring.Owners, ring.NextOwners, [.. without.Order()], ring.PlannedAt) };
        var lost = ClusterPlan.Compute(seen)?.Lost ?? DocumentRules.LostKeys(seen);
        var words = lost.Select(keys => $"{keys.Ranges} of {document.Ring.Size} ranges of the keys that have {keys.NVal} replicas");
        return lost.IsEmpty
            ? null
            : new AdminRefusal(AdminRefusalKind.FailedPrecondition, RefusalReason.DataLoss, $"no replica would be left of {string.Join(", ", words)}; the caller has to say that they may be lost");
    }

    /// <summary>What a document cannot know about losses that it has staged: whether the dead are dead to all, who is behind, who has room.</summary>
    private async ValueTask<AdminRefusal?> CheckLossAsync(ClusterDocument staged, CancellationToken cancel)
    {
        foreach (var lost in staged.Staged.Select(s => s.Lost).OfType<NodeId>())
        {
            if (await WhyAliveAsync(staged.FindMember(lost)!, cancel) is { } alive)
            {
                return alive;
            }
        }

        return await WaitForMembersAsync(cancel) ?? await WhyNoSpaceAsync(staged, cancel);
    }

    /// <summary>A member that only this node cannot reach takes writes that nobody else may have: every other member that is up is asked.</summary>
    private async ValueTask<AdminRefusal?> WhyAliveAsync(Member dead, CancellationToken cancel)
    {
        var snapshot = state.Current;
        if (snapshot.IsUp(dead.Id))
        {
            return new AdminRefusal(AdminRefusalKind.FailedPrecondition, RefusalReason.IsUp, $"{dead.Name} is up: this node reaches it");
        }

        var others = snapshot.Document!.Members.Where(m => m.Id != snapshot.Self && m.State != MemberState.Joining && snapshot.IsUp(m.Id)).ToList();
        var answers = await Task.WhenAll(others.Select(m =>
            transport.SendAsync(m.Id, new PeerRequest.GetUp(), PeerLane.Request, Deadline.After(time, options.PeerDownAfter), cancel).AsTask()));
        foreach (var (other, answer) in others.Zip(answers))
        {
            switch (answer)
            {
                case PeerReply.Up up when up.Nodes.Contains(dead.Id):
                    return new AdminRefusal(AdminRefusalKind.FailedPrecondition, RefusalReason.IsUp, $"{dead.Name} is up: {other.Name} reaches it");
                case not PeerReply.Up:
                    return new AdminRefusal(AdminRefusalKind.Unavailable, RefusalReason.NotReachable, $"{other.Name} does not say whether it reaches {dead.Name}");
            }
        }

        return null;
    }
}
