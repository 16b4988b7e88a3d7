using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using Kv.Core.Buckets;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Core.Membership;

/// <summary>The JSON forms of what documents and changes are made of. Names are persisted and sent: append only.</summary>
internal static class DocumentJson
{
    public static void WriteMember(Utf8JsonWriter json, Member member)
    {
        json.WriteStartObject();
        WriteNode(json, "id", member.Id);
        json.WriteString("name", member.Name);
        json.WriteString("zone", member.Zone);
        json.WriteNumber("state", (int)member.State);
        WriteEndpoints(json, "endpoints", member.Endpoints);
        json.WriteEndObject();
    }

    public static Member ReadMember(JsonElement json) => new(
        ReadNode(json, "id"),
        ReadString(json, "name"),
        ReadString(json, "zone"),
        ReadEnum<MemberState>(json, "state"),
        ReadEndpoints(json, "endpoints"));

    public static void WriteEndpoints(Utf8JsonWriter json, string name, ImmutableSortedDictionary<string, string> endpoints)
    {
        json.WriteStartObject(name);

        // By ordinal order whatever comparer the dictionary has, so that equal values have equal bytes.
        foreach (var (protocol, address) in endpoints.OrderBy(e => e.Key, StringComparer.Ordinal))
        {
            json.WriteString(protocol, address);
        }

        json.WriteEndObject();
    }

    public static ImmutableSortedDictionary<string, string> ReadEndpoints(JsonElement json, string name) => json.GetProperty(name).EnumerateObject()
        .ToImmutableSortedDictionary(e => e.Name, e => e.Value.GetString() ?? throw new FormatException($"endpoint {e.Name} is null"), StringComparer.Ordinal);

    public static void WriteNode(Utf8JsonWriter json, string name, NodeId node) => json.WriteString(name, node.ToString());

    public static NodeId ReadNode(JsonElement json, string name) => ReadNode(json.GetProperty(name));

    public static NodeId ReadNode(JsonElement json) =>
        NodeId.TryParse(json.GetString(), out var node) ? node : throw new FormatException($"{json.GetRawText()} is not a node's id");

    public static void WritePartitions(Utf8JsonWriter json, string name, ImmutableArray<PartitionId> partitions)
    {
        json.WriteStartArray(name);
        foreach (var partition in partitions)
        {
            json.WriteNumberValue(partition.Number);
        }

        json.WriteEndArray();
    }

    public static ImmutableArray<PartitionId> ReadPartitions(JsonElement json) => [.. json.EnumerateArray().Select(p => new PartitionId(p.GetInt32()))];

    /// <summary>A number that an earlier program did not write.</summary>
    public static long ReadNumberOr0(JsonElement json, string name) => json.TryGetProperty(name, out var number) ? number.GetInt64() : 0;

    public static void WriteBucketName(Utf8JsonWriter json, BucketName bucket)
    {
        json.WriteString("type", bucket.BucketType);

        // A bucket's name is any bytes.
        json.WriteBase64String("bucket", bucket.Bucket.Span);
    }

    public static BucketName ReadBucketName(JsonElement json) => new(ReadString(json, "type"), json.GetProperty("bucket").GetBytesFromBase64());

    public static void WriteProps(Utf8JsonWriter json, BucketProps props)
    {
        json.WriteStartObject("props");
        BucketPropsJson.Write(json, props);
        json.WriteEndObject();
    }

    /// <summary>Why properties could not be read back from a document that has them; null where they can.</summary>
    public static string? WhyUnreadable(BucketProps props)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            BucketPropsJson.Write(writer, props);
            writer.WriteEndObject();
        }

        using var json = JsonDocument.Parse(buffer.WrittenMemory);
        return BucketPropsJson.TryRead(json.RootElement, out _, out var reason) ? null : reason;
    }

    public static BucketProps ReadProps(JsonElement json) =>
        BucketPropsJson.TryRead(json.GetProperty("props"), out var props, out var reason) ? props : throw new FormatException(reason);

    public static string ReadString(JsonElement json, string name) => json.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null");

    public static TEnum ReadEnum<TEnum>(JsonElement json, string name)
        where TEnum : struct, Enum
    {
        var value = (TEnum)Enum.ToObject(typeof(TEnum), json.GetProperty(name).GetInt32());
        return Enum.IsDefined(value) ? value : throw new FormatException($"{name} {value} is not known");
    }
}
