using System.Buffers;
using System.Text;
using System.Text.Json;
using Kv.Cluster;
using Kv.Core.MapReduce;
using Kv.Wire.Access;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// MapReduce jobs (riak_kv_wm_mapred; reference 7.6): one JSON document, gathered so that a failure has its own status, or with `chunked=true` multipart/mixed with an object a part, as results come. A stream
/// that fails after it began says so in its last part.
/// </summary>
internal sealed class MapReduceResource(KvClient client, AccessControl access, RequestBody bodies, RequestMemory memory, RiakHttpOptions options)
{
    private const string Json = "application/json";

    private readonly MapReduceGate gate = new(access);
    private readonly long mostWritten = options.MaxObjectBytes + RiakHttpOptions.AnswerOverheadBytes;

    public async Task RunAsync(HttpContext http)
    {
        if (!HttpMethods.IsPost(http.Request.Method))
        {
            await http.SendAsync(MapReduceErrors.NoJob);
            return;
        }

        if (http.Request.ContentType?.Split(';')[0].Trim().Equals(Json, StringComparison.OrdinalIgnoreCase) != true)
        {
            await http.SendAndCloseAsync(HttpErrors.NotJson);
            return;
        }

        var user = http.Features.Get<AccessUser>();
        if (gate.WhyNotRead(user) is { } unasked)
        {
            await http.SendAndCloseAsync(HttpErrors.Denied(unasked));
            return;
        }

        using var body = await bodies.ReadJsonAsync(http, options.MaxObjectBytes, HttpErrors.TooLarge(options.MaxObjectBytes), TermJson.MaxDepth);
        if (body.Fault is { } unread)
        {
            await http.SendAndCloseAsync(unread);
            return;
        }

        // What the terms take has been counted by their number.
        if (!MapReduceJobReader.TryRead(body.Bytes.Span, long.MaxValue, out var job, out var problem))
        {
            await http.SendAsync(MapReduceErrors.HttpOf(problem));
            return;
        }

        if (gate.WhyRefused(job, user) is { } refusal)
        {
            await http.SendAsync(HttpErrors.Denied(refusal));
            return;
        }

        using var room = new MapReduceRoom(memory);
        var results = client.MapReduceAsync(job, gate.CallerOf(user, room), http.RequestAborted);
        await (new QueryOptions(http.Request).Text("chunked") == "true" ? StreamAsync(http, results, room) : WriteWholeAsync(http, job, results, room));
    }

    private async Task WriteWholeAsync(HttpContext http, MapReduceJob job, IAsyncEnumerable<MapReduceResults> results, MapReduceRoom room)
    {
        using var lists = new MapReduceLists(job);
        try
        {
            await foreach (var some in results)
            {
                Take(room, lists.Bytes + MapReduceJson.BytesOf(some.Terms), new MapReduceFailure.TooMuch(mostWritten));
                lists.Add(some);
            }
        }
        catch (MapReduceFailedException failed)
        {
            await http.SendAsync(MapReduceErrors.HttpOf(failed.Failure));
            return;
        }

        await SendAsync(http, lists.End());
    }

    /// <summary>The results of one phase as they are, of several a list of them.</summary>
    private static async Task SendAsync(HttpContext http, ReadOnlyMemory<byte>[] lists)
    {
        if (lists.Length == 1)
        {
            await http.SendAsync(StatusCodes.Status200OK, Json, lists[0]);
            return;
        }

        http.Response.ContentType = Json;
        http.Response.VaryByEncoding();
        http.Response.ContentLength = lists.Sum(list => (long)list.Length) + lists.Length + 1;
        await http.WriteAsync("["u8.ToArray());
        for (var at = 0; at < lists.Length; at++)
        {
            if (at > 0)
            {
                await http.WriteAsync(","u8.ToArray());
            }

            await http.WriteAsync(lists[at]);
        }

        await http.WriteAsync("]"u8.ToArray());
    }

    private async Task StreamAsync(HttpContext http, IAsyncEnumerable<MapReduceResults> results, MapReduceRoom room)
    {
        var boundary = Guid.NewGuid().ToString("N");
        http.Response.ContentType = $"{SiblingAnswer.Multipart};boundary={boundary}";
        try
        {
            await foreach (var some in results)
            {
                if (some.Terms.Count > 0)
                {
                    Take(room, MapReduceJson.BytesOf(some.Terms), new MapReduceFailure.TooLong(mostWritten));
                    await SendPartAsync(http, boundary, PartOf(some));
                }
            }
        }
        catch (MapReduceFailedException failed)
        {
            if (!http.Response.HasStarted)
            {
                await http.SendAsync(MapReduceErrors.HttpOf(failed.Failure));
                return;
            }

            await SendPartAsync(http, boundary, Encoding.UTF8.GetBytes(MapReduceErrors.JsonOf(failed.Failure)));
        }

        http.Response.VaryByEncoding();
        await http.WriteAsync(Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n"));
    }

    private static ReadOnlyMemory<byte> PartOf(MapReduceResults some)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(buffer, PlainJson.Writer);
        json.WriteStartObject();
        json.WriteNumber("phase", some.Phase);
        json.WritePropertyName("data");
        MapReduceJson.WriteList(json, some.Terms, some.Phase);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    private static async Task SendPartAsync(HttpContext http, string boundary, ReadOnlyMemory<byte> json)
    {
        http.Response.VaryByEncoding();
        await http.WriteAsync(Encoding.ASCII.GetBytes($"\r\n--{boundary}\r\nContent-Type: {Json}\r\n\r\n"));
        await http.WriteAsync(json);
    }

    private void Take(MapReduceRoom room, long bytes, MapReduceFailure tooMuch)
    {
        if (bytes > mostWritten)
        {
            throw new MapReduceFailedException(tooMuch);
        }

        if (!room.TryWrite(bytes))
        {
            throw new MapReduceFailedException(new MapReduceFailure.OfRequest(new KvError.Overload(Indeterminate: false)));
        }
    }
}
