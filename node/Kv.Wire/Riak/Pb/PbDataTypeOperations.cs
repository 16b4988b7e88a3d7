using System.Collections.Immutable;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Kv.Core.DataTypes;
using Kv.Protos.Riak;

namespace Kv.Wire.Riak.Pb;

/// <summary>Messages as operations on data types (riak_pb_dt_codec). Of several operations in one message, which Riak's clients never send, the first of the list counts.</summary>
internal static class PbDataTypeOperations
{
    /// <summary>The operation; null for a message without one.</summary>
    public static DataTypeOperation? Read(DtOp message, ref PbFields fields) =>
        message.CounterOp is { } counter ? Increment(counter)
        : message.SetOp is { } set ? Change(set)
        : message.MapOp is { } map ? Change(map, ref fields)
        : message.HllOp is { } hll ? new DataTypeOperation.Observe(Members(hll.Adds))
        : message.GsetOp is { } gset ? new DataTypeOperation.Grow(Members(gset.Adds))
        : null;

    private static DataTypeOperation.Increment Increment(CounterOp message) => new(message.HasIncrement ? message.Increment : 1);

    private static DataTypeOperation.ChangeSet Change(SetOp message) => new(Members(message.Adds), Members(message.Removes));

    private static DataTypeOperation.ChangeMap Change(MapOp message, ref PbFields fields)
    {
        var updates = ImmutableArray.CreateBuilder<KeyValuePair<FieldName, DataTypeOperation>>(message.Updates.Count);
        foreach (var update in message.Updates)
        {
            if (Read(update, ref fields) is { } operation)
            {
                updates.Add(KeyValuePair.Create(Name(update.Field, ref fields), operation));
            }
            else
            {
                fields.Refuse(PbErrors.Malformed("a MapUpdate has no operation"));
            }
        }

        var removes = ImmutableArray.CreateBuilder<FieldName>(message.Removes.Count);
        foreach (var removed in message.Removes)
        {
            removes.Add(Name(removed, ref fields));
        }

        return new DataTypeOperation.ChangeMap(updates.DrainToImmutable(), removes.DrainToImmutable());
    }

    private static DataTypeOperation? Read(MapUpdate message, ref PbFields fields) =>
        message.CounterOp is { } counter ? Increment(counter)
        : message.SetOp is { } set ? Change(set)
        : message.HasRegisterOp ? new DataTypeOperation.Assign(message.RegisterOp.Memory)
        : message.HasFlagOp ? new DataTypeOperation.SetFlag(message.FlagOp == MapUpdate.Types.FlagOp.Enable)
        : message.MapOp is { } map ? Change(map, ref fields)
        : null;

    private static FieldName Name(MapField? field, ref PbFields fields)
    {
        if (field is { HasType: true })
        {
            return new FieldName(field.Name.Memory, KindOf(field.Type));
        }

        fields.Refuse(PbErrors.Malformed("a MapField has no type"));
        return default;
    }

    private static DataTypeKind KindOf(MapField.Types.MapFieldType type) => type switch
    {
        MapField.Types.MapFieldType.Counter => DataTypeKind.Counter,
        MapField.Types.MapFieldType.Set => DataTypeKind.Set,
        MapField.Types.MapFieldType.Register => DataTypeKind.Register,
        MapField.Types.MapFieldType.Flag => DataTypeKind.Flag,
        _ => DataTypeKind.Map,
    };

    private static ImmutableArray<ReadOnlyMemory<byte>> Members(RepeatedField<ByteString> members) => [.. members.Select(member => member.Memory)];
}
