using System.Globalization;
using System.Numerics;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.DataTypes;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Xunit;
using static Kv.Core.Tests.DataTypes.TypedHistory;

namespace Kv.Core.Tests.DataTypes;

/// <summary>Data types by examples: Riak's rules of reference 5, limits, and bytes that are none.</summary>
public sealed class DataTypeTests
{
    private static readonly FieldName Counter = new(Bytes("c"), DataTypeKind.Counter);

    [Fact]
    public void Counter_HasNoBounds()
    {
        var huge = BigInteger.Pow(10, 40);
        var counter = Do(DataType.Empty(DataTypeKind.Counter, 14), 1, new DataTypeOperation.Increment(huge));
        counter = Do(counter, 2, new DataTypeOperation.Increment(-1));
        Assert.Equal(huge - 1, ((CounterStore)((CausalDataType)Again(counter)).Root).Value);
    }

    [Fact]
    public void Set_WhatOneOperationRemovesAndAddsIsThere()
    {
        var set = Do(DataType.Empty(DataTypeKind.Set, 14), 1, new DataTypeOperation.ChangeSet([Bytes("a")], []));
        set = Do(set, 2, new DataTypeOperation.ChangeSet([Bytes("a")], [Bytes("a")]));
        Assert.Equal(["a"], ((SetStore)((CausalDataType)set).Root).Values.Select(Text));
    }

    [Fact]
    public void Map_ARemovalThatFailsLeavesNothingOfItsOperation()
    {
        var map = DataType.Empty(DataTypeKind.Map, 14);
        var change = new DataTypeOperation.ChangeMap([KeyValuePair.Create<FieldName, DataTypeOperation>(Counter, new DataTypeOperation.Increment(1))], [new FieldName(Bytes("x"), DataTypeKind.Set)]);
        Assert.Null(map.Apply(change, Event(1), out var problem));
        Assert.Equal(new DataTypeProblem.FieldNotPresent(new FieldName(Bytes("x"), DataTypeKind.Set)), problem);
    }

    [Fact]
    public void Map_AnIncrementThatARemovalHadNotSeenBringsBackAllThatItsVnodeCounted()
    {
        var one = Do(DataType.Empty(DataTypeKind.Map, 14), 1, Incremented(5));
        var context = ((CausalDataType)one).Clock;
        var removed = one.Apply(new DataTypeOperation.ChangeMap([], [Counter]), Event(1, node: 2, context), out _)!;
        var incremented = Do(one, 2, Incremented(1));
        var merged = (CausalDataType)removed.Merge(incremented);
        Assert.Equal(6, (int)((CounterStore)((MapStore)merged.Root).Find(Counter)!).Value);
    }

    [Fact]
    public void Map_NestsSoDeepAndNoDeeper()
    {
        DataTypeOperation Nested(int depth) => depth == 0
            ? new DataTypeOperation.Increment(1)
            : new DataTypeOperation.ChangeMap([KeyValuePair.Create(new FieldName(Bytes("m"), depth == 1 ? DataTypeKind.Counter : DataTypeKind.Map), Nested(depth - 1))], []);
        var map = DataType.Empty(DataTypeKind.Map, 14);
        Assert.NotNull(Again(map.Apply(Nested(DataTypeOperation.MaxDepth), Event(1), out _)!));
        Assert.Null(map.Apply(Nested(DataTypeOperation.MaxDepth + 1), Event(1), out var problem));
        Assert.Equal(new DataTypeProblem.TooDeep(DataTypeOperation.MaxDepth), problem);
    }

    [Theory]
    [InlineData(4, 0.3)]
    [InlineData(10, 0.1)]
    [InlineData(14, 0.03)]
    public void HyperLogLog_IsNearTheTruth(int precision, double error)
    {
        const int Members = 50_000;
        var state = DataType.Empty(DataTypeKind.HyperLogLog, precision);
        state = Do(state, 1, new DataTypeOperation.Observe([.. Enumerable.Range(0, Members).Select(member => Bytes(member.ToString(CultureInfo.InvariantCulture)))]));
        Assert.InRange((double)((HyperLogLog)Again(state)).Estimate, Members * (1 - (3 * error)), Members * (1 + (3 * error)));
    }

    [Fact]
    public void HyperLogLog_OfTwoPrecisions_IsWhatTheLowerOneWouldHaveSeen()
    {
        var members = new DataTypeOperation.Observe([.. Enumerable.Range(0, 3_000).Select(member => Bytes(member.ToString(CultureInfo.InvariantCulture)))]);
        var fine = Do(DataType.Empty(DataTypeKind.HyperLogLog, 12), 1, members);
        var coarse = Do(DataType.Empty(DataTypeKind.HyperLogLog, 6), 1, members);
        var merged = (HyperLogLog)fine.Merge(DataType.Empty(DataTypeKind.HyperLogLog, 6));
        Assert.Equal(((HyperLogLog)coarse).Registers, merged.Registers);
    }

    // The vnode that deleted counts anew, beside one that had not seen the delete and still has what the first had counted before.
    [Fact]
    public void Counter_CountedOnBothSidesOfADelete_HasBothCountsAndNothingFromBefore()
    {
        var history = new TypedHistory("counter");
        history.Update(0, 1, new DataTypeOperation.Increment(100));
        history.Send(0, 1);
        history.Fetch(0, 0);
        history.Delete(0, 0);
        history.Update(1, 1, new DataTypeOperation.Increment(1));
        history.Update(0, 1, new DataTypeOperation.Increment(5));
        history.Settle();
        Assert.Equal(6, (int)((CounterStore)((CausalDataType)history.State(2)).Root).Value);
    }

    [Fact]
    public void Removal_ThatWaitsElsewhere_OutlivesADeleteByAVnodeThatHasNotHeardOfIt()
    {
        var history = new TypedHistory("set");
        history.Update(1, 1, new DataTypeOperation.ChangeSet([Bytes("a")], []));
        history.Fetch(1, 0);
        history.Update(0, 0, new DataTypeOperation.ChangeSet([], [Bytes("a")]));
        history.Fetch(0, 2);
        history.Delete(1, 2);
        Assert.Equal(["a"], MembersAt(history, 1));
        history.Settle();
        Assert.Empty(MembersAt(history, 0));
        Assert.Empty(MembersAt(history, 1));
    }

    [Fact]
    public void Delete_OfWhatHadHeardOfADeleteElsewhere_KeepsThatInMind()
    {
        var history = new TypedHistory("set");
        history.Update(0, 1, new DataTypeOperation.ChangeSet([Bytes("a")], []));
        history.Fetch(0, 0);
        history.Delete(1, 0);
        history.Update(1, 1, new DataTypeOperation.ChangeSet([Bytes("b")], []));
        history.Fetch(1, 2);
        history.Delete(1, 2);
        history.Settle();
        Assert.All(Enumerable.Range(0, TypedHistory.Vnodes), vnode => Assert.Empty(MembersAt(history, vnode)));
    }

    [Fact]
    public void Delete_ByAVnodeThatHasNothing_LeavesATombstoneAloneOnceItMeetsWhatItsClientSaw()
    {
        var history = new TypedHistory("set");
        history.Update(0, 1, new DataTypeOperation.ChangeSet([Bytes("a")], []));
        history.Fetch(0, 0);
        history.Delete(1, 0);
        history.Settle();
        Assert.All(history.Held, held => Assert.True(held!.IsTombstone));
    }

    [Fact]
    public void Removals_ThatWaitForWhatTheirContextsHadSeen_AreOneForEachContext_AndNoMoreThanSoMany()
    {
        var set = DataType.Empty(DataTypeKind.Set, 14);
        for (var i = 1ul; i <= 64; i++)
        {
            var removal = new DataTypeOperation.ChangeSet([], [.. Enumerable.Range(0, 1000).Select(member => Bytes($"{member}"))]);
            set = set.Apply(removal, Event(i, context: Ahead(i)), out _)!;
        }

        Assert.InRange(DataTypeCodec.Encode(set).Length, 0, 64 * 5000);
        Assert.Null(set.Apply(new DataTypeOperation.ChangeSet([], [Bytes("x")]), Event(65, context: Ahead(65)), out var problem));
        Assert.Equal(new DataTypeProblem.TooManyDeferred(64), problem);
        Assert.NotNull(set.Apply(new DataTypeOperation.ChangeSet([Bytes("x")], []), Event(65), out _));

        static VersionVector Ahead(ulong counter) => VersionVector.FromEntries([new ClockEntry(new ActorId(new NodeId(9), new PartitionId(0), 1), counter, 0)]);
    }

    [Fact]
    public void AnEventThatWasSeen_ChangesNothing()
    {
        var set = Do(DataType.Empty(DataTypeKind.Set, 14), 2, new DataTypeOperation.ChangeSet([Bytes("a")], []));
        Assert.Null(set.Apply(new DataTypeOperation.ChangeSet([Bytes("b")], []), Event(2), out var problem));
        Assert.IsType<DataTypeProblem.OldEvent>(problem);
    }

    [Fact]
    public void Head_OfALiveStateBesideANewerDelete_ShowsWhatLives()
    {
        var props = BucketProps.NewType with { DataType = "set" };
        var live = DataTypeObject.Content(Do(DataType.Empty(DataTypeKind.Set, 14), 1, new DataTypeOperation.ChangeSet([Bytes("a")], []))) with { LastModifiedMicroseconds = 1 };
        var (deleted, _) = DataTypeObject.Tombstone(new Sibling { Dot = null, IsTombstone = true, LastModifiedMicroseconds = 2 }, null, VersionVector.Empty, props);
        var held = KvObject.Create(VersionVector.Empty, [live, deleted]);
        Assert.False(DataTypeObject.Collapse(held.ToHead(), props).IsTombstone);
        Assert.False(DataTypeObject.Collapse(held, props).IsTombstone);
    }

    [Fact]
    public void Delete_WhereSiblingsHaveNoDots_LeavesWhatItHadNotSeen()
    {
        var props = BucketProps.NewType with { DataType = "set", DvvEnabled = false };
        var first = Do(DataType.Empty(DataTypeKind.Set, 14), 1, new DataTypeOperation.ChangeSet([Bytes("a")], []));
        var read = KvObject.Coordinate(null, DataTypeObject.Content(first), VersionVector.Empty, Event(1).Dot, 0, props);
        var second = Do(first, 2, new DataTypeOperation.ChangeSet([Bytes("b")], []));
        var held = KvObject.Coordinate(read, DataTypeObject.Content(second), read.Clock, Event(2).Dot, 0, props);

        var (tombstone, replaced) = DataTypeObject.Tombstone(new Sibling { Dot = null, IsTombstone = true }, held, read.Clock, props);
        var left = DataTypeObject.Read(KvObject.Coordinate(held, tombstone, replaced, Event(3).Dot, 0, props), props, out _);
        Assert.Equal(["b"], ((SetStore)((CausalDataType)left!).Root).Values.Select(Text));
    }

    [Fact]
    public void AnotherValue_IsNoState()
    {
        var props = BucketProps.NewType with { DataType = "set" };
        var plain = KvObject.Create(VersionVector.Empty, [new Sibling { Dot = null, Value = Bytes("plain") }]);
        Assert.Null(DataTypeObject.Read(plain, props, out var problem));
        Assert.IsType<DataTypeProblem.NotOfThisType>(problem);
        var counter = KvObject.Create(VersionVector.Empty, [DataTypeObject.Content(DataType.Empty(DataTypeKind.Counter, 14))]);
        Assert.Null(DataTypeObject.Read(counter, props, out problem));
        Assert.Equal(new DataTypeProblem.NotOfThisType("a counter"), problem);
    }

    // Every state of every kind, cut anywhere or with a byte changed: a reason, or a state, and never anything else.
    [Theory]
    [InlineData("set")]
    [InlineData("map")]
    [InlineData("counter")]
    [InlineData("gset")]
    [InlineData("hll")]
    public void DamagedBytes_AreRefusedOrRead(string type)
    {
        var kind = DataTypeNames.Find(type)!.Value;
        var bytes = DataTypeCodec.Encode(Do(DataType.Empty(kind, 4), 1, Some(kind))).ToArray();
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.False(DataTypeCodec.TryDecode(bytes.AsSpan(0, length), out _, out var reason));
            Assert.NotEmpty(reason);
        }

        for (var at = 0; at < bytes.Length; at++)
        {
            foreach (var bits in new byte[] { 1, 0x80, 0xff })
            {
                var damaged = (byte[])bytes.Clone();
                damaged[at] ^= bits;
                Assert.Equal(DataTypeCodec.TryDecode(damaged, out var state, out var reason), state is not null);
                Assert.Equal(state is null, reason.Length > 0);
            }
        }
    }

    private static DataTypeOperation Some(DataTypeKind kind) => kind switch
    {
        DataTypeKind.Set => new DataTypeOperation.ChangeSet([Bytes("a"), Bytes("b")], []),
        DataTypeKind.Map => Incremented(3),
        DataTypeKind.Counter => new DataTypeOperation.Increment(3),
        DataTypeKind.GSet => new DataTypeOperation.Grow([Bytes("a")]),
        _ => new DataTypeOperation.Observe([Bytes("a")]),
    };

    private static DataTypeOperation.ChangeMap Incremented(int amount) => new([KeyValuePair.Create<FieldName, DataTypeOperation>(Counter, new DataTypeOperation.Increment(amount))], []);

    private static DataType Do(DataType state, ulong counter, DataTypeOperation operation) => state.Apply(operation, Event(counter), out _)!;

    private static DataType Again(DataType state)
    {
        Assert.True(DataTypeCodec.TryDecode(DataTypeCodec.Encode(state).Span, out var read, out var reason), reason);
        return read;
    }

    private static DataTypeEvent Event(ulong counter, ulong node = 1, VersionVector? context = null) =>
        new(new Dot(new ActorId(new NodeId(node), new PartitionId(0), 1), counter), (long)counter, context);

    private static IEnumerable<string> MembersAt(TypedHistory history, int vnode) => ((SetStore)((CausalDataType)history.State(vnode)).Root).Values.Select(Text);
}
