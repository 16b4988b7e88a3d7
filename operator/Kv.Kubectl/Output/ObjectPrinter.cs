using System.Globalization;
using System.Text.Json.Nodes;
using Kv.Protos.Kv.V1;
using Object = Kv.Protos.Kv.V1.Object;

namespace Kv.Kubectl.Output;

/// <summary>An object as it is printed: a single value untouched, siblings each under a line with its tag; or the whole as JSON.</summary>
internal static class ObjectPrinter
{
    public static JsonObject ToJson(Key key, Object source)
    {
        var json = ToJson(key);
        json["context"] = source.Context.ToBase64();
        json["siblings"] = new JsonArray([.. source.Siblings.Select(ToJson)]);
        return json;
    }

    public static JsonObject ToJson(Key key)
    {
        var json = new JsonObject { ["type"] = key.BucketType };
        JsonText.Add(json, "bucket", key.Bucket.Span);
        JsonText.Add(json, "key", key.Key_.Span);
        return json;
    }

    /// <summary>Prints the values; answers how many there are.</summary>
    public static async Task<int> WriteAsync(Object source, Terminal terminal, CancellationToken cancel)
    {
        if (source.Siblings is [{ Tombstone: false } only])
        {
            await WriteValueAsync(only, terminal, cancel);
            return 1;
        }

        for (var i = 0; i < source.Siblings.Count; i++)
        {
            var sibling = source.Siblings[i];
            var what = sibling.Tombstone ? "deleted" : sibling.ContentType.Length == 0 ? "application/octet-stream" : sibling.ContentType;
            await terminal.Text.WriteLineAsync(Escape.Line(
                $"--- {i + 1} of {source.Siblings.Count}  {sibling.Vtag}  {TimeOf(sibling)}  {what}  {sibling.Value.Length} bytes").AsMemory(), cancel);
            if (!sibling.Tombstone)
            {
                await terminal.WriteBytesAsync(sibling.Value.Memory, cancel);
                await terminal.Text.WriteLineAsync();
            }
        }

        return source.Siblings.Count;
    }

    /// <summary>The bytes and no other; on a terminal a line end after them where they have none.</summary>
    public static async Task WriteValueAsync(Content sibling, Terminal terminal, CancellationToken cancel)
    {
        await terminal.WriteBytesAsync(sibling.Value.Memory, cancel);
        if (terminal.IsInteractive && (sibling.Value.IsEmpty || sibling.Value[^1] != (byte)'\n'))
        {
            await terminal.Text.WriteLineAsync();
        }
    }

    private static JsonObject ToJson(Content sibling)
    {
        var json = new JsonObject { ["tag"] = sibling.Vtag, ["lastModified"] = TimeOf(sibling), ["deleted"] = sibling.Tombstone };
        JsonText.Add(json, "value", sibling.Value.Span);
        Add(json, "contentType", sibling.ContentType);
        Add(json, "charset", sibling.Charset);
        Add(json, "contentEncoding", sibling.ContentEncoding);
        if (sibling.UserMetadata.Count > 0)
        {
            json["metadata"] = PairsOf(sibling.UserMetadata);
        }

        if (sibling.Indexes.Count > 0)
        {
            json["indexes"] = PairsOf(sibling.Indexes);
        }

        if (sibling.Links.Count > 0)
        {
            json["links"] = new JsonArray([.. sibling.Links.Select(link => new JsonObject { ["bucket"] = link.Bucket, ["key"] = link.Key, ["tag"] = link.Tag })]);
        }

        return json;
    }

    private static JsonArray PairsOf(IEnumerable<Pair> pairs) => new([.. pairs.Select(pair => new JsonObject { ["name"] = pair.Name, ["value"] = pair.Value })]);

    private static void Add(JsonObject json, string name, string value)
    {
        if (value.Length > 0)
        {
            json[name] = value;
        }
    }

    private static string TimeOf(Content sibling) =>
        DateTime.UnixEpoch.AddMicroseconds(Math.Clamp(sibling.LastModifiedMicroseconds, 0, 253_402_300_799_000_000)).ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
}
