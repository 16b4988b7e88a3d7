using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// Reads request bodies whole, within a limit for each and one for all that are under way: room is taken before anything is read, by the length that the request promises,
/// or the longest allowed where it promises none.
/// </summary>
internal sealed class RequestBody(RequestMemory memory)
{
    private const int FirstBytes = 4096;

    /// <summary>A body that was read, or why it is not taken. To be disposed of when the request is answered: its room is free then.</summary>
    public sealed record Taken(ReadOnlyMemory<byte> Bytes, HttpFault? Fault) : IDisposable
    {
        public MemoryShare? Share { get; init; }

        public long Room { get; init; }

        public void Dispose() => Share?.Release(Room);
    }

    /// <summary><paramref name="tooLarge"/> is the answer to a body of more than <paramref name="maximum"/> bytes.</summary>
    public async ValueTask<Taken> ReadAsync(HttpContext http, long maximum, HttpFault tooLarge)
    {
        var promised = http.Request.ContentLength;
        if (promised > maximum)
        {
            return new Taken(default, tooLarge);
        }

        // The limit is this class's; Kestrel's own would answer without a text.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }

        if (promised == 0)
        {
            return new Taken(ReadOnlyMemory<byte>.Empty, null);
        }

        var room = (promised ?? maximum) * RequestMemory.CopiesOfWrite;
        if (!await memory.Clients.TakeAsync(room, http.RequestAborted))
        {
            return new Taken(default, HttpErrors.BodyMemory);
        }

        Taken? taken = null;
        try
        {
            taken = await ReadAsync(http.Request.Body, promised, maximum, http.RequestAborted) is { } body
                ? new Taken(body, null) { Share = memory.Clients, Room = room }
                : new Taken(default, tooLarge);
            return taken;
        }
        catch (OutOfMemoryException)
        {
            return new Taken(default, HttpErrors.BodyMemory);
        }
        finally
        {
            if (taken?.Share is null)
            {
                memory.Clients.Release(room);
            }
        }
    }

    /// <summary>The body, or null where it has more than <paramref name="maximum"/> bytes.</summary>
    private static async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(Stream source, long? promised, long maximum, CancellationToken cancel)
    {
        var body = new byte[promised ?? Math.Min(FirstBytes, maximum + 1)];
        for (var filled = 0; ;)
        {
            var read = await source.ReadAsync(body.AsMemory(filled), cancel);
            filled += read;
            if (read == 0 || filled == promised)
            {
                return body.AsMemory(0, filled);
            }

            if (filled > maximum)
            {
                return null;
            }

            if (filled == body.Length)
            {
                Array.Resize(ref body, (int)Math.Min(2L * filled, maximum + 1));
            }
        }
    }
}
