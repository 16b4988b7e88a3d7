using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>How whole answers are sent. A HEAD gets the headers that the GET would, and no body.</summary>
internal static class HttpAnswers
{
    private const int PieceBytes = 64 * 1024;

    public static Task SendAsync(this HttpContext http, HttpFault fault) => http.SendAsync(fault.Status, fault.MediaType, fault.Text);

    /// <summary>Where what is left of the request's body has not been read, and is not going to be.</summary>
    public static Task SendAndCloseAsync(this HttpContext http, HttpFault fault)
    {
        http.Response.Headers.Connection = "close";
        return http.SendAsync(fault);
    }

    public static Task SendAsync(this HttpContext http, int status, string mediaType, string text) =>
        http.SendAsync(status, mediaType, Encoding.UTF8.GetBytes(text));

    public static async Task SendAsync(this HttpContext http, int status, string mediaType, ReadOnlyMemory<byte> body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = mediaType;
        http.Response.ContentLength = body.Length;
        if (status < StatusCodes.Status300MultipleChoices)
        {
            http.Response.VaryByEncoding();
        }

        if (!HttpMethods.IsHead(http.Request.Method) && !body.IsEmpty)
        {
            await http.WriteAsync(body);
        }
    }

    /// <summary>
    /// A part of an answer's body. A long one goes in pieces, so that there is no second one of it that waits, and within its time: the server's own least rate
    /// would begin anew with each.
    /// </summary>
    // hot
    public static async Task WriteAsync(this HttpContext http, ReadOnlyMemory<byte> bytes)
    {
        var body = http.Response.BodyWriter;
        if (bytes.Length <= PieceBytes)
        {
            await body.WriteAsync(bytes, http.RequestAborted);
            return;
        }

        using var limit = new TransferLimit(TransferLimit.StandardRest, bytes.Length, TransferLimit.StandardBytesPerSecond, http.RequestAborted);
        try
        {
            for (var left = bytes; !left.IsEmpty; left = left[Math.Min(left.Length, PieceBytes)..])
            {
                await body.WriteAsync(left[..Math.Min(left.Length, PieceBytes)], limit.Next());
            }
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
        {
            http.Abort();
        }
    }

    /// <summary>Says to caches that what is about to be sent may come gzipped, however it comes this time (reference 7.1). What varies by more has said so, as what has begun has.</summary>
    public static void VaryByEncoding(this HttpResponse response)
    {
        if (response.Headers.Vary.Count == 0)
        {
            response.Headers.Vary = "Accept-Encoding";
        }
    }

    public static Task SendJsonAsync(this HttpContext http, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, PlainJson.Writer))
        {
            write(json);
        }

        return http.SendAsync(StatusCodes.Status200OK, "application/json", buffer.WrittenMemory);
    }

    public static Task SendNothingAsync(this HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }
}
