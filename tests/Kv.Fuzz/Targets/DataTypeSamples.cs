using Kv.Core.DataTypes;

namespace Kv.Fuzz.Targets;

/// <summary>A state of each data type, with something in it.</summary>
internal static class DataTypeSamples
{
    public static IReadOnlyList<DataType> States { get; } =
    [
        After(DataTypeKind.Counter, new DataTypeOperation.Increment(-300)),
        After(DataTypeKind.Set, new DataTypeOperation.ChangeSet([Bytes("a"), Bytes("b")], [])),
        After(DataTypeKind.GSet, new DataTypeOperation.Grow([Bytes("a"), Bytes("b")])),
        After(DataTypeKind.HyperLogLog, new DataTypeOperation.Observe([Bytes("a"), Bytes("b")])),
        After(DataTypeKind.Map, Map(Map())),
        After(DataTypeKind.Map, Map(), new DataTypeOperation.ChangeMap([], [new FieldName(Bytes("gone"), DataTypeKind.Map)])),
    ];

    private static DataTypeOperation.ChangeMap Map(params DataTypeOperation[] more) => new(
        [
            .. new DataTypeOperation[]
            {
                new DataTypeOperation.Increment(5), new DataTypeOperation.ChangeSet([Bytes("a")], []), new DataTypeOperation.Assign(Bytes("v")), new DataTypeOperation.SetFlag(true),
            }.Concat(more).Select(operation => KeyValuePair.Create(new FieldName(Bytes("f"), operation.Kind), operation)),
        ],
        []);

    /// <summary>Removals are of what a client saw elsewhere, so that they wait.</summary>
    private static DataType After(DataTypeKind kind, params DataTypeOperation[] operations)
    {
        var (state, counter) = (DataType.Empty(kind, HyperLogLog.LeastPrecision), Samples.Dot.Counter);
        foreach (var operation in operations)
        {
            state = state.Apply(operation, new DataTypeEvent(Samples.Dot with { Counter = counter++ }, 1_700_000_000_000_000, Samples.Clock), out var problem)
                ?? throw new InvalidOperationException(problem!.ToString());
        }

        return state;
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Samples.Utf8(text);
}
