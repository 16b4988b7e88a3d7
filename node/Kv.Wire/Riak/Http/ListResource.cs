using System.Buffers;
using System.Text.Json;
using Kv.Cluster;
using Kv.Cluster.Membership;
using Kv.Core.Objects;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// Listings of buckets and keys (riak_kv_wm_buckets, riak_kv_wm_keylist; reference 7.4). Nothing is gathered whole: `true` writes one JSON object as pages come, `stream` one
/// object a page. A failure before anything was sent has its own status. Later, a stream says it in its last object; a single object is broken off, so that
/// nobody takes a part for the whole.
/// </summary>
internal sealed class ListResource(KvClient client, ClusterAdmin admin, RiakHttpOptions options)
{
    public Task BucketsAsync(HttpContext http, RiakPath path) =>
        ListAsync(http, path, "buckets", props: null, timeout => client.ListBucketsAsync(path.BucketType, timeout, http.RequestAborted));

    public Task KeysAsync(HttpContext http, RiakPath path) => KeysAsync(http, path, props: null);

    /// <summary>The old way: properties unless `props=false`, keys if asked for, in one object.</summary>
    public Task OldBucketAsync(HttpContext http, RiakPath path)
    {
        var props = admin.GetBucketProps(new BucketName(path.BucketType, path.Bucket));
        if (!props.IsOk)
        {
            return http.SendAsync(HttpErrors.Of(props.Refusal, path.BucketType));
        }

        var isWanted = new QueryOptions(http.Request).Text("props") != "false";
        return KeysAsync(http, path, json =>
        {
            if (isWanted)
            {
                PropsResource.WriteBucket(json, path, props.Value);
            }
        });
    }

    private Task KeysAsync(HttpContext http, RiakPath path, Action<Utf8JsonWriter>? props) =>
        ListAsync(http, path, "keys", props, timeout => client.ListKeysAsync(new BucketName(path.BucketType, path.Bucket), timeout, http.RequestAborted));

    private async Task ListAsync(
        HttpContext http, RiakPath path, string noun, Action<Utf8JsonWriter>? props, Func<TimeSpan?, IAsyncEnumerable<IReadOnlyList<ReadOnlyMemory<byte>>>> list)
    {
        var query = new QueryOptions(http.Request);
        var timeout = query.Timeout();
        if (query.Fault is { } fault)
        {
            await http.SendAsync(fault);
            return;
        }

        var mode = query.Text(noun);
        var known = admin.GetBucketType(path.BucketType);
        if (!known.IsOk || known.Value.Stage != BucketTypeStage.Active)
        {
            await http.SendAsync(known.IsOk ? HttpErrors.UnknownType(path.BucketType) : HttpErrors.Of(known.Refusal, path.BucketType));
            return;
        }

        var isListing = mode is "true" or "stream" && !HttpMethods.IsHead(http.Request.Method);
        if (!isListing)
        {
            await http.SendJsonAsync(json =>
            {
                json.WriteStartObject();
                props?.Invoke(json);
                json.WriteEndObject();
            });
            return;
        }

        http.Response.ContentType = "application/json";
        await (mode == "stream" ? StreamAsync(http, noun, props, list(timeout)) : WriteWholeAsync(http, noun, props, list(timeout)));
    }

    private async Task WriteWholeAsync(HttpContext http, string noun, Action<Utf8JsonWriter>? props, IAsyncEnumerable<IReadOnlyList<ReadOnlyMemory<byte>>> pages)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        await using var json = new Utf8JsonWriter(buffer, PlainJson.Writer);
        json.WriteStartObject();
        props?.Invoke(json);
        json.WriteStartArray(noun);
        try
        {
            await foreach (var page in pages)
            {
                WriteNames(json, page);
                if (buffer.WrittenCount + json.BytesPending > options.ListingHoldBytes)
                {
                    await FlushAsync(http, json, buffer);
                }
            }
        }
        catch (ListingFailedException failure)
        {
            await (http.Response.HasStarted ? AbortAsync(http) : http.SendAsync(HttpErrors.Of(failure.Error)));
            return;
        }

        json.WriteEndArray();
        json.WriteEndObject();
        await FlushAsync(http, json, buffer);
    }

    private static async Task StreamAsync(HttpContext http, string noun, Action<Utf8JsonWriter>? props, IAsyncEnumerable<IReadOnlyList<ReadOnlyMemory<byte>>> pages)
    {
        try
        {
            if (props is not null)
            {
                await SendObjectAsync(http, props);
            }

            await foreach (var page in pages)
            {
                await SendObjectAsync(http, json =>
                {
                    json.WriteStartArray(noun);
                    WriteNames(json, page);
                    json.WriteEndArray();
                });
            }

            await SendObjectAsync(http, json =>
            {
                json.WriteStartArray(noun);
                json.WriteEndArray();
            });
        }
        catch (ListingFailedException failure)
        {
            await (http.Response.HasStarted
                ? SendObjectAsync(http, json => json.WriteString("error", HttpErrors.WordOf(failure.Error)))
                : http.SendAsync(HttpErrors.Of(failure.Error)));
        }
    }

    private static void WriteNames(Utf8JsonWriter json, IReadOnlyList<ReadOnlyMemory<byte>> names)
    {
        foreach (var name in names)
        {
            json.WriteStringValue(ListedName.Of(name.Span));
        }
    }

    private static async Task SendObjectAsync(HttpContext http, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, PlainJson.Writer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        http.Response.VaryByEncoding();
        await http.Response.BodyWriter.WriteAsync(buffer.WrittenMemory, http.RequestAborted);
    }

    private static async Task FlushAsync(HttpContext http, Utf8JsonWriter json, ArrayBufferWriter<byte> buffer)
    {
        await json.FlushAsync(http.RequestAborted);
        http.Response.VaryByEncoding();
        await http.Response.BodyWriter.WriteAsync(buffer.WrittenMemory, http.RequestAborted);
        buffer.ResetWrittenCount();
    }

    private static Task AbortAsync(HttpContext http)
    {
        http.Abort();
        return Task.CompletedTask;
    }
}
