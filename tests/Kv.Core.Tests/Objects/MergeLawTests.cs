using CsCheck;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Xunit;
using static Kv.Core.Tests.Objects.ObjectGen;

namespace Kv.Core.Tests.Objects;

/// <summary>The laws of merge and write, over random histories of reads, writes and messages between replicas.</summary>
public sealed class MergeLawTests
{
    private static readonly BucketProps Dvv = BucketProps.NewType;
    private static readonly BucketProps NoDvv = BucketProps.NewType with { DvvEnabled = false };
    private static readonly BucketProps OneValue = BucketProps.DefaultType;

    private static readonly Gen<(int, int, int)[]> Steps =
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, CausalHistory.Vnodes - 1], Gen.Int[0, CausalHistory.Clients - 1]).Array[1, 40];

    // No write removes what its context did not cover, and each removes all that it did: the siblings are the truly concurrent writes, no more, no fewer.
    [Fact]
    public void WithDots_SiblingsAreExactlyTheWritesThatNoOtherHadSeen() => Steps.Sample(steps =>
    {
        var history = new CausalHistory(Dvv);
        foreach (var (kind, vnode, other) in steps)
        {
            history.Step(kind, vnode, other);
            for (var i = 0; i < CausalHistory.Vnodes; i++)
            {
                Assert.Equal(history.Current(i), Values(history.Held[i]));
            }
        }
    });

    [Fact]
    public void WithoutDots_NothingConcurrentIsMissing() => Steps.Sample(steps =>
    {
        var history = Run(NoDvv, steps);
        for (var i = 0; i < CausalHistory.Vnodes; i++)
        {
            Assert.Empty(history.Current(i).Except(Values(history.Held[i])));
        }
    });

    [Fact]
    public void WithoutSiblings_ThereIsAlwaysOneValueOfTheHistory() => Steps.Sample(steps =>
    {
        var history = Run(OneValue, steps);
        Assert.All(history.Held.Where(held => held is not null), held => Assert.Single(held!.Siblings));
    });

    [Fact]
    public void Merge_IsCommutativeAndIdempotent_AndMergesClocks() =>
        Gen.Select(Steps, ObjectGen.AnyOf(Dvv, NoDvv)).Sample((steps, props) =>
        {
            var held = Objects(props, steps);
            foreach (var a in held)
            {
                Assert.Equal(a, KvObject.Merge(a, a, props.DvvEnabled));
                foreach (var b in held)
                {
                    var merged = KvObject.Merge(a, b, props.DvvEnabled);
                    Assert.Equal(merged, KvObject.Merge(b, a, props.DvvEnabled));
                    Assert.Equal(merged, KvObject.Merge(merged, b, props.DvvEnabled));
                    Assert.True(merged.Clock.SameHistory(a.Clock.Merge(b.Clock)));
                }
            }
        });

    [Fact]
    public void Merge_WithDots_IsAssociative() => Steps.Sample(steps =>
    {
        var held = Objects(Dvv, steps);
        Assert.Equal(Fold(held, true), Fold([.. held.Reverse()], true));
        if (held.Length == 3)
        {
            Assert.Equal(
                KvObject.Merge(KvObject.Merge(held[0], held[1], true), held[2], true),
                KvObject.Merge(held[0], KvObject.Merge(held[1], held[2], true), true));
        }
    });

    // Without dots an ancestor that was merged into another copy can't be told apart any more, so grouping matters (as in Riak). What holds: clocks
    // are associative, and no grouping loses a write that no other had seen.
    [Fact]
    public void Merge_WithoutDots_KeepsEveryConcurrentWriteInAnyOrder() => Steps.Sample(steps =>
    {
        var history = Run(NoDvv, steps);
        KvObject[] held = [.. history.Held.OfType<KvObject>()];
        foreach (var order in new[] { held, [.. held.Reverse()] })
        {
            Assert.Empty(history.CurrentOfAll().Except(Values(Fold(order, false))));
        }

        Assert.True(held.Length == 0 || Fold(held, false)!.Clock.SameHistory(Fold([.. held.Reverse()], false)!.Clock));
    });

    [Fact]
    public void Reconcile_DoesNotDependOnTheOrderOfReplies() =>
        Gen.Select(Steps, ObjectGen.AnyOf(Dvv, NoDvv, OneValue), Gen.Shuffle(new[] { 0, 1, 2 })).Sample((steps, props, order) =>
        {
            var history = Run(props, steps);
            var held = history.Held;
            Assert.Empty(props.AllowMult ? history.CurrentOfAll().Except(Values(KvObject.Reconcile(held, props))) : []);
            Assert.Equal(KvObject.Reconcile(held, props), KvObject.Reconcile(order.Select(i => held[i]).ToArray(), props));
        });

    // All replicas hear of all: they agree, whatever came before and in whatever order.
    [Fact]
    public void Replicas_OnceTheyHaveExchanged_HoldTheSame() =>
        Gen.Select(Steps, ObjectGen.AnyOf(Dvv, NoDvv, OneValue)).Sample((steps, props) =>
        {
            var history = Run(props, steps);
            foreach (var _ in Enumerable.Range(0, 3))
            {
                for (var from = 0; from < CausalHistory.Vnodes; from++)
                {
                    for (var to = 0; to < CausalHistory.Vnodes; to++)
                    {
                        history.Step(2, from, to);
                    }
                }
            }

            Assert.All(history.Held, held => Assert.True(held is null ? history.Held[0] is null : held.IsSameAs(history.Held[0]!)));
        });

    // Appendix C 5: clients that always write with their last context.
    [Fact]
    public void InterleavedStaleWriters_MakeNoMoreSiblingsThanClients() =>
        Gen.Int[0, 2].Array[1, 60].Sample(writers =>
        {
            KvObject? held = null;
            var contexts = new[] { VersionVector.Empty, VersionVector.Empty, VersionVector.Empty };
            for (var i = 0; i < writers.Length; i++)
            {
                var dot = new Dot(new ActorId(new NodeId(1), new PartitionId(0), 1), (ulong)i + 1);
                // The client writes with the answer to its last write: stale as soon as another has written.
                held = KvObject.Coordinate(held, Content($"{i}"), contexts[writers[i]], dot, 0, Dvv);
                contexts[writers[i]] = held.Clock;
                Assert.InRange(held.Siblings.Length, 1, 3);
            }
        });

    private static CausalHistory Run(BucketProps props, (int Kind, int Vnode, int Other)[] steps)
    {
        var history = new CausalHistory(props);
        foreach (var (kind, vnode, other) in steps)
        {
            history.Step(kind, vnode, other);
        }

        return history;
    }

    private static KvObject[] Objects(BucketProps props, (int Kind, int Vnode, int Other)[] steps) => [.. Run(props, steps).Held.OfType<KvObject>()];

    private static KvObject? Fold(KvObject[] copies, bool dvvEnabled) =>
        copies.Aggregate((KvObject?)null, (merged, copy) => merged is null ? copy : KvObject.Merge(merged, copy, dvvEnabled));
}
