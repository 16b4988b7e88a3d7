using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Kv.Cluster;
using Kv.Core.Causality;
using Kv.Core.DataTypes;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// JSON as operations on data types (riak_kv_crdt_json; reference 5.3). The first thing that makes no sense becomes <see cref="Fault"/>; the rest reads on.
/// </summary>
internal sealed class DataTypeUpdateJson
{
    /// <summary>Two levels for each map in a map.</summary>
    public const int MaxDepth = 128;

    private VersionVector? context;

    public HttpFault? Fault { get; private set; }

    /// <summary>What a body asks of a data type; <see cref="Fault"/> says why where it is null.</summary>
    public DataTypeUpdate? Read(ReadOnlyMemory<byte> body, DataTypeKind kind)
    {
        try
        {
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth });
            var operation = Operation(json.RootElement, kind);
            return Fault is null ? new DataTypeUpdate(operation, context) : null;
        }
        catch (JsonException malformed)
        {
            Fault = HttpErrors.BadJson(malformed.Message);
        }
        catch (InvalidOperationException)
        {
            // A text that the parser took and that is not UTF-8 all the same.
            Fault = HttpErrors.NotUtf8;
        }

        return null;
    }

    private DataTypeOperation Operation(JsonElement json, DataTypeKind kind) => kind switch
    {
        DataTypeKind.Counter => Counter(json),
        DataTypeKind.Set => Set(json),
        DataTypeKind.GSet => new DataTypeOperation.Grow(Added(json, kind)),
        DataTypeKind.HyperLogLog => new DataTypeOperation.Observe(Added(json, kind)),
        DataTypeKind.Register => Register(json),
        DataTypeKind.Flag => Flag(json),
        _ => Map(json),
    };

    private DataTypeOperation.Increment Counter(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Number:
                return new(Integer(json, json));
            case JsonValueKind.String when json.ValueEquals("increment"):
                return new(1);
            case JsonValueKind.String when json.ValueEquals("decrement"):
                return new(-1);
            case JsonValueKind.Object when Sole(json) is { } asked && asked.NameEquals("increment"):
                return new(Integer(asked.Value, json));
            case JsonValueKind.Object when Sole(json) is { } asked && asked.NameEquals("decrement"):
                return new(-Integer(asked.Value, json));
            default:
                Refuse(DataTypeKind.Counter, json);
                return new(0);
        }
    }

    private BigInteger Integer(JsonElement number, JsonElement json)
    {
        if (number.ValueKind == JsonValueKind.Number && number.GetRawText() is { Length: <= DataTypeOperation.Increment.MostDigits } text && BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
        {
            return value;
        }

        Refuse(DataTypeKind.Counter, json);
        return 0;
    }

    private DataTypeOperation.ChangeSet Set(JsonElement json)
    {
        var (adds, removes) = (new List<ReadOnlyMemory<byte>>(), new List<ReadOnlyMemory<byte>>());
        Set(json, adds, removes);
        return new([.. adds], [.. removes]);
    }

    private void Set(JsonElement json, List<ReadOnlyMemory<byte>> adds, List<ReadOnlyMemory<byte>> removes)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            Refuse(DataTypeKind.Set, json);
            return;
        }

        foreach (var asked in json.EnumerateObject())
        {
            switch (asked.Name)
            {
                case "add" or "add_all":
                    adds.AddRange(Texts(asked.Value, DataTypeKind.Set, json));
                    break;
                case "remove" or "remove_all":
                    removes.AddRange(Texts(asked.Value, DataTypeKind.Set, json));
                    break;
                case "update" when asked.Value.ValueKind == JsonValueKind.Array:
                    foreach (var inner in asked.Value.EnumerateArray())
                    {
                        Set(inner, adds, removes);
                    }

                    break;
                case "context":
                    ReadContext(asked.Value);
                    break;
                default:
                    Refuse(DataTypeKind.Set, json);
                    break;
            }
        }
    }

    private ImmutableArray<ReadOnlyMemory<byte>> Added(JsonElement json, DataTypeKind kind)
    {
        if (json.ValueKind == JsonValueKind.Object && Sole(json) is { Name: "add" or "add_all" } asked)
        {
            return [.. Texts(asked.Value, kind, json)];
        }

        Refuse(kind, json);
        return [];
    }

    private DataTypeOperation.Assign Register(JsonElement json)
    {
        var value = json.ValueKind == JsonValueKind.Object && Sole(json) is { Name: "assign" } asked ? asked.Value : json;
        if (value.ValueKind == JsonValueKind.String)
        {
            return new(Bytes(value));
        }

        Refuse(DataTypeKind.Register, json);
        return new(default(ReadOnlyMemory<byte>));
    }

    private DataTypeOperation.SetFlag Flag(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.String && (json.ValueEquals("enable") || json.ValueEquals("disable")))
        {
            return new(json.ValueEquals("enable"));
        }

        Refuse(DataTypeKind.Flag, json);
        return new(false);
    }

    private DataTypeOperation.ChangeMap Map(JsonElement json)
    {
        var updates = ImmutableArray.CreateBuilder<KeyValuePair<FieldName, DataTypeOperation>>();
        var removes = ImmutableArray.CreateBuilder<FieldName>();
        if (json.ValueKind != JsonValueKind.Object)
        {
            Refuse(DataTypeKind.Map, json);
            return new([], []);
        }

        foreach (var asked in json.EnumerateObject())
        {
            switch (asked.Name)
            {
                case "update" when asked.Value.ValueKind == JsonValueKind.Object:
                    foreach (var update in asked.Value.EnumerateObject())
                    {
                        var field = Field(update.Name);
                        updates.Add(KeyValuePair.Create(field, Operation(update.Value, field.Kind)));
                    }

                    break;
                case "remove":
                    foreach (var name in Texts(asked.Value, DataTypeKind.Map, json))
                    {
                        removes.Add(Field(Encoding.UTF8.GetString(name.Span)));
                    }

                    break;
                case "context":
                    ReadContext(asked.Value);
                    break;
                default:
                    Refuse(DataTypeKind.Map, json);
                    break;
            }
        }

        return new(updates.DrainToImmutable(), removes.DrainToImmutable());
    }

    /// <summary>`NAME_KIND`; the name may have underscores of its own.</summary>
    private FieldName Field(string text)
    {
        var end = text.LastIndexOf('_');
        if (end >= 0 && DataTypeNames.Find(text[(end + 1)..]) is { } kind and <= DataTypeKind.Map)
        {
            return new FieldName(Encoding.UTF8.GetBytes(text[..end]), kind);
        }

        Fault ??= HttpErrors.BadFieldName(text);
        return new FieldName(default, DataTypeKind.Flag);
    }

    /// <summary>One text, or an array of them.</summary>
    private List<ReadOnlyMemory<byte>> Texts(JsonElement json, DataTypeKind kind, JsonElement whole)
    {
        var texts = new List<ReadOnlyMemory<byte>>();
        JsonElement[] elements = json.ValueKind == JsonValueKind.Array ? [.. json.EnumerateArray()] : [json];
        foreach (var element in elements)
        {
            if (element.ValueKind == JsonValueKind.String)
            {
                texts.Add(Bytes(element));
            }
            else
            {
                Refuse(kind, whole);
            }
        }

        return texts;
    }

    private void ReadContext(JsonElement json)
    {
        var reason = "it is not base64";
        if (json.ValueKind == JsonValueKind.String && json.TryGetBytesFromBase64(out var token) && CausalContext.TryDecode(token, out var seen, out reason))
        {
            context = seen;
            return;
        }

        Fault ??= HttpErrors.BadDataTypeContext(reason);
    }

    private void Refuse(DataTypeKind kind, JsonElement json) => Fault ??= HttpErrors.BadOperation(DataTypeNames.Of(kind), json.GetRawText());

    private static JsonProperty? Sole(JsonElement json) => json.GetPropertyCount() == 1 ? json.EnumerateObject().First() : null;

    private static ReadOnlyMemory<byte> Bytes(JsonElement text) => Encoding.UTF8.GetBytes(text.GetString()!);
}
