using CsCheck;
using Kv.Core.Causality;
using Kv.Core.Rings;
using Kv.Core.Tests.Objects;
using Xunit;

namespace Kv.Core.Tests.Causality;

public sealed class VersionVectorTests
{
    private static readonly ActorId A = new(new NodeId(1), new PartitionId(0), 1);
    private static readonly ActorId B = new(new NodeId(2), new PartitionId(0), 1);
    private static readonly ActorId C = new(new NodeId(2), new PartitionId(0), 2);

    // Reference 3.1: descends, dominates, merge.
    [Fact]
    public void Empty_IsDescendedByEverything_AndDescendsOnlyItself()
    {
        Assert.True(Clock((A, 1)).Descends(VersionVector.Empty));
        Assert.True(VersionVector.Empty.Descends(VersionVector.Empty));
        Assert.False(VersionVector.Empty.Descends(Clock((A, 1))));
        Assert.False(VersionVector.Empty.Dominates(VersionVector.Empty));
    }

    [Fact]
    public void Descends_WithAnActorMissingOrBehind_IsFalse()
    {
        Assert.True(Clock((A, 2), (B, 1), (C, 7)).Descends(Clock((A, 2), (C, 3))));
        Assert.False(Clock((A, 2), (B, 1)).Descends(Clock((A, 3))));
        Assert.False(Clock((A, 2), (B, 1)).Descends(Clock((C, 1))));
        Assert.True(Clock((A, 2), (B, 1)).Dominates(Clock((A, 2))));
    }

    [Fact]
    public void ActorsOfTwoEpochs_AreDifferentActors()
    {
        Assert.False(Clock((C, 9)).Covers(new Dot(B, 1)));
        Assert.False(Clock((C, 9)).Descends(Clock((B, 1))));
    }

    [Fact]
    public void Merge_OfEqualCounters_KeepsTheLaterTime()
    {
        var early = VersionVector.FromEntries([new ClockEntry(A, 3, 100)]);
        var late = VersionVector.FromEntries([new ClockEntry(A, 3, 200)]);
        Assert.Equal(late, early.Merge(late));
        Assert.NotEqual(early, late);
        Assert.True(early.SameHistory(late));
        Assert.Equal(early.StableHash(), late.StableHash());
    }

    [Fact]
    public void Increment_OfAnEventSeenBefore_Throws()
    {
        Assert.Equal(5UL, Clock((A, 4)).Increment(A, 5, 0).CounterOf(A));
        Assert.Throws<InvalidOperationException>(() => Clock((A, 4)).Increment(A, 4, 0));
        Assert.Throws<InvalidOperationException>(() => VersionVector.Empty.Increment(A, 0, 0));
    }

    [Fact]
    public void FromEntries_SortsAndKeepsTheHighestOfEachActor() =>
        Assert.Equal([new ClockEntry(A, 5, 1), new ClockEntry(B, 2, 0)], VersionVector.FromEntries([new(B, 2, 0), new(A, 5, 1), new(A, 3, 9), new(C, 0, 0)]).Entries);

    [Fact]
    public void StableHash_IsTheSameInEveryBuild() => Assert.Equal(GoldenHash, Clock((A, 1), (B, 300)).StableHash());

    private const ulong GoldenHash = 12309170043088890079UL;

    // Reference 3.4: the loop of pruning, case by case. Small 2, big 4, young 20 s, old 100 s, now 1000.
    [Theory]
    [InlineData(new uint[] { 1, 2 }, 2)] // at small: nothing goes, however old
    [InlineData(new uint[] { 981, 990, 995, 996, 997 }, 5)] // the oldest is young: nothing goes, however many
    [InlineData(new uint[] { 950, 960, 970, 975, 978 }, 4)] // more than big: the oldest goes, then none is old
    [InlineData(new uint[] { 800, 810, 970, 975 }, 2)] // not more than big, but old: both old ones go
    [InlineData(new uint[] { 950, 960, 970 }, 3)] // between small and big, neither young nor old
    public void Prune_FollowsRiaksLoop(uint[] times, int left)
    {
        var clock = VersionVector.FromEntries(times.Select((time, i) => new ClockEntry(new ActorId(new NodeId((ulong)i + 1), new PartitionId(0), 0), 1, time)));
        var pruned = clock.Prune(2, 4, 20, 100, 1000, _ => false);
        Assert.Equal(times.Order().Skip(times.Length - left), pruned.Entries.Select(entry => entry.UnixSeconds).Order());
    }

    [Fact]
    public void Prune_KeepsActorsOfCurrentSiblings()
    {
        var clock = VersionVector.FromEntries([new(A, 1, 1), new(B, 1, 2), new(C, 1, 3)]);
        Assert.Equal([A], clock.Prune(1, 1, 0, 10, 1000, actor => actor == A).Entries.Select(entry => entry.Actor));
    }

    [Fact]
    public void GreatestLowerBound_IsWhatBothSaw_AndNothingElseIs() =>
        Gen.Select(ObjectGen.Clock, ObjectGen.Clock, ObjectGen.Clock).Sample((a, b, c) =>
        {
            var both = a.GreatestLowerBound(b);
            Assert.True(a.Descends(both) && b.Descends(both));
            Assert.True(both.SameHistory(b.GreatestLowerBound(a)));
            Assert.Equal(a.Descends(c) && b.Descends(c), both.Descends(c));
        });

    [Fact]
    public void Merge_IsTheLeastUpperBound() =>
        Gen.Select(ObjectGen.Clock, ObjectGen.Clock, ObjectGen.Clock).Sample((a, b, c) =>
        {
            var merged = a.Merge(b);
            Assert.True(merged.Descends(a) && merged.Descends(b));
            Assert.Equal(merged, b.Merge(a));
            Assert.Equal(a.Merge(b).Merge(c), a.Merge(b.Merge(c)));
            Assert.Equal(a, a.Merge(a));
            Assert.True(!(c.Descends(a) && c.Descends(b)) || c.Descends(merged));
        });

    [Fact]
    public void Descends_AgreesWithCoveringEveryEvent() =>
        Gen.Select(ObjectGen.Clock, ObjectGen.Clock).Sample((a, b) =>
            Assert.Equal(b.Entries.All(entry => a.Covers(new Dot(entry.Actor, entry.Counter))), a.Descends(b)));

    private static VersionVector Clock(params (ActorId Actor, ulong Counter)[] entries) =>
        VersionVector.FromEntries(entries.Select(entry => new ClockEntry(entry.Actor, entry.Counter, 0)));
}
