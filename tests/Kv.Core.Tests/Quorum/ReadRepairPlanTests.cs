using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Xunit;
using static Kv.Core.Tests.Objects.ObjectGen;

namespace Kv.Core.Tests.Quorum;

/// <summary>Reference 2.4 step 6 and appendix C 10, 11.</summary>
public sealed class ReadRepairPlanTests
{
    private static readonly BucketProps Props = BucketProps.NewType;
    private static readonly ActorId A = new(new NodeId(1), new PartitionId(0), 1);
    private static readonly KvObject Old = KvObject.Coordinate(null, Content("x"), VersionVector.Empty, new Dot(A, 1), 0, Props);
    private static readonly KvObject New = KvObject.Coordinate(Old, Content("y"), Old.Clock, new Dot(A, 2), 0, Props);
    private static readonly KvObject Deleted = KvObject.Coordinate(New, Content("", tombstone: true), New.Clock, new Dot(A, 3), 0, Props);

    [Fact]
    public void StaleAndMissingReplicas_AreRepaired_EqualAndFailedOnesNot()
    {
        var plan = Plan("PPPPP", New, Old, null, New.ToHead(), "failed");
        Assert.Equal([1, 2], plan.Repairs);
        Assert.Same(New.Clock, plan.Merged!.Clock);
        Assert.False(plan.MayReap);
        Assert.False(plan.NeedsValues);
    }

    [Fact]
    public void SiblingsOnDifferentReplicas_AreGivenToEach()
    {
        var other = KvObject.Coordinate(null, Content("z"), VersionVector.Empty, new Dot(A with { Partition = new PartitionId(9) }, 1), 0, Props);
        var plan = Plan("PPP", New, other, New);
        Assert.Equal([0, 1, 2], plan.Repairs);
        Assert.Equal(["y", "z"], Values(plan.Merged));
    }

    [Fact]
    public void NothingAnywhere_NeedsNothing() => Assert.Equal((null, 0, false), Shape(Plan("PPP", null, null, null)));

    [Fact]
    public void Tombstone_OnAllPrimaries_MayBeReaped() => Assert.True(Plan("PPP", Deleted, Deleted, Deleted.ToHead()).MayReap);

    [Fact]
    public void Tombstone_WithAnyDoubt_IsNotReaped()
    {
        Assert.False(Plan("PPF", Deleted, Deleted, Deleted).MayReap); // a fallback is no primary
        Assert.False(Plan("PPP", Deleted, Deleted, New).MayReap); // one is stale
        Assert.False(Plan("PPP", Deleted, Deleted, null).MayReap); // one has nothing
        Assert.False(Plan("PPP", Deleted, Deleted, "failed").MayReap); // one did not answer
        Assert.False(Plan("PP", Deleted, Deleted).MayReap); // fewer than n_val
        Assert.False(ReadRepairPlan.Create(Answers("PP", Deleted, Deleted), 2, Props).MayReap); // the request's own n_val
        Assert.False(ReadRepairPlan.Create(Answers("PPP", Deleted, Deleted, Deleted), 3, Props with { DeleteMode = DeleteMode.Keep }).MayReap);
        Assert.False(Plan("PPP", New, New, New).MayReap);
    }

    [Fact]
    public void RepairOfAHeadOnlyRead_NeedsTheValuesFirst() => Assert.True(Plan("PP", New.ToHead(), Old).NeedsValues);

    // Copies of one history that keep different values: only their contents show it.
    [Fact]
    public void WithoutSiblings_CopiesOfOneHistory_AreMadeEqual()
    {
        var props = BucketProps.DefaultType;
        var one = KvObject.Create(New.Clock, [Content("a", 1)]);
        var other = KvObject.Create(New.Clock, [Content("b", 2)]);
        Assert.Equal([0], ReadRepairPlan.Create(Answers("PPP", one, other, other), 3, props).Repairs);
    }

    private static (KvObject?, int, bool) Shape(ReadRepairPlan plan) => (plan.Merged, plan.Repairs.Length, plan.MayReap);

    private static ReadRepairPlan Plan(string places, params object?[] held) => ReadRepairPlan.Create(Answers(places, held), 3, Props);

    private static ReplicaAnswer[] Answers(string places, params object?[] held) =>
        [.. GetQuorumTests.Preflist(places).Select((entry, i) => held[i] is string ? new ReplicaAnswer(entry, GetReplyKind.Failed, null) : ReplicaAnswer.Of(entry, (KvObject?)held[i]))];
}
