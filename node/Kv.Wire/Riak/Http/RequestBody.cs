using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// Reads request bodies whole, within a limit for each and one for all that are being read. Memory grows with what has come, not with what a Content-Length
/// promises.
/// </summary>
internal sealed class RequestBody(long maxBufferedBytes)
{
    /// <summary>Taken at once when a length is promised; more only as it comes.</summary>
    private const int TrustedBytes = 256 * 1024;

    private long buffered;

    /// <summary>The body, or why it is not taken.</summary>
    public async ValueTask<(ReadOnlyMemory<byte> Body, HttpFault? Fault)> ReadAsync(HttpContext http, long maximum)
    {
        var promised = http.Request.ContentLength;
        if (promised > maximum)
        {
            return (default, HttpErrors.TooLarge(maximum));
        }

        // The limit is this class's; Kestrel's own would answer without a text.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }

        if (promised == 0)
        {
            return (ReadOnlyMemory<byte>.Empty, null);
        }

        var held = 0L;
        try
        {
            var body = new byte[promised is { } length ? Math.Min(length, TrustedBytes) : 4096];
            var filled = 0;
            held = Hold(body.Length);
            while (Volatile.Read(ref buffered) <= maxBufferedBytes)
            {
                var read = await http.Request.Body.ReadAsync(body.AsMemory(filled), http.RequestAborted);
                filled += read;
                if (read == 0 || filled == promised)
                {
                    return (body.AsMemory(0, filled), null);
                }

                if (filled > maximum)
                {
                    return (default, HttpErrors.TooLarge(maximum));
                }

                if (filled == body.Length)
                {
                    var size = Math.Min(2L * filled, promised ?? (maximum + 1));
                    held += Hold(size - body.Length);
                    Array.Resize(ref body, (int)size);
                }
            }

            return (default, HttpErrors.BodyMemory);
        }
        finally
        {
            Interlocked.Add(ref buffered, -held);
        }
    }

    private long Hold(long bytes)
    {
        Interlocked.Add(ref buffered, bytes);
        return bytes;
    }
}
