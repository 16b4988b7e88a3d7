using System.Text.Json;
using Kv.Core.DataTypes;
using Kv.Fuzz.Running;
using Kv.Wire.Riak.Http;

namespace Kv.Fuzz.Targets;

/// <summary>States of data types, the values of stored objects: clients can write them as such.</summary>
internal sealed class DataTypeTarget : FuzzTarget
{
    public override string Name => "data-type";

    /// <summary>A HyperLogLog has 64 KiB of registers, however few bytes it comes in, and merging makes it anew.</summary>
    public override long FixedBytes => 2 * 1024 * 1024;

    public override long BytesPerByte => 1024;

    public override IReadOnlyList<string> Words => ["riak_dt_pncounter", "riak_dt_orswot", "riak_dt_map", "riak_dt_gset", "riak_kv_hll"];

    public override IEnumerable<byte[]> Seeds => DataTypeSamples.States.Select(state => DataTypeCodec.Encode(state).ToArray());

    public override void Take(byte[] input)
    {
        if (!DataTypeCodec.TryDecode(input, out var state, out _))
        {
            return;
        }

        var encoded = DataTypeCodec.Encode(state);
        FuzzFailure.Unless(DataTypeCodec.TryDecode(encoded.Span, out var again, out var reason), $"what was encoded is no state: {reason}");
        FuzzFailure.UnlessSame(encoded.Span, DataTypeCodec.Encode(again!).Span, "a state");
        _ = state.Merge(again!);
        using var json = new Utf8JsonWriter(Stream.Null, PlainJson.Writer);
        _ = DataTypeJson.TryWrite(json, state, withContext: true);
    }
}
