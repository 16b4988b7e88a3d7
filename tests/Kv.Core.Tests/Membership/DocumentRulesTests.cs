using System.Collections.Immutable;
using CsCheck;
using Kv.Core.Buckets;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Xunit;
using static Kv.Core.Membership.DocumentChange;
using static Kv.Core.Tests.Membership.DocumentSamples;

namespace Kv.Core.Tests.Membership;

public sealed class DocumentRulesTests
{
    private static readonly BucketProps Props = BucketProps.NewType;

    [Fact]
    public void Create_GivesTheWholeRingToTheFirstNode()
    {
        var document = Single(64);
        Assert.Equal(1, document.Version);
        Assert.All(document.Ring.Owners, o => Assert.Equal(Id(1), o));
        Assert.Equal(MemberState.Valid, document.FindMember(Id(1))?.State);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(2048)]
    public void Create_WithInvalidRingSize_IsRefused(int ringSize)
    {
        Assert.Throws<ArgumentException>(() => DocumentRules.Create(ClusterId, "test", ringSize, Node(1)));
    }

    [Fact]
    public void StageJoin_ThenCommit_MovesNothingUntilTransfersComplete()
    {
        var staged = Change(Single(), new StageJoin(Node(2)));
        Assert.Equal(MemberState.Joining, staged.FindMember(Id(2))?.State);
        var committed = Commit(staged);
        Assert.Equal(MemberState.Valid, committed.FindMember(Id(2))?.State);
        Assert.Empty(committed.Staged);
        Assert.All(committed.Ring.Owners, o => Assert.Equal(Id(1), o));
        Assert.Equal(8, RingTransition.Pending(committed.Ring).Length);
        var settled = Settle(committed);
        Assert.False(RingTransition.HasPending(settled.Ring));
        Assert.Equal(8, settled.Ring.Owners.Count(o => o == Id(2)));
    }

    [Fact]
    public void StageJoin_Refusals()
    {
        var two = Cluster(2);
        Refused(Single(), new StageJoin(Node(1)), RefusalReason.SelfJoin);
        Refused(two, new StageJoin(Node(9) with { Name = "node2" }), RefusalReason.NameTaken);
        Refused(two, new StageJoin(Node(9) with { Name = "" }), RefusalReason.InvalidMember);
        Refused(two, new StageJoin(Node(9) with { Id = NodeId.None }), RefusalReason.InvalidMember);
        var leaving = Commit(Change(two, new StageLeave(Id(2))));
        Refused(leaving, new StageJoin(Node(2)), RefusalReason.AlreadyLeaving);
    }

    [Fact]
    public void StageJoin_BeyondTheMostMembers_IsRefused()
    {
        var document = Single();
        for (var number = 2; number <= ClusterDocument.MaxMembers; number++)
        {
            document = Change(document, new StageJoin(Node(number)));
        }

        Refused(document, new StageJoin(Node(1000)), RefusalReason.TooManyMembers);
    }

    [Fact]
    public void StageJoin_OfAStagedNodeElsewhere_TakesItsNewEndpoints()
    {
        var staged = Change(Single(), new StageJoin(Node(2)));
        Unchanged(staged, new StageJoin(Node(2)));
        var moved = Change(staged, new StageJoin(Node(2) with { Endpoints = Node(3).Endpoints }));
        Assert.Equal("127.0.0.1:9003", moved.FindMember(Id(2))?.Endpoints["peer"]);
        Assert.Single(moved.Staged);
    }

    [Fact]
    public void StageJoin_OfAMember_IsAnOldRequestSentAgain()
    {
        Unchanged(Cluster(3), new StageJoin(Node(2)));
    }

    [Fact]
    public void StageLeave_Refusals()
    {
        var three = Cluster(3);
        Refused(three, new StageLeave(Id(9)), RefusalReason.NotMember);
        Refused(Single(), new StageLeave(Id(1)), RefusalReason.OnlyMember);
        Refused(Change(three, new StageJoin(Node(4))), new StageLeave(Id(4)), RefusalReason.NotMember);
        Refused(Change(three, new MarkDown(Id(2))), new StageLeave(Id(2)), RefusalReason.MemberDown);
        var leaving = Change(three, new StageLeave(Id(2)));
        Unchanged(leaving, new StageLeave(Id(2)));
        Refused(Change(leaving, new StageLeave(Id(1))), new StageLeave(Id(3)), RefusalReason.OnlyMember);
        Refused(Commit(leaving), new StageLeave(Id(2)), RefusalReason.AlreadyLeaving);
    }

    [Fact]
    public void Leave_ThatGaveEverythingAway_IsExiting()
    {
        var leaving = Commit(Change(Cluster(3), new StageLeave(Id(3))));
        Assert.Equal(MemberState.Leaving, leaving.FindMember(Id(3))?.State);
        var all = RingTransition.Pending(leaving.Ring);
        var most = Change(leaving, new CompleteTransfers([.. all.Where(t => t.From == Id(3)).Skip(1)]));
        Assert.Equal(MemberState.Leaving, most.FindMember(Id(3))?.State);
        var gone = Settle(most);
        Assert.Equal(MemberState.Exiting, gone.FindMember(Id(3))?.State);
        Assert.DoesNotContain(Id(3), gone.Ring.Owners);
    }

    [Fact]
    public void ClearStaged_ForgetsJoinsAndLeaves()
    {
        var staged = Change(Change(Cluster(3), new StageJoin(Node(4))), new StageLeave(Id(2)));
        var cleared = Change(staged, new ClearStaged());
        Assert.Empty(cleared.Staged);
        Assert.Null(cleared.FindMember(Id(4)));
        Unchanged(cleared, new ClearStaged());
    }

    [Fact]
    public void CommitPlan_Refusals()
    {
        var three = Cluster(3);
        Refused(three, new CommitPlan("0000000000000000"), RefusalReason.NothingPlanned);
        Refused(Single(), new CommitPlan(""), RefusalReason.NothingPlanned);
        var staged = Change(three, new StageJoin(Node(4)));
        var planId = ClusterPlan.Compute(staged)!.Id;
        Refused(Change(staged, new StageJoin(Node(5))), new CommitPlan(planId), RefusalReason.PlanChanged);
        var pending = Change(Commit(staged), new StageJoin(Node(5)));
        Refused(pending, new CommitPlan(ClusterPlan.Compute(pending)!.Id), RefusalReason.PendingTransfers);
    }

    [Fact]
    public void CommitPlan_SentAgain_IsKnown()
    {
        var staged = Change(Cluster(3), new StageJoin(Node(4)));
        var planId = ClusterPlan.Compute(staged)!.Id;
        var committed = Change(staged, new CommitPlan(planId));
        Unchanged(committed, new CommitPlan(planId));
        Unchanged(Change(Settle(committed), new StageJoin(Node(5))), new CommitPlan(planId));
    }

    [Fact]
    public void CompleteTransfers_ThatAreNotPending_ChangeNothing()
    {
        var committed = Commit(Change(Single(), new StageJoin(Node(2))));
        var pending = RingTransition.Pending(committed.Ring)[0];
        Unchanged(committed, new CompleteTransfers([]));
        Unchanged(committed, new CompleteTransfers([pending with { To = Id(3) }]));
        Unchanged(committed, new CompleteTransfers([pending with { From = Id(2) }]));
        Unchanged(committed, new CompleteTransfers([pending with { Partition = new PartitionId(99) }]));
        var done = Change(committed, new CompleteTransfers([pending, pending]));
        Assert.Equal(7, RingTransition.Pending(done.Ring).Length);
        Unchanged(done, new CompleteTransfers([pending]));
    }

    [Fact]
    public void CompleteTransfers_OfAnEarlierPlan_ChangeNothing()
    {
        var first = Commit(Change(Single(), new StageJoin(Node(2))));
        var old = RingTransition.Pending(first.Ring)[0];
        var replaced = Commit(Change(first, new StageReplace(Id(2), Node(3))));
        Assert.True(replaced.Ring.PlannedAt > first.Ring.PlannedAt);
        var again = RingTransition.Pending(replaced.Ring).Single(t => t.Partition == old.Partition);
        Unchanged(replaced, new CompleteTransfers([again with { PlannedAt = old.PlannedAt }]));
        Change(replaced, new CompleteTransfers([again]));
    }

    [Fact]
    public void Replace_TakesOverExactlyWhatTheDeadOneOwned_WithoutItsData()
    {
        var before = Cluster(4);
        var staged = Change(before, new StageReplace(Id(2), Node(9) with { Name = "node2" }));
        Unchanged(staged, new StageReplace(Id(2), Node(9) with { Name = "node2" }));
        Refused(staged, new StageReplace(Id(2), Node(8)), RefusalReason.AlreadyReplacement);
        Refused(staged, new StageReplace(Id(3), Node(9) with { Name = "node2" }), RefusalReason.AlreadyReplacement);
        Refused(before, new StageReplace(Id(2), Node(3)), RefusalReason.AlreadyReplacement);
        Refused(before, new StageReplace(Id(7), Node(8)), RefusalReason.NotMember);
        var after = Commit(staged);
        Assert.Null(after.FindMember(Id(2)));
        Assert.Equal(MemberState.Valid, after.FindMember(Id(9))?.State);
        Assert.Equal(before.Ring.Owners.Select(o => o == Id(2) ? Id(9) : o), after.Ring.Owners);
        Assert.False(RingTransition.HasPending(after.Ring));
        var lost = Enumerable.Range(0, before.Ring.Size).Where(p => before.Ring.Owners[p] == Id(2)).Select(p => new PartitionId(p)).ToImmutableArray();
        Assert.Equal(lost, after.Ring.Rebuilding);
        Unchanged(after, new CompleteRebuild(Id(1), lost, after.Ring.PlannedAt));
        Unchanged(after, new CompleteRebuild(Id(9), lost, after.Ring.PlannedAt - 1));
        Assert.Empty(Change(after, new CompleteRebuild(Id(9), lost, after.Ring.PlannedAt)).Ring.Rebuilding);
    }

    [Fact]
    public void Replace_OfTheHolderOfKeysWithOneReplica_SaysWhatIsLost()
    {
        var before = Cluster(4);
        var three = Change(before, new StageReplace(Id(2), Node(9)));
        var owned = before.Ring.Owners.Count(o => o == Id(2));
        Assert.Empty(ClusterPlan.Compute(three)!.Lost);
        Assert.Equal(owned, ClusterPlan.Compute(three)!.Rebuilding.Length);
        var single = Change(three, new CreateBucketType("cache", Props with { NVal = 1 }));
        Assert.Equal(new LostKeys(1, owned), Assert.Single(ClusterPlan.Compute(single)!.Lost));
        var two = Change(Change(three, new StageReplace(Id(3), Node(8))), new StageReplace(Id(4), Node(7)));
        Assert.Contains(ClusterPlan.Compute(two)!.Lost, lost => lost.NVal == 3);
    }

    [Fact]
    public void ALostPartition_IsRebuiltByItsOwner_AndOnlyByThePlanThatWasLookedAt()
    {
        var before = Cluster(4);
        var lost = new PartitionId(5);
        var (owner, plan) = (before.Ring.Owner(lost), before.Ring.PlannedAt);
        Refused(before, new BeginRebuild(Id(9), [lost], plan), RefusalReason.PlanChanged);
        Refused(before, new BeginRebuild(owner, [new PartitionId(99)], plan), RefusalReason.PlanChanged);
        Refused(before, new BeginRebuild(owner, [lost], plan - 1), RefusalReason.PlanChanged);
        var after = Change(before, new BeginRebuild(owner, [lost], plan));
        Assert.Equal([lost], after.Ring.Rebuilding);
        Assert.Equal(before.Ring.Owners, after.Ring.Owners);
        Assert.True(after.Ring.PlannedAt > plan);
        Unchanged(after, new BeginRebuild(owner, [lost], plan));
        Unchanged(after, new CompleteRebuild(owner, [lost], plan));

        // Lost once more in the midst: whoever says by the plan before that it is whole speaks of what is gone.
        var again = Change(after, new BeginRebuild(owner, [lost], after.Ring.PlannedAt));
        Assert.Equal([lost], again.Ring.Rebuilding);
        Assert.True(again.Ring.PlannedAt > after.Ring.PlannedAt);
        Unchanged(again, new BeginRebuild(owner, [lost], after.Ring.PlannedAt));
        Unchanged(again, new CompleteRebuild(owner, [lost], after.Ring.PlannedAt));
        Unchanged(again, new BeginRebuild(owner, [], again.Ring.PlannedAt));
        var rebuilt = Change(again, new CompleteRebuild(owner, [lost], again.Ring.PlannedAt));
        Assert.Empty(rebuilt.Ring.Rebuilding);

        // Sent again when all is done.
        Refused(rebuilt, new BeginRebuild(owner, [lost], plan), RefusalReason.PlanChanged);
    }

    [Fact]
    public void Plans_OfOneVersionAndTheNext_AreToldApart()
    {
        // A version that was made of two changes, of which the second was a plan.
        var before = Cluster(4);
        before = before with { Ring = new Ring(before.Ring.Owners, before.Ring.NextOwners, [], before.Version + 1) };
        var lost = new PartitionId(5);
        var after = Change(before, new BeginRebuild(before.Ring.Owner(lost), [lost], before.Ring.PlannedAt));
        Assert.True(after.Ring.PlannedAt > before.Ring.PlannedAt);
    }

    [Fact]
    public void Transfers_WaitUntilNothingIsRebuilt()
    {
        var moving = Commit(Change(Cluster(4), new StageJoin(Node(5))));
        var gone = Commit(Change(moving, new StageReplace(Id(2), Node(9))));
        var pending = RingTransition.Pending(gone.Ring);
        Assert.NotEmpty(pending);
        Unchanged(gone, new CompleteTransfers(pending));
        var rebuilt = gone.Ring.Rebuilding.Aggregate(gone, (document, partition) =>
            Change(document, new CompleteRebuild(document.Ring.Owner(partition), [partition], document.Ring.PlannedAt)));
        Assert.False(RingTransition.HasPending(Change(rebuilt, new CompleteTransfers(pending)).Ring));
    }

    [Fact]
    public void Remove_GivesThePartitionsToOthersAtOnce_EvenWhileTransfersArePending()
    {
        var moving = Commit(Change(Cluster(4), new StageJoin(Node(5))));
        Assert.True(RingTransition.HasPending(moving.Ring));
        var after = Commit(Change(moving, new StageRemove(Id(5))));
        Assert.Null(after.FindMember(Id(5)));
        Assert.DoesNotContain(Id(5), after.Ring.NextOwners);
        Assert.Empty(after.Ring.Rebuilding);
        var gone = Commit(Change(moving, new StageRemove(Id(2))));
        Assert.DoesNotContain(Id(2), gone.Ring.Owners);
        Assert.Equal(moving.Ring.Owners.Count(o => o == Id(2)), gone.Ring.Rebuilding.Length);
        var next = Change(gone, new StageJoin(Node(6)));
        Refused(next, new CommitPlan(ClusterPlan.Compute(next)!.Id), RefusalReason.PendingTransfers);
        Refused(Single(), new StageRemove(Id(1)), RefusalReason.OnlyMember);
    }

    [Fact]
    public void ConfirmExit_ForgetsOnlyWhoIsExiting()
    {
        var leaving = Commit(Change(Cluster(3), new StageLeave(Id(3))));
        Refused(leaving, new ConfirmExit(Id(3)), RefusalReason.NotExiting);
        Refused(leaving, new ConfirmExit(Id(1)), RefusalReason.NotExiting);
        var gone = Change(Settle(leaving), new ConfirmExit(Id(3)));
        Assert.Null(gone.FindMember(Id(3)));
        Unchanged(gone, new ConfirmExit(Id(3)));
    }

    [Fact]
    public void SetEndpoints_OfAMember_ReplacesThem()
    {
        var three = Cluster(3);
        Unchanged(three, new SetEndpoints(Id(2), Node(2).Endpoints));
        Assert.Equal(Node(7).Endpoints, Change(three, new SetEndpoints(Id(2), Node(7).Endpoints)).FindMember(Id(2))?.Endpoints);
        Refused(three, new SetEndpoints(Id(9), Node(9).Endpoints), RefusalReason.NotMember);
        var many = Enumerable.Range(0, 40).ToImmutableSortedDictionary(i => $"p{i}", _ => "a:1", StringComparer.Ordinal);
        Refused(three, new SetEndpoints(Id(2), many), RefusalReason.InvalidMember);
    }

    [Fact]
    public void MarkDown_KeepsPartitionsAndVote_UntilMarkUp()
    {
        var three = Cluster(3);
        var down = Change(three, new MarkDown(Id(2)));
        Assert.Equal(MemberState.Down, down.FindMember(Id(2))?.State);
        Assert.True(down.FindMember(Id(2))?.HasVote);
        Assert.Equal(three.Ring.Owners, down.Ring.Owners);
        Unchanged(down, new MarkDown(Id(2)));
        Assert.Equal(MemberState.Valid, Change(down, new MarkUp(Id(2))).FindMember(Id(2))?.State);
        Unchanged(three, new MarkUp(Id(2)));
        Refused(three, new MarkDown(Id(9)), RefusalReason.NotMember);
        Refused(three, new MarkUp(Id(9)), RefusalReason.NotMember);
        Refused(Single(), new MarkDown(Id(1)), RefusalReason.OnlyMember);
        Refused(Change(three, new StageJoin(Node(4))), new MarkDown(Id(4)), RefusalReason.NotValid);
    }

    [Fact]
    public void BucketType_LivesFromCreatedToActive()
    {
        var created = Change(Single(), new CreateBucketType("maps", Props));
        Unchanged(created, new CreateBucketType("maps", Props with { PreCommit = [] }));
        Assert.Null(created.EffectiveProps(new BucketName("maps", "b")));
        Refused(created, new UpdateBucketType("maps", Props), RefusalReason.NotActive);
        var anew = Change(created, new CreateBucketType("maps", Props with { NVal = 5 }));
        Refused(anew, new ActivateBucketType("maps") { Props = Props }, RefusalReason.NotReady);
        Assert.Equal(BucketTypeState.Active, Change(anew, new ActivateBucketType("maps") { Props = Props with { NVal = 5, PreCommit = [] } }).BucketTypes["maps"].State);
        var active = Change(anew, new ActivateBucketType("maps"));
        Assert.Equal(5, active.EffectiveProps(new BucketName("maps", "b"))?.NVal);
        Unchanged(active, new ActivateBucketType("maps"));
        Unchanged(active, new ActivateBucketType("maps") { Props = Props });
        Refused(active, new CreateBucketType("maps", Props), RefusalReason.AlreadyActive);
        Assert.False(Change(active, new UpdateBucketType("maps", Props with { NVal = 5, AllowMult = false })).EffectiveProps(new BucketName("maps", "b"))?.AllowMult);
        Unchanged(active, new UpdateBucketType("maps", Props with { NVal = 5 }));
    }

    [Theory]
    [InlineData("default", RefusalReason.DefaultType)]
    [InlineData("any", RefusalReason.InvalidName)]
    [InlineData("", RefusalReason.InvalidName)]
    [InlineData("256 bytes", RefusalReason.InvalidName)]
    public void CreateBucketType_WithNameThatCannotBe_IsRefused(string name, string reason)
    {
        Refused(Single(), new CreateBucketType(name == "256 bytes" ? new string('a', 256) : name, Props), reason);
    }

    [Fact]
    public void Props_ThatADocumentCouldNotBeReadWith_AreRefused()
    {
        var unreadable = Props with { R = QuorumValue.Of(0) };
        Refused(Single(), new CreateBucketType("t", unreadable), RefusalReason.InvalidProps);
        Refused(Single(), new SetBucketProps(new BucketName("default", "b"), unreadable), RefusalReason.InvalidProps);
    }

    [Fact]
    public void BucketType_ThatIsNot_IsUndefined()
    {
        Refused(Single(), new ActivateBucketType("maps"), RefusalReason.Undefined);
        Refused(Single(), new UpdateBucketType("maps", Props), RefusalReason.Undefined);
        Refused(Single(), new UpdateBucketType("default", Props), RefusalReason.NoDefaultUpdate);
        Refused(Single(), new SetBucketProps(new BucketName("maps", "b"), Props), RefusalReason.Undefined);
    }

    [Fact]
    public void UpdateBucketType_OfWhatMayNotChange_IsRefused()
    {
        var active = Change(Change(Single(), new CreateBucketType("t", Props)), new ActivateBucketType("t"));
        foreach (var props in new[] { Props with { DataType = "map" }, Props with { Consistent = true }, Props with { WriteOnce = true }, Props with { Backend = "memory" }, Props with { NVal = 2 }, Props with { NVal = 4 } })
        {
            Refused(active, new UpdateBucketType("t", props), RefusalReason.InvalidProps);
            Refused(active, new SetBucketProps(new BucketName("t", "b"), props), RefusalReason.InvalidProps);
        }

        var consistent = Change(Change(Single(), new CreateBucketType("c", Props with { Consistent = true })), new ActivateBucketType("c"));
        Refused(consistent, new UpdateBucketType("c", Props with { Consistent = true, NVal = 5 }), RefusalReason.InvalidProps);
    }

    [Fact]
    public void SetBucketProps_OverridesTheTypes_UntilReset()
    {
        var bucket = new BucketName("default", "b");
        var set = Change(Single(), new SetBucketProps(bucket, Props));
        Assert.True(set.EffectiveProps(bucket)?.AllowMult);
        Unchanged(set, new SetBucketProps(bucket, Props));
        var reset = Change(set, new ResetBucketProps(bucket));
        Assert.False(reset.EffectiveProps(bucket)?.AllowMult);
        Unchanged(reset, new ResetBucketProps(bucket));
        Refused(set, new SetBucketProps(new BucketName("default", ""), Props), RefusalReason.InvalidName);
    }

    [Fact]
    public void ResetBucketProps_ThatWouldChangeNVal_IsRefused()
    {
        var bucket = new BucketName("default", "b");
        var old = Single() with { Buckets = Single().Buckets.Add(bucket, Props with { NVal = 5 }) };
        Refused(old, new ResetBucketProps(bucket), RefusalReason.InvalidProps);
        Change(old, new SetBucketProps(bucket, Props with { NVal = 5, AllowMult = false }));
    }

    [Fact]
    public void SetBucketProps_BeyondTheMostBuckets_IsRefused()
    {
        var many = Enumerable.Range(0, ClusterDocument.MaxBuckets).Select(i => KeyValuePair.Create(new BucketName("default", $"b{i}"), Props));
        var full = Single() with { Buckets = many.ToImmutableSortedDictionary() };
        Refused(full, new SetBucketProps(new BucketName("default", "one more"), Props), RefusalReason.TooManyBuckets);
        Change(full, new SetBucketProps(new BucketName("default", "b1"), Props with { NotFoundOk = false }));
    }

    [Fact]
    public void AnySequenceOfChanges_KeepsTheLaws_AndEachChangeTwiceIsOnce()
    {
        GenChange.Array[1, 25].Sample(
            changes =>
            {
                var document = Single();
                foreach (var drawn in changes)
                {
                    var change = Resolve(document, drawn);
                    if (DocumentRules.Apply(document, change) is not DocumentChangeResult.Changed changed)
                    {
                        continue;
                    }

                    Assert.Equal(document.Version + 1, changed.Document.Version);
                    Assert.Null(DocumentRules.WhyBroken(changed.Document));
                    Assert.IsNotType<DocumentChangeResult.Changed>(DocumentRules.Apply(changed.Document, change));
                    document = changed.Document;
                }
            },
            iter: 600);
    }
}
