using System.Numerics;
using Google.Protobuf.Collections;
using Google.Protobuf;
using Kv.Core.DataTypes;
using Kv.Protos.Riak;

namespace Kv.Wire.Riak.Pb;

/// <summary>States of data types as messages (riak_pb_dt_codec).</summary>
internal static class PbDataTypeValues
{
    public static DtFetchResp.Types.DataType TypeOf(DataTypeKind kind) => kind switch
    {
        DataTypeKind.Counter => DtFetchResp.Types.DataType.Counter,
        DataTypeKind.Set => DtFetchResp.Types.DataType.Set,
        DataTypeKind.Map => DtFetchResp.Types.DataType.Map,
        DataTypeKind.HyperLogLog => DtFetchResp.Types.DataType.Hll,
        _ => DtFetchResp.Types.DataType.Gset,
    };

    public static DtValue Value(DataType state)
    {
        var value = new DtValue();
        switch (state)
        {
            case CausalDataType { Root: CounterStore counter }:
                value.CounterValue = Number(counter.Value);
                break;
            case HyperLogLog estimate:
                value.HllValue = estimate.Estimate;
                break;
            case GrowOnlySet set:
                value.GsetValue.Add(set.Members.Select(PbFields.Wrap));
                break;
            case CausalDataType { Root: SetStore set }:
                value.SetValue.Add(set.Values.Select(PbFields.Wrap));
                break;
            case CausalDataType { Root: MapStore map }:
                AddEntries(value.MapValue, map);
                break;
        }

        return value;
    }

    /// <summary>What a removal has to name later; empty where no removal needs it.</summary>
    public static ByteString Context(DataType state) => state is CausalDataType { Kind: DataTypeKind.Set or DataTypeKind.Map } causal ? PbContents.Context(causal.Clock) : ByteString.Empty;

    /// <summary>Counters have no bounds inside, and 64 bits on this wire: beyond those the nearest number.</summary>
    public static long Number(BigInteger value) => (long)BigInteger.Clamp(value, long.MinValue, long.MaxValue);

    private static void AddEntries(RepeatedField<MapEntry> entries, MapStore map)
    {
        foreach (var (name, content) in map.Entries)
        {
            var entry = new MapEntry { Field = new MapField { Name = PbFields.Wrap(name.Name), Type = TypeOfField(name.Kind) } };
            switch (content)
            {
                case CounterStore counter:
                    entry.CounterValue = Number(counter.Value);
                    break;
                case RegisterStore register:
                    entry.RegisterValue = PbFields.Wrap(register.Value);
                    break;
                case FlagStore flag:
                    entry.FlagValue = flag.Value;
                    break;
                case SetStore set:
                    entry.SetValue.Add(set.Values.Select(PbFields.Wrap));
                    break;
                case MapStore inner:
                    AddEntries(entry.MapValue, inner);
                    break;
            }

            entries.Add(entry);
        }
    }

    private static MapField.Types.MapFieldType TypeOfField(DataTypeKind kind) => kind switch
    {
        DataTypeKind.Counter => MapField.Types.MapFieldType.Counter,
        DataTypeKind.Set => MapField.Types.MapFieldType.Set,
        DataTypeKind.Register => MapField.Types.MapFieldType.Register,
        DataTypeKind.Flag => MapField.Types.MapFieldType.Flag,
        _ => MapField.Types.MapFieldType.Map,
    };
}
