using CsCheck;
using Kv.Core.DataTypes;
using Xunit;
using static Kv.Core.Tests.DataTypes.TypedHistory;

namespace Kv.Core.Tests.DataTypes;

/// <summary>Data types over random histories of fetches, updates and messages, held against what each update is to do to those that it had not seen.</summary>
public sealed class DataTypeLawTests
{
    private static readonly string[] Names = ["a", "b", "c"];

    private static readonly Gen<(int Kind, int Vnode, int Other, int First, int Second)[]> Steps = Gen
        .Select(Gen.Int[0, 8], Gen.Int[0, Vnodes - 1], Gen.Int[0, Clients - 1], Gen.Int[0, 11], Gen.Int[0, 11])
        .Array[1, 30];

    [Fact]
    public void Set_AMemberIsThereWhereAnAdditionIsThatNoRemovalHadSeen() => Check("set", SetChange, history =>
    {
        for (var vnode = 0; vnode < Vnodes; vnode++)
        {
            var expected = Names.Where(name => history.Heard[vnode].Any(add => Adds(history, add, name) && !history.Heard[vnode].Any(remove => Removes(history, remove, name) && history.Updates[remove].Seen.Contains(add))));
            Assert.Equal(expected, ((SetStore)((CausalDataType)history.State(vnode)).Root).Values.Select(Text));
        }
    });

    [Fact]
    public void Map_OfAFieldWhatNoRemovalHadSeenIsThere() => Check("map", MapChange, history =>
    {
        for (var vnode = 0; vnode < Vnodes; vnode++)
        {
            Assert.Equal(ExpectedMap(history, vnode), Shown((MapStore)((CausalDataType)history.State(vnode)).Root));
        }
    });

    [Fact]
    public void Counter_IsTheSumOfAllThatWasHeardOf() => Check("counter", (first, second) => new DataTypeOperation.Increment(first - second), history =>
    {
        for (var vnode = 0; vnode < Vnodes; vnode++)
        {
            var expected = history.Heard[vnode].Sum(update => (long)((DataTypeOperation.Increment)history.Updates[update].Operation!).Amount);
            Assert.Equal(expected, (long)((CounterStore)((CausalDataType)history.State(vnode)).Root).Value);
        }
    });

    [Fact]
    public void GrowOnlySet_IsTheUnion() => Check("gset", (first, second) => new DataTypeOperation.Grow([Bytes(Names[first % 3]), Bytes(Names[second % 3])]), history =>
    {
        for (var vnode = 0; vnode < Vnodes; vnode++)
        {
            var expected = history.Heard[vnode].SelectMany(update => ((DataTypeOperation.Grow)history.Updates[update].Operation!).Adds.Select(Text)).Distinct().Order();
            Assert.Equal(expected, ((GrowOnlySet)history.State(vnode)).Members.Select(Text));
        }
    });

    [Fact]
    public void HyperLogLog_CountsFewMembersExactly() => Check("hll", (first, second) => new DataTypeOperation.Observe([Bytes($"{first}"), Bytes($"{second}")]), history =>
    {
        for (var vnode = 0; vnode < Vnodes; vnode++)
        {
            var expected = history.Heard[vnode].SelectMany(update => ((DataTypeOperation.Observe)history.Updates[update].Operation!).Adds.Select(Text)).Distinct().Count();
            Assert.Equal((ulong)expected, ((HyperLogLog)history.State(vnode)).Estimate);
        }
    });

    [Theory]
    [InlineData("set")]
    [InlineData("map")]
    [InlineData("counter")]
    [InlineData("gset")]
    [InlineData("hll")]
    public void Merge_IsCommutativeAssociativeAndIdempotent_AndBytesAreOneFormOfAState(string type) => Steps.Sample(steps =>
    {
        var history = Run(type, ChangeOf(type), steps, _ => { });
        DataType[] states = [.. Enumerable.Range(0, Vnodes).Select(history.State)];
        foreach (var (a, b) in from a in states from b in states select (a, b))
        {
            AssertSame(a.Merge(b), b.Merge(a));
            AssertSame(a.Merge(b), a.Merge(b).Merge(b));
        }

        AssertSame(a: states[0].Merge(states[1]).Merge(states[2]), b: states[0].Merge(states[1].Merge(states[2])));
        foreach (var state in states)
        {
            Assert.True(DataTypeCodec.TryDecode(DataTypeCodec.Encode(state).Span, out var read, out var reason), reason);
            AssertSame(state, read);
        }
    });

    [Theory]
    [InlineData("set")]
    [InlineData("map")]
    public void Replicas_ThatHeardOfEverythingHoldTheSame_AndNothingStaysDeferred(string type) => Steps.Sample(steps =>
    {
        var history = Run(type, ChangeOf(type), steps, _ => { });
        history.Settle();
        for (var vnode = 1; vnode < Vnodes; vnode++)
        {
            AssertSame(history.State(0), history.State(vnode));
            Assert.Equal(history.Held[0], history.Held[vnode]);
        }

        Assert.False(((CausalDataType)history.State(0)).HasDeferred);
    });

    private static void Check(string type, Func<int, int, DataTypeOperation> change, Action<TypedHistory> check) => Steps.Sample(steps => Run(type, change, steps, check));

    private static TypedHistory Run(string type, Func<int, int, DataTypeOperation> change, (int Kind, int Vnode, int Other, int First, int Second)[] steps, Action<TypedHistory> check)
    {
        var history = new TypedHistory(type);
        foreach (var (kind, vnode, other, first, second) in steps)
        {
            switch (kind)
            {
                case 0 or 1:
                    history.Fetch(vnode, other);
                    break;
                case 2 or 3:
                    history.Send(vnode, other);
                    break;
                case 4 when type is "set" or "map":
                    history.Delete(vnode, other);
                    break;
                default:
                    history.Update(vnode, other, change(first, second));
                    break;
            }

            check(history);
        }

        return history;
    }

    private static Func<int, int, DataTypeOperation> ChangeOf(string type) => type switch
    {
        "set" => SetChange,
        "map" => MapChange,
        "counter" => (first, second) => new DataTypeOperation.Increment(first - second),
        "gset" => (first, second) => new DataTypeOperation.Grow([Bytes($"{first}"), Bytes($"{second}")]),
        _ => (first, second) => new DataTypeOperation.Observe([Bytes($"{first}"), Bytes($"{second}")]),
    };

    // One or two of: add a, b, c; remove a, b, c.
    private static DataTypeOperation.ChangeSet SetChange(int first, int second)
    {
        int[] which = second < 6 ? [first % 6, second] : [first % 6];
        return new DataTypeOperation.ChangeSet([.. which.Where(one => one < 3).Select(one => Bytes(Names[one]))], [.. which.Where(one => one >= 3).Select(one => Bytes(Names[one - 3]))]);
    }

    // Fields: a set and a map with a set, a flag each; a register.
    private static DataTypeOperation.ChangeMap MapChange(int first, int second)
    {
        DataTypeOperation inner = (second % 4) switch
        {
            0 => new DataTypeOperation.SetFlag(true),
            1 => new DataTypeOperation.SetFlag(false),
            _ => SetChange(second, 11),
        };
        var innerName = new FieldName(Bytes("x"), inner.Kind);
        return first switch
        {
            < 3 => Change(new FieldName(Bytes(Names[first % 2]), DataTypeKind.Set), SetChange(second, 11)),
            3 => Change(new FieldName(Bytes("f"), DataTypeKind.Flag), new DataTypeOperation.SetFlag(second % 3 > 0)),
            4 => Change(new FieldName(Bytes("r"), DataTypeKind.Register), new DataTypeOperation.Assign(Bytes($"{second}"))),
            < 7 => Change(new FieldName(Bytes("m"), DataTypeKind.Map), Change(innerName, inner)),
            7 => Change(new FieldName(Bytes("m"), DataTypeKind.Map), new DataTypeOperation.ChangeMap([], [innerName])),
            8 => new DataTypeOperation.ChangeMap([], [new FieldName(Bytes("m"), DataTypeKind.Map)]),
            9 => new DataTypeOperation.ChangeMap([], [new FieldName(Bytes("f"), DataTypeKind.Flag), new FieldName(Bytes("r"), DataTypeKind.Register)]),
            _ => new DataTypeOperation.ChangeMap([], [new FieldName(Bytes(Names[first % 2]), DataTypeKind.Set)]),
        };
    }

    private static DataTypeOperation.ChangeMap Change(FieldName field, DataTypeOperation operation) => new([KeyValuePair.Create(field, operation)], []);

    private static bool Adds(TypedHistory history, int update, string name) => (history.Updates[update].Operation as DataTypeOperation.ChangeSet)?.Adds.Any(added => Text(added) == name) == true;

    private static bool Removes(TypedHistory history, int update, string name) => history.Updates[update].Operation is not DataTypeOperation.ChangeSet change || change.Removes.Any(removed => Text(removed) == name);

    /// <summary>
    /// Every place that an update of the history touched, with what it should show: there, where some update that touched it no removal of it, or of a field around it, had seen.
    /// </summary>
    private static List<string> ExpectedMap(TypedHistory history, int vnode)
    {
        var touches = history.Heard[vnode].SelectMany(update => Touches(history.Updates[update].Operation, "").Select(touch => (Update: update, touch.Path, touch.IsRemoval))).ToList();
        bool IsLive((int Update, string Path, bool IsRemoval) touch) => !touch.IsRemoval && !touches.Any(other =>
            other.IsRemoval && (other.Path.Length == 0 || touch.Path == other.Path || touch.Path.StartsWith(other.Path + "/", StringComparison.Ordinal)) && history.Updates[other.Update].Seen.Contains(touch.Update));
        var live = touches.Where(IsLive).ToList();

        // Of assignments those count that no other which was heard of had heard of.
        var latest = live.Where(touch => touch.Path.StartsWith("Register:r/", StringComparison.Ordinal))
            .Where(touch => !live.Any(other => other.Path.StartsWith("Register:r/", StringComparison.Ordinal) && history.Updates[other.Update].Heard.Contains(touch.Update)))
            .OrderBy(touch => touch.Update)
            .LastOrDefault();
        return [.. live.Select(touch => touch.Path).Where(path => !path.StartsWith("Register:r/", StringComparison.Ordinal) || path == latest.Path).Distinct().Order(StringComparer.Ordinal)];
    }

    private static IEnumerable<(string Path, bool IsRemoval)> Touches(DataTypeOperation? operation, string path)
    {
        switch (operation)
        {
            case null:
                yield return ("", true);
                break;
            case DataTypeOperation.ChangeMap change:
                foreach (var field in change.Removes)
                {
                    yield return (Joined(path, Shown(field)), true);
                }

                foreach (var (field, inner) in change.Updates)
                {
                    yield return (Joined(path, Shown(field)), false);
                    foreach (var touch in Touches(inner, Joined(path, Shown(field))))
                    {
                        yield return touch;
                    }
                }

                break;
            case DataTypeOperation.ChangeSet change:
                foreach (var member in change.Adds)
                {
                    yield return (path + "/" + Text(member), false);
                }

                foreach (var member in change.Removes)
                {
                    yield return (path + "/" + Text(member), true);
                }

                break;
            case DataTypeOperation.SetFlag flag:
                yield return (path + "/on", !flag.Enable);
                break;
            case DataTypeOperation.Assign assign:
                yield return (path + "/" + Text(assign.Value), false);
                break;
        }
    }

    private static string Joined(string path, string name) => path.Length == 0 ? name : path + "/" + name;

    private static string Shown(FieldName field) => $"{field.Kind}:{Text(field.Name)}";

    private static List<string> Shown(MapStore map) => [.. Shown(map, "").Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Shown(DotStore store, string path) => store switch
    {
        MapStore map => map.Entries.SelectMany(entry => Shown(entry.Value, Joined(path, Shown(entry.Key))).Prepend(Joined(path, Shown(entry.Key)))),
        SetStore set => set.Values.Select(member => path + "/" + Text(member)),
        FlagStore { Value: true } => [path + "/on"],
        RegisterStore { IsEmpty: false } register => [path + "/" + Text(register.Value)],
        _ => [],
    };

    private static void AssertSame(DataType a, DataType b) => Assert.Equal(Convert.ToHexString(DataTypeCodec.Encode(a).Span), Convert.ToHexString(DataTypeCodec.Encode(b).Span));
}
