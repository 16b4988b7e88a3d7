using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>How whole answers are sent. A HEAD gets the headers that the GET would, and no body.</summary>
internal static class HttpAnswers
{
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
        if (!HttpMethods.IsHead(http.Request.Method) && !body.IsEmpty)
        {
            await http.Response.BodyWriter.WriteAsync(body, http.RequestAborted);
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
