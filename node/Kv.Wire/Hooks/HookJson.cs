using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Wire.Riak;
using Kv.Wire.Riak.Http;

namespace Kv.Wire.Hooks;

/// <summary>
/// Objects as hooks are shown them, Riak's JSON form (riak_object_json): `bucket_type`, `bucket`, `key`, `vclock`, `values` of `metadata` and `data`. A value that is not plain text has `"encoding": "base64"`
/// beside it.
/// </summary>
internal static class HookJson
{
    private const string Base64 = "base64";

    /// <summary>Control characters take six bytes in JSON; but for those of ordinary texts, a value that has some goes as base64.</summary>
    private static readonly SearchValues<byte> Uncommon = SearchValues.Create([.. Enumerable.Range(0, 32).Select(code => (byte)code).Where(code => code is not (9 or 10 or 13))]);

    private static readonly JsonDocumentOptions Shallow = new() { MaxDepth = 8 };

    public static ReadOnlyMemory<byte> Write(ObjectKey key, KvObject shown)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, PlainJson.Writer))
        {
            json.WriteStartObject();
            ObjectJson.WriteName(json, key, alwaysTyped: true);
            json.WriteString("vclock", Convert.ToBase64String(CausalContext.Encode(shown.Clock)));
            json.WriteStartArray("values");
            foreach (var sibling in shown.Siblings)
            {
                json.WriteStartObject();
                json.WriteStartObject("metadata");
                ObjectJson.WriteMetadata(json, sibling);
                json.WriteEndObject();
                WriteData(json, sibling.Value.Span);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    /// <summary>Of values and metadata, as they are: what the bound on what hooks are shown counts.</summary>
    public static long BytesOf(KvObject shown)
    {
        var bytes = 0L;
        foreach (var sibling in shown.Siblings)
        {
            var metadata = sibling.Metadata;
            bytes += sibling.ValueBytes + metadata.Links.Sum(link => (long)link.Bucket.Length + link.Key.Length + link.Tag.Length)
                + metadata.UserMetadata.Concat(metadata.Indexes).Sum(pair => (long)pair.Key.Length + pair.Value.Length);
        }

        return bytes;
    }

    /// <summary>What a hook makes of the write <paramref name="sent"/>: an object of the same form with one value; metadata that are left away stay.</summary>
    public static bool TryReadContent(ReadOnlyMemory<byte> reply, Sibling sent, [NotNullWhen(true)] out Sibling? content, out string problem)
    {
        content = null;
        problem = "it has not exactly one value";
        try
        {
            using var json = JsonDocument.Parse(reply, Shallow);
            if (json.RootElement.ValueKind != JsonValueKind.Object
                || !json.RootElement.TryGetProperty("values", out var values) || values.ValueKind != JsonValueKind.Array || values.GetArrayLength() != 1
                || values[0].ValueKind != JsonValueKind.Object)
            {
                return false;
            }

            if (ReadData(values[0]) is not { } value)
            {
                problem = "its value has no data";
                return false;
            }

            var metadata = sent.Metadata;
            if (values[0].TryGetProperty("metadata", out var given) && !TryReadMetadata(given, out metadata, out problem))
            {
                return false;
            }

            content = sent with { Value = value, Metadata = metadata };
            return true;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            problem = "it is not JSON of that form";
            return false;
        }
    }

    private static void WriteData(Utf8JsonWriter json, ReadOnlySpan<byte> value)
    {
        if (Utf8.IsValid(value) && !value.ContainsAny(Uncommon))
        {
            json.WriteString("data", value);
        }
        else
        {
            json.WriteBase64String("data", value);
            json.WriteString("encoding", Base64);
        }
    }

    private static byte[]? ReadData(JsonElement value)
    {
        if (!value.TryGetProperty("data", out var data) || data.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        return !value.TryGetProperty("encoding", out var encoding) ? System.Text.Encoding.UTF8.GetBytes(data.GetString()!)
            : encoding.ValueKind == JsonValueKind.String && encoding.ValueEquals(Base64) ? data.GetBytesFromBase64()
            : null;
    }

    private static bool TryReadMetadata(JsonElement json, out ObjectMetadata metadata, out string problem)
    {
        metadata = ObjectMetadata.Empty;
        problem = "its metadata are no object";
        if (json.ValueKind != JsonValueKind.Object)
        {
            return false;
        }

        foreach (var member in json.EnumerateObject())
        {
            metadata = member.Name switch
            {
                "content-type" => metadata with { ContentType = member.Value.GetString() },
                "charset" => metadata with { Charset = member.Value.GetString() },
                "content-encoding" => metadata with { ContentEncoding = member.Value.GetString() },
                "Links" => metadata with { Links = [.. member.Value.EnumerateArray().Select(ReadLink)] },
                "X-Riak-Meta" => metadata with { UserMetadata = ReadPairs(member.Value) },
                "index" => metadata with { Indexes = [.. ReadPairs(member.Value).Select(pair => KeyValuePair.Create(pair.Key.ToLowerInvariant(), pair.Value))] },

                // The store's to give; they come back from hooks that change what they were shown.
                "X-Riak-VTag" or "X-Riak-Last-Modified" => metadata,
                _ => throw new FormatException(),
            };
        }

        foreach (var (field, value) in metadata.Indexes)
        {
            if (IndexField.Check(field, value) != IndexProblem.None)
            {
                problem = $"its index entry {field} is none";
                return false;
            }
        }

        return true;
    }

    private static Link ReadLink(JsonElement link) => link.GetArrayLength() == 3
        ? new Link(TextOf(link[0]), TextOf(link[1]), TextOf(link[2]))
        : throw new FormatException();

    private static string TextOf(JsonElement text) => text.GetString() ?? throw new FormatException();

    private static ImmutableArray<KeyValuePair<string, string>> ReadPairs(JsonElement pairs)
    {
        var read = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        foreach (var pair in pairs.EnumerateObject())
        {
            foreach (var value in pair.Value.ValueKind == JsonValueKind.Array ? pair.Value.EnumerateArray().AsEnumerable() : [pair.Value])
            {
                read.Add(KeyValuePair.Create(pair.Name, TextOf(value)));
            }
        }

        return read.ToImmutable();
    }
}
