using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Kv.Cluster;
using Kv.Core.Indexes;
using Kv.Core.Objects;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// Queries of secondary indexes (riak_kv_wm_index; reference 7.5): one JSON object, written as results come, or with `stream=true` multipart/mixed with an object a part. A failure before
/// anything was sent has its own status. Later, a stream says it in its last part; a single object is broken off, so that nobody takes a part for the whole.
/// </summary>
internal sealed class IndexResource(KvClient client, RiakHttpOptions options)
{
    public async Task QueryAsync(HttpContext http, RiakPath path)
    {
        var text = new QueryOptions(http.Request);
        var query = QueryOf(path, text, out var returnsTerms);
        var isStream = text.Boolean("stream") == true;
        _ = text.Boolean("pagination_sort");
        if (text.Fault is { } fault)
        {
            await http.SendAsync(fault);
            return;
        }

        var pages = client.QueryIndexAsync(query, http.RequestAborted);
        var isWithTerms = returnsTerms && query.IsRange;
        await (isStream ? StreamAsync(http, pages, isWithTerms, query.IsOfKeys) : WriteWholeAsync(http, pages, isWithTerms, query.IsOfKeys));
    }

    private static IndexQuery QueryOf(RiakPath path, QueryOptions text, out bool returnsTerms)
    {
        returnsTerms = text.Boolean("return_terms") == true;
        var names = path.Index!;
        return new IndexQuery(new BucketName(path.BucketType, path.Bucket), Encoding.UTF8.GetString(names[0]).ToLowerInvariant(), names[1], names.Length > 2 ? (ReadOnlyMemory<byte>?)names[2] : null)
        {
            MaxResults = text.PositiveInteger("max_results"),
            Continuation = text.Text("continuation"),
            TermRegex = text.Text("term_regex"),
            Timeout = text.Timeout(),
        };
    }

    private async Task WriteWholeAsync(HttpContext http, IAsyncEnumerable<IndexPage> pages, bool isWithTerms, bool isOfKeys)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        await using var json = new Utf8JsonWriter(buffer, PlainJson.Writer);
        json.WriteStartObject();
        json.WriteStartArray(NameOf(isWithTerms));
        string? continuation = null;
        http.Response.ContentType = "application/json";
        try
        {
            await foreach (var page in pages)
            {
                WriteMatches(json, page, isWithTerms, isOfKeys);
                continuation = page.Continuation;
                if (buffer.WrittenCount + json.BytesPending > options.ListingHoldBytes)
                {
                    await FlushAsync(http, json, buffer);
                }
            }
        }
        catch (ListingFailedException failure)
        {
            if (http.Response.HasStarted)
            {
                http.Abort();
                return;
            }

            await http.SendAsync(HttpErrors.Of(failure.Error));
            return;
        }

        json.WriteEndArray();
        WriteContinuation(json, continuation);
        json.WriteEndObject();
        await FlushAsync(http, json, buffer);
    }

    private static async Task StreamAsync(HttpContext http, IAsyncEnumerable<IndexPage> pages, bool isWithTerms, bool isOfKeys)
    {
        var boundary = Guid.NewGuid().ToString("N");
        http.Response.ContentType = $"multipart/mixed;boundary={boundary}";
        try
        {
            await foreach (var page in pages)
            {
                if (page.Matches.Count > 0)
                {
                    await SendPartAsync(http, boundary, json =>
                    {
                        json.WriteStartArray(NameOf(isWithTerms));
                        WriteMatches(json, page, isWithTerms, isOfKeys);
                        json.WriteEndArray();
                    });
                }

                if (page.Continuation is { } continuation)
                {
                    await SendPartAsync(http, boundary, json => WriteContinuation(json, continuation));
                }
            }
        }
        catch (ListingFailedException failure)
        {
            if (!http.Response.HasStarted)
            {
                await http.SendAsync(HttpErrors.Of(failure.Error));
                return;
            }

            await SendPartAsync(http, boundary, json => json.WriteString("error", HttpErrors.WordOf(failure.Error)));
        }

        http.Response.VaryByEncoding();
        await http.Response.BodyWriter.WriteAsync(Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n"), http.RequestAborted);
    }

    private static string NameOf(bool isWithTerms) => isWithTerms ? "results" : "keys";

    private static void WriteMatches(Utf8JsonWriter json, IndexPage page, bool isWithTerms, bool isOfKeys)
    {
        foreach (var (term, key) in page.Matches)
        {
            if (isWithTerms)
            {
                json.WriteStartObject();
                json.WriteString(isOfKeys ? ListedName.Of(key.Span) : term, ListedName.Of(key.Span));
                json.WriteEndObject();
            }
            else
            {
                json.WriteStringValue(ListedName.Of(key.Span));
            }
        }
    }

    private static void WriteContinuation(Utf8JsonWriter json, string? continuation)
    {
        if (continuation is not null)
        {
            json.WriteString("continuation", continuation);
        }
    }

    private static async Task SendPartAsync(HttpContext http, string boundary, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        buffer.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\r\n--{boundary}\r\nContent-Type: application/json\r\n\r\n")));
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
}
