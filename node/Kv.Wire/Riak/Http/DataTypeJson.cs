using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Kv.Core.Causality;
using Kv.Core.DataTypes;

namespace Kv.Wire.Riak.Http;

/// <summary>States of data types as JSON (riak_kv_crdt_json; reference 5.3): `{"type":…,"value":…,"context":…}`, fields of maps as `NAME_KIND`.</summary>
internal static class DataTypeJson
{
    /// <summary>The whole answer; false where a member, a register or a name is no text, which JSON cannot carry.</summary>
    public static bool TryWrite(Utf8JsonWriter json, DataType state, bool withContext)
    {
        json.WriteStartObject();
        json.WriteString("type", DataTypeNames.Of(state.Kind));
        json.WritePropertyName("value");
        var isText = TryWriteValue(json, state);
        if (withContext && state is CausalDataType { Kind: DataTypeKind.Set or DataTypeKind.Map, Clock: { IsEmpty: false } clock })
        {
            json.WriteBase64String("context", CausalContext.Encode(clock));
        }

        json.WriteEndObject();
        return isText;
    }

    private static bool TryWriteValue(Utf8JsonWriter json, DataType state)
    {
        switch (state)
        {
            case HyperLogLog estimate:
                json.WriteNumberValue(estimate.Estimate);
                return true;
            case GrowOnlySet set:
                return TryWriteMembers(json, set.Members);
            case CausalDataType causal:
                return TryWriteStore(json, causal.Root);
            default:
                throw new System.Diagnostics.UnreachableException($"{state.Kind} has no form in JSON");
        }
    }

    private static bool TryWriteStore(Utf8JsonWriter json, DotStore store)
    {
        switch (store)
        {
            case CounterStore counter:
                json.WriteRawValue(counter.Value.ToString(CultureInfo.InvariantCulture));
                return true;
            case FlagStore flag:
                json.WriteBooleanValue(flag.Value);
                return true;
            case RegisterStore register:
                return TryWriteText(json, register.Value.Span);
            case SetStore set:
                return TryWriteMembers(json, set.Values);
            case MapStore map:
                return TryWriteMap(json, map);
            default:
                throw new System.Diagnostics.UnreachableException($"{store.GetType().Name} has no form in JSON");
        }
    }

    private static bool TryWriteMap(Utf8JsonWriter json, MapStore map)
    {
        json.WriteStartObject();
        var isText = true;
        foreach (var (name, content) in map.Entries)
        {
            isText &= Utf8.IsValid(name.Name.Span);
            json.WritePropertyName($"{Encoding.UTF8.GetString(name.Name.Span)}_{DataTypeNames.Of(name.Kind)}");
            isText &= TryWriteStore(json, content);
        }

        json.WriteEndObject();
        return isText;
    }

    private static bool TryWriteMembers(Utf8JsonWriter json, IEnumerable<ReadOnlyMemory<byte>> members)
    {
        json.WriteStartArray();
        var isText = true;
        foreach (var member in members)
        {
            isText &= TryWriteText(json, member.Span);
        }

        json.WriteEndArray();
        return isText;
    }

    private static bool TryWriteText(Utf8JsonWriter json, ReadOnlySpan<byte> text)
    {
        var isText = Utf8.IsValid(text);
        json.WriteStringValue(isText ? text : []);
        return isText;
    }
}
