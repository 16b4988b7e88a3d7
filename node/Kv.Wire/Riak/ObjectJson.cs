using System.Globalization;
using System.Text.Json;
using Kv.Core.Objects;
using Kv.Wire.Riak.Http;

namespace Kv.Wire.Riak;

/// <summary>Parts of an object as Riak's JSON has them (riak_object_json): the results of MapReduce jobs, and what hooks are shown.</summary>
internal static class ObjectJson
{
    /// <summary>Names that are not UTF-8 are percent-encoded, as in listings.</summary>
    public static void WriteName(Utf8JsonWriter json, ObjectKey key, bool alwaysTyped)
    {
        if (alwaysTyped || key.BucketType != ObjectKey.DefaultType)
        {
            json.WriteString("bucket_type", key.BucketType);
        }

        json.WriteString("bucket", ListedName.Of(key.Bucket.Span));
        json.WriteString("key", ListedName.Of(key.Key.Span));
    }

    /// <summary>By the names that Riak keeps them under; a write that is not done yet has no tag and no time.</summary>
    public static void WriteMetadata(Utf8JsonWriter json, Sibling sibling)
    {
        var metadata = sibling.Metadata;
        foreach (var (name, value) in new[] { ("content-type", metadata.ContentType), ("charset", metadata.Charset), ("content-encoding", metadata.ContentEncoding) })
        {
            if (value is not null)
            {
                json.WriteString(name, value);
            }
        }

        if (sibling.VTag.Length > 0)
        {
            json.WriteString("X-Riak-VTag", sibling.VTag);
        }

        if (sibling.LastModifiedMicroseconds > 0)
        {
            json.WriteString("X-Riak-Last-Modified", DateTimeOffset.FromUnixTimeMilliseconds(sibling.LastModifiedMicroseconds / 1000).ToString("R", CultureInfo.InvariantCulture));
        }

        if (sibling.IsTombstone)
        {
            json.WriteString("X-Riak-Deleted", "true");
        }

        json.WriteStartArray("Links");
        foreach (var link in metadata.Links)
        {
            json.WriteStartArray();
            json.WriteStringValue(link.Bucket);
            json.WriteStringValue(link.Key);
            json.WriteStringValue(link.Tag);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        WritePairs(json, "X-Riak-Meta", metadata.UserMetadata);
        WritePairs(json, "index", metadata.Indexes);
    }

    /// <summary>A name with several values has an array of them.</summary>
    private static void WritePairs(Utf8JsonWriter json, string name, IEnumerable<KeyValuePair<string, string>> pairs)
    {
        json.WriteStartObject(name);
        foreach (var values in pairs.GroupBy(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal))
        {
            json.WritePropertyName(values.Key);
            if (values.Skip(1).Any())
            {
                JsonSerializer.Serialize(json, values.ToArray(), PlainJson.Options);
            }
            else
            {
                json.WriteStringValue(values.Single());
            }
        }

        json.WriteEndObject();
    }
}
