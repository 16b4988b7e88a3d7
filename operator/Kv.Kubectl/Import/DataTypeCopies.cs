using System.Globalization;
using Google.Protobuf;
using Kv.Protos.Kv.V1;
using Kv.Protos.Riak;

namespace Kv.Kubectl.Import;

/// <summary>
/// Values of Riak's data types as those of `kv.v1`, in one form, so that two can be compared; and the operation that makes such a value where there is none. The form leaves out what reads the same when it is not there, in
/// maps: empty sets and maps, counters at zero, flags that are disabled.
/// </summary>
internal static class DataTypeCopies
{
    /// <summary>Null where nothing is there.</summary>
    public static DataTypeValue? ValueOf(DtFetchResp fetched) => fetched.Value is not { } value ? null : fetched.Type switch
    {
        DtFetchResp.Types.DataType.Counter => new DataTypeValue { Counter = Number(value.CounterValue) },
        DtFetchResp.Types.DataType.Set => new DataTypeValue { Set = Sorted(value.SetValue) },
        DtFetchResp.Types.DataType.Gset => new DataTypeValue { Gset = Sorted(value.GsetValue) },
        DtFetchResp.Types.DataType.Map => new DataTypeValue { Map = Sorted(value.MapValue.Select(ValueOf)) },
        _ => throw new KeyRefusedException($"a data type of the kind {fetched.Type} cannot be copied"),
    };

    /// <summary>The one form of a value that came from elsewhere.</summary>
    public static DataTypeValue Plain(DataTypeValue value)
    {
        var plain = value.Clone();
        switch (plain.ValueCase)
        {
            case DataTypeValue.ValueOneofCase.Set:
                plain.Set = Sorted(plain.Set.Members_);
                break;
            case DataTypeValue.ValueOneofCase.Gset:
                plain.Gset = Sorted(plain.Gset.Members_);
                break;
            case DataTypeValue.ValueOneofCase.Map:
                plain.Map = Sorted(plain.Map.Fields.Select(Plain));
                break;
        }

        return plain;
    }

    /// <summary>A set or map with nothing in it, which no operation makes and which reads as one that is not there.</summary>
    public static bool IsEmpty(DataTypeValue value) => value.ValueCase switch
    {
        DataTypeValue.ValueOneofCase.Set => value.Set.Members_.Count == 0,
        DataTypeValue.ValueOneofCase.Gset => value.Gset.Members_.Count == 0,
        DataTypeValue.ValueOneofCase.Map => value.Map.Fields.Count == 0,
        _ => false,
    };

    public static DataTypeOperation OperationOf(DataTypeValue value)
    {
        var operation = new DataTypeOperation { Field = value.Field };
        switch (value.ValueCase)
        {
            case DataTypeValue.ValueOneofCase.Counter:
                operation.Increment = value.Counter;
                break;
            case DataTypeValue.ValueOneofCase.Set:
                operation.Set = new SetChange { Adds = { value.Set.Members_ } };
                break;
            case DataTypeValue.ValueOneofCase.Register:
                operation.Assign = value.Register;
                break;
            case DataTypeValue.ValueOneofCase.Flag:
                operation.Flag = value.Flag;
                break;
            case DataTypeValue.ValueOneofCase.Map:
                operation.Map = new MapChange { Updates = { value.Map.Fields.Select(OperationOf) } };
                break;
            case DataTypeValue.ValueOneofCase.Gset:
                operation.Gset = value.Gset.Clone();
                break;
            default:
                throw new KeyRefusedException($"a data type of the kind {value.ValueCase} cannot be copied");
        }

        return operation;
    }

    private static DataTypeValue ValueOf(MapEntry entry)
    {
        var value = new DataTypeValue { Field = entry.Field.Name };
        switch (entry.Field.Type)
        {
            case MapField.Types.MapFieldType.Counter:
                value.Counter = Number(entry.CounterValue);
                break;
            case MapField.Types.MapFieldType.Set:
                value.Set = Sorted(entry.SetValue);
                break;
            case MapField.Types.MapFieldType.Register:
                value.Register = entry.RegisterValue;
                break;
            case MapField.Types.MapFieldType.Flag:
                value.Flag = entry.FlagValue;
                break;
            case MapField.Types.MapFieldType.Map:
                value.Map = Sorted(entry.MapValue.Select(ValueOf));
                break;
        }

        return value;
    }

    private static Members Sorted(IEnumerable<ByteString> members) => new() { Members_ = { members.OrderBy(member => member, Bytes) } };

    private static DataTypeFields Sorted(IEnumerable<DataTypeValue> fields) =>
        new() { Fields = { fields.Where(field => !IsAsAbsent(field)).OrderBy(field => field.Field, Bytes).ThenBy(field => field.ValueCase) } };

    private static bool IsAsAbsent(DataTypeValue field) =>
        IsEmpty(field) || field is { ValueCase: DataTypeValue.ValueOneofCase.Flag, Flag: false } or { ValueCase: DataTypeValue.ValueOneofCase.Counter, Counter: "0" };

    private static readonly Comparer<ByteString> Bytes = Comparer<ByteString>.Create((left, right) => left.Span.SequenceCompareTo(right.Span));

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
