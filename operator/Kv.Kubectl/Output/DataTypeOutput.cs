using System.Text.Json.Nodes;
using Google.Protobuf;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Output;

/// <summary>
/// A data type as it is printed: a number, members one to a line, a map as a table whose fields are named as `kv map update` takes them. As JSON the value is as in Riak's HTTP interface; bytes that are no
/// text are an object with `base64`, and in a field's name marked as in a listing.
/// </summary>
internal static class DataTypeOutput
{
    public static async Task WriteAsync(DataTypeValue value, Terminal terminal, CancellationToken cancel)
    {
        if (value.ValueCase == DataTypeValue.ValueOneofCase.Map)
        {
            new TablePrinter(terminal).Print(["field", "value"], Rows(value.Map, ""));
            return;
        }

        foreach (var line in Lines(value))
        {
            await terminal.Text.WriteLineAsync(line.AsMemory(), cancel);
        }
    }

    public static JsonObject ToJson(Key key, DataTypeValue value, ByteString context)
    {
        var json = ObjectPrinter.ToJson(key);
        json["kind"] = KindOf(value);
        json["value"] = ToJson(value);
        if (!context.IsEmpty)
        {
            json["context"] = context.ToBase64();
        }

        return json;
    }

    private static JsonNode? ToJson(DataTypeValue value)
    {
        switch (value.ValueCase)
        {
            case DataTypeValue.ValueOneofCase.Counter:
                return JsonNode.Parse(value.Counter);
            case DataTypeValue.ValueOneofCase.Hll:
                return value.Hll;
            case DataTypeValue.ValueOneofCase.Flag:
                return value.Flag;
            case DataTypeValue.ValueOneofCase.Register:
                return TextOf(value.Register);
            case DataTypeValue.ValueOneofCase.Set:
                return new JsonArray([.. value.Set.Members_.Select(TextOf)]);
            case DataTypeValue.ValueOneofCase.Gset:
                return new JsonArray([.. value.Gset.Members_.Select(TextOf)]);
            default:
                var json = new JsonObject();
                foreach (var field in value.Map.Fields)
                {
                    json[NameOf(field)] = ToJson(field);
                }

                return json;
        }
    }

    private static JsonNode TextOf(ByteString bytes) => Escape.TextOf(bytes.Span) is { } text ? JsonValue.Create(text)! : new JsonObject { ["base64"] = bytes.ToBase64() };

    /// <summary>The lines of what is no map. A set without members has none.</summary>
    private static IEnumerable<string> Lines(DataTypeValue value) => value.ValueCase switch
    {
        DataTypeValue.ValueOneofCase.Counter => [value.Counter],
        DataTypeValue.ValueOneofCase.Hll => [value.Hll.ToString(System.Globalization.CultureInfo.InvariantCulture)],
        DataTypeValue.ValueOneofCase.Flag => [value.Flag ? "true" : "false"],
        DataTypeValue.ValueOneofCase.Register => [Escape.NameOf(value.Register)],
        DataTypeValue.ValueOneofCase.Set => value.Set.Members_.Select(Escape.NameOf),
        _ => value.Gset.Members_.Select(Escape.NameOf),
    };

    private static IEnumerable<string[]> Rows(DataTypeFields map, string path)
    {
        foreach (var field in map.Fields)
        {
            var name = path + NameOf(field);
            var rows = field.ValueCase == DataTypeValue.ValueOneofCase.Map ? Rows(field.Map, name + ".") : Lines(field).Select(line => new[] { name, line });
            foreach (var row in rows.DefaultIfEmpty([name, ""]))
            {
                yield return row;
            }
        }
    }

    private static string NameOf(DataTypeValue field) => $"{Escape.NameOf(field.Field)}_{KindOf(field)}";

    private static string KindOf(DataTypeValue value) => value.ValueCase.ToString().ToLowerInvariant();
}
