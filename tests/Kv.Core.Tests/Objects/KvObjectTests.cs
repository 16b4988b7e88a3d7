using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Xunit;
using static Kv.Core.Tests.Objects.ObjectGen;

namespace Kv.Core.Tests.Objects;

/// <summary>Each rule of Riak's coordinated put and merge (reference 3.3) as an example.</summary>
public sealed class KvObjectTests
{
    private static readonly ActorId A = new(new NodeId(1), new PartitionId(0), 1);
    private static readonly ActorId B = new(new NodeId(2), new PartitionId(0), 1);
    private static readonly BucketProps Dvv = BucketProps.NewType;
    private static readonly BucketProps NoDvv = BucketProps.DefaultType with { AllowMult = true };
    private static readonly BucketProps OneValue = BucketProps.DefaultType;
    private static readonly BucketProps LastWriteWins = BucketProps.DefaultType with { LastWriteWins = true };

    // 3.3 row 2: nothing there.
    [Fact]
    public void Coordinate_WithNothingThere_StoresUnderANewDot()
    {
        var first = Put(null, "x", VersionVector.Empty, A, 1, Dvv);
        Assert.Equal(["x"], Values(first));
        Assert.Equal(new Dot(A, 1), first.Siblings[0].Dot);
        Assert.Equal(1UL, first.Clock.CounterOf(A));
        Assert.Null(Put(null, "x", VersionVector.Empty, A, 1, NoDvv).Siblings[0].Dot);
    }

    // 3.3 row 3: read, modify, write.
    [Fact]
    public void Coordinate_WithTheWholeContext_LeavesOneValue()
    {
        var siblings = Put(Put(null, "x", VersionVector.Empty, A, 1, Dvv), "y", VersionVector.Empty, A, 2, Dvv);
        Assert.Equal(["x", "y"], Values(siblings));
        var resolved = Put(siblings, "z", siblings.Clock, A, 3, Dvv);
        Assert.Equal(["z"], Values(resolved));
        Assert.True(resolved.Clock.Dominates(siblings.Clock));
    }

    // 3.3 row 4: a stale context drops what it covers, keeps what it does not.
    [Fact]
    public void Coordinate_WithAStaleContext_DropsOnlyWhatItCovered()
    {
        var first = Put(null, "x", VersionVector.Empty, A, 1, Dvv);
        var second = Put(first, "y", VersionVector.Empty, A, 5, Dvv);
        Assert.Equal(["y", "z"], Values(Put(second, "z", first.Clock, A, 9, Dvv)));
    }

    // 3.3 row 5: without dots all contents stay.
    [Fact]
    public void Coordinate_WithAStaleContextAndNoDots_KeepsAllContents()
    {
        var first = Put(null, "x", VersionVector.Empty, A, 1, NoDvv);
        var second = Put(first, "y", VersionVector.Empty, A, 5, NoDvv);
        Assert.Equal(["x", "y", "z"], Values(Put(second, "z", first.Clock, A, 9, NoDvv)));
    }

    // 3.3 row 6, appendix C 4.
    [Fact]
    public void Coordinate_WithoutContextAgainAndAgain_MakesASiblingEach()
    {
        var held = Put(null, "v0", VersionVector.Empty, A, 1, Dvv);
        for (var i = 1; i < 5; i++)
        {
            held = Put(held, $"v{i}", VersionVector.Empty, A, (ulong)i + 1, Dvv);
        }

        Assert.Equal(5, held.Siblings.Length);
        Assert.Equal(["one"], Values(Put(held, "one", held.Clock, A, 9, Dvv)));
    }

    // 3.3 row 7.
    [Fact]
    public void Coordinate_WithoutSiblingsAllowed_KeepsTheNewestUnderTheMergedClock()
    {
        var first = Put(null, "x", VersionVector.Empty, A, 1, OneValue, time: 50);
        var second = Put(first, "y", VersionVector.Empty, A, 2, OneValue, time: 60);
        Assert.Equal(["y"], Values(second));
        Assert.True(second.Clock.Dominates(first.Clock));
    }

    [Fact]
    public void Coordinate_WithAClockBehindTheLocalObjects_StillWritesLast()
    {
        var first = Put(null, "x", VersionVector.Empty, A, 1, OneValue, time: 5000);
        var second = Put(first, "y", VersionVector.Empty, A, 2, OneValue, time: 60);
        Assert.Equal(["y"], Values(second));
        Assert.Equal(5001, second.Siblings[0].LastModifiedMicroseconds);
    }

    // 3.3 row 1.
    [Fact]
    public void Coordinate_WithLastWriteWins_OverwritesWhateverTheContext()
    {
        var first = Put(null, "x", VersionVector.Empty, A, 1, LastWriteWins);
        Assert.Equal(["y"], Values(Put(first, "y", VersionVector.Empty, B, 2, LastWriteWins)));
        var blind = Put(null, "z", VersionVector.Empty, A, 3, LastWriteWins);
        Assert.Equal(["z"], Values(blind));
        Assert.True(blind.Clock.SameHistory(VersionVector.Empty.Increment(A, 3, 0)));
    }

    [Fact]
    public void Replica_WithLastWriteWins_IsNotPutBackByALateOlderWrite()
    {
        var older = Put(null, "x", VersionVector.Empty, A, 1, LastWriteWins, time: 10);
        var newer = Put(older, "y", VersionVector.Empty, A, 2, LastWriteWins, time: 20);
        Assert.Same(newer, KvObject.MergeReplica(newer, older, LastWriteWins));
        Assert.Equal(["y"], Values(KvObject.MergeReplica(older, newer, LastWriteWins)));
    }

    [Fact]
    public void Coordinate_UnderADotSeenBefore_Throws()
    {
        var held = Put(null, "x", VersionVector.Empty, A, 4, Dvv);
        Assert.False(KvObject.IsNewEvent(held, VersionVector.Empty, new Dot(A, 4)));
        Assert.False(KvObject.IsNewEvent(null, held.Clock, new Dot(A, 3)));
        Assert.Throws<InvalidOperationException>(() => Put(held, "y", VersionVector.Empty, A, 4, Dvv));
        Assert.Throws<InvalidOperationException>(() => Put(null, "y", held.Clock, A, 3, Dvv));
    }

    // Appendix C 7, reference 3.2: who forgot an object goes on as a new actor, and what it forgot is not taken for seen.
    [Fact]
    public void VnodeThatForgot_WithANewEpoch_HidesNothing()
    {
        var forgotten = Put(null, "x", VersionVector.Empty, A, 17, Dvv);
        var anew = Put(null, "y", VersionVector.Empty, A with { Epoch = 2 }, 1, Dvv);
        Assert.Equal(["x", "y"], Values(KvObject.Merge(forgotten, anew, true)));
    }

    // Appendix C 6: after a reap the counter goes on, so that a replica that missed it cannot hide the new object.
    [Fact]
    public void PutAfterReap_IsNotHiddenByAnOldReplica()
    {
        var old = Put(null, "x", VersionVector.Empty, A, 3, Dvv);
        var anew = Put(null, "y", VersionVector.Empty, A, 40, Dvv);
        Assert.Equal(["y"], Values(KvObject.Merge(old, anew, true)));
    }

    // Appendix C 9.
    [Fact]
    public void ConcurrentPutAndDelete_AreTwoSiblings()
    {
        var first = Put(null, "x", VersionVector.Empty, A, 1, Dvv);
        var deleted = KvObject.Coordinate(first, Content("", tombstone: true), first.Clock, new Dot(A, 2), 0, Dvv);
        var written = Put(first, "y", first.Clock, B, 1, Dvv);
        var merged = KvObject.Merge(deleted, written, true);
        Assert.Equal(2, merged.Siblings.Length);
        Assert.Single(merged.Siblings, sibling => sibling.IsTombstone);
        Assert.False(merged.IsTombstone);
        Assert.True(deleted.IsTombstone);
    }

    [Fact]
    public void Merge_OfDominatedAndDominating_IsTheDominating()
    {
        var first = Put(null, "x", VersionVector.Empty, A, 1, Dvv);
        var second = Put(first, "y", first.Clock, A, 2, Dvv);
        Assert.Same(second, KvObject.Merge(first, second, true));
        Assert.Same(second, KvObject.Merge(second, first, false));
    }

    [Fact]
    public void Merge_OfConcurrent_KeepsValuesWithoutDots()
    {
        var legacy = Put(null, "x", VersionVector.Empty, A, 1, NoDvv);
        var written = Put(null, "y", VersionVector.Empty, B, 1, Dvv);
        Assert.Equal(["x", "y"], Values(KvObject.Merge(legacy, written, true)));
    }

    // 3.3 last line: after a restored backup.
    [Fact]
    public void Merge_OfOneDotWithTwoPayloads_KeepsBoth()
    {
        var one = Put(null, "x", VersionVector.Empty, A, 1, Dvv);
        var other = Put(null, "y", VersionVector.Empty, A, 1, Dvv);
        Assert.Equal(["x", "y"], Values(KvObject.Merge(one, other, true)));
        Assert.Equal(["x"], Values(KvObject.Merge(one, Put(null, "x", VersionVector.Empty, A, 1, Dvv), true)));
    }

    // Two replicas that each kept by time what the other dropped must not leave nothing.
    [Fact]
    public void Merge_OfOneHistoryWithDisjointValues_NeverLeavesNothing()
    {
        var clock = VersionVector.Empty.Increment(A, 1, 0).Increment(B, 1, 0);
        var one = KvObject.Create(clock, [Content("x", 5) with { Dot = new Dot(A, 1) }]);
        var other = KvObject.Create(clock, [Content("y", 6) with { Dot = new Dot(B, 1) }]);
        Assert.Equal(["x", "y"], Values(KvObject.Merge(one, other, true)));
        Assert.Equal(["y"], Values(KvObject.MergeReplica(one, other, OneValue with { DvvEnabled = true })));
        Assert.Equal(["y"], Values(KvObject.MergeReplica(other, one, OneValue)));
    }

    // 2.3: date, then live beats deleted, then bytes.
    [Fact]
    public void Newest_GoesByTimeThenLifeThenContent()
    {
        Assert.Equal(["b"], Newest(Content("a", 1), Content("b", 2)));
        Assert.Equal(["a"], Newest(Content("a", 2), Content("", 2, tombstone: true)));
        Assert.Equal([""], Newest(Content("a", 2), Content("", 3, tombstone: true)));
        Assert.Equal(["b"], Newest(Content("b", 2), Content("a", 2)));
    }

    // Reference 9.5.
    [Fact]
    public void WriteOnce_WithTwoWrites_ChoosesTheSameEverywhere()
    {
        var props = Dvv with { WriteOnce = true };
        var one = KvObject.WriteOnce(Content("x", 1));
        var other = KvObject.WriteOnce(Content("y", 2));
        var chosen = KvObject.MergeReplica(one, other, props);
        Assert.Equal(Values(chosen), Values(KvObject.MergeReplica(other, one, props)));
        Assert.Equal(Values(chosen), Values(KvObject.Reconcile([other, one, other], props)));
        Assert.Equal(chosen.ToHead().Siblings[0].VTag, KvObject.Reconcile([one.ToHead(), other.ToHead()], props)!.Siblings[0].VTag);
    }

    [Fact]
    public void WriteOnce_DeleteBeatsValue()
    {
        var props = Dvv with { WriteOnce = true };
        var value = KvObject.WriteOnce(Content("x", 9));
        var deleted = KvObject.WriteOnce(Content("", 1, tombstone: true));
        Assert.True(KvObject.MergeReplica(value, deleted, props).IsTombstone);
        Assert.Same(deleted, KvObject.MergeReplica(deleted, value, props));
    }

    [Fact]
    public void Replica_WithNothingNew_StaysTheSameInstance()
    {
        var held = Put(null, "x", VersionVector.Empty, A, 1, Dvv);
        Assert.Same(held, KvObject.MergeReplica(held, ObjectCodec.Decode(ObjectCodec.Encode(held)), Dvv));
        Assert.Same(held, KvObject.MergeReplica(null, held, Dvv));
    }

    [Fact]
    public void AsSent_HasTheSendersClockAndNoDot()
    {
        var clock = VersionVector.Empty.Increment(B, 3, 7);
        var stored = KvObject.AsSent(Content("x") with { Dot = new Dot(A, 1) }, clock);
        Assert.Equal(clock, stored.Clock);
        Assert.Null(stored.Siblings[0].Dot);
    }

    // 3.4: pruning must not make an object look like an ancestor of one that never saw its values.
    [Fact]
    public void Prune_NeverForgetsTheMakerOfACurrentValue()
    {
        var props = Dvv with { SmallVClock = 1, BigVClock = 1 };
        var x = Put(null, "x", VersionVector.Empty, A, 5, props);
        var both = KvObject.Merge(x, Put(null, "y", VersionVector.Empty, B, 1, props), true);
        Assert.Same(both, both.Prune(props, 1_000_000));
        var resolved = Put(both, "z", both.Clock, B, 2, props);
        Assert.Equal([B], resolved.Prune(props, 1_000_000).Clock.Entries.Select(entry => entry.Actor));
    }

    // 2.4 step 5.
    [Fact]
    public void Reconcile_DropsTheDominatedAndMergesTheRest()
    {
        var x = Put(null, "x", VersionVector.Empty, A, 1, Dvv);
        var y = Put(x, "y", x.Clock, A, 2, Dvv);
        var z = Put(null, "z", VersionVector.Empty, B, 1, Dvv);
        Assert.Equal(["y", "z"], Values(KvObject.Reconcile([x, null, z, y], Dvv)));
        Assert.Null(KvObject.Reconcile([null, null], Dvv));
    }

    [Fact]
    public void Merge_OfAHeadAndItsWhole_HasTheValue()
    {
        var whole = Put(null, "x", VersionVector.Empty, A, 1, Dvv);
        var other = Put(null, "y", VersionVector.Empty, B, 1, Dvv);
        Assert.True(whole.ToHead().IsSameAs(whole));
        Assert.NotEqual(whole, whole.ToHead());
        Assert.Equal(1, whole.ToHead().Siblings[0].ValueBytes);
        Assert.Equal(whole, KvObject.Merge(whole.ToHead(), whole, true));
        Assert.Equal(["x", "y"], Values(KvObject.Merge(KvObject.Merge(whole.ToHead(), other, true), whole, true)));
    }

    private static string[] Newest(params Sibling[] siblings) =>
        Values(KvObject.Create(VersionVector.Empty, siblings.Select((sibling, i) => sibling with { Dot = new Dot(A, (ulong)i + 1) })).ReduceToNewest());

    private static KvObject Put(KvObject? local, string value, VersionVector context, ActorId actor, ulong counter, BucketProps props, long time = 0) =>
        KvObject.Coordinate(local, Content(value, time), context, new Dot(actor, counter), 0, props);
}
