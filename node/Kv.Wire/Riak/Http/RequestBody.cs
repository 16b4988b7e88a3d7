using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// Reads request bodies whole, within a limit for each and one for all that are under way: room is taken before anything is read, by the length that the request promises;
/// where it promises none, for a small body first, and as it grows.
/// </summary>
internal sealed class RequestBody(RequestMemory memory)
{
    private const int FirstBytes = 4096;

    /// <summary>What becomes of a token of JSON takes as much as so many fields of a message.</summary>
    private const int FieldsOfToken = 3;

    /// <summary>A body that was read, or why it is not taken. To be disposed of when the request is answered: its room is free then.</summary>
    public sealed record Taken(ReadOnlyMemory<byte> Bytes, HttpFault? Fault) : IDisposable
    {
        public Room? Room { get; init; }

        public void Dispose() => Room?.Dispose();
    }

    /// <summary>
    /// As <see cref="ReadAsync(HttpContext, long, HttpFault)"/>, with room for what is parsed of JSON of that depth at most. What is none is left for its parser to refuse.
    /// </summary>
    public async ValueTask<Taken> ReadJsonAsync(HttpContext http, long maximum, HttpFault tooLarge, int maxDepth)
    {
        var body = await ReadAsync(http, maximum, tooLarge);
        if (body.Bytes.Length <= RequestMemory.FreeBytes)
        {
            return body;
        }

        var fields = CountFields(body.Bytes.Span, maxDepth);
        var fault = body.Room!.TakeFields(fields, requests: 1) switch
        {
            FieldsVerdict.TooMany => HttpErrors.TooManyFields,
            FieldsVerdict.NoRoom => HttpErrors.BodyMemory,
            _ => null,
        };
        if (fault is null)
        {
            return body;
        }

        body.Dispose();
        return new Taken(default, fault);
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

        var room = new Room(memory);
        var isTaken = false;
        try
        {
            var first = promised is { } length ? RoomOf(length) : Math.Min(RoomOf(maximum), MemoryShare.SmallBytes);
            if (!await room.TakeAsync(first, http.RequestAborted))
            {
                return new Taken(default, HttpErrors.BodyMemory);
            }

            var (body, fault) = await ReadAsync(http.Request.Body, promised, maximum, room, tooLarge, http.RequestAborted);
            isTaken = fault is null;
            return new Taken(body, fault) { Room = isTaken ? room : null };
        }
        catch (OutOfMemoryException)
        {
            return new Taken(default, HttpErrors.BodyMemory);
        }
        finally
        {
            if (!isTaken)
            {
                room.Dispose();
            }
        }
    }

    /// <summary>What JSON's tokens count as fields of a message do, up to the first that makes no sense.</summary>
    public static long CountFields(ReadOnlySpan<byte> json, int maxDepth)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = maxDepth });
        var tokens = 0L;
        try
        {
            while (reader.Read())
            {
                tokens++;
            }
        }
        catch (JsonException)
        {
            // The parser that comes after says so in its own words.
        }

        return FieldsOfToken * tokens;
    }

    private static long RoomOf(long bytes) => bytes * RequestMemory.CopiesOfWrite;

    private static async ValueTask<(ReadOnlyMemory<byte> Body, HttpFault? Fault)> ReadAsync(
        Stream source, long? promised, long maximum, Room room, HttpFault tooLarge, CancellationToken cancel)
    {
        var body = new byte[promised ?? Math.Min(FirstBytes, maximum + 1)];
        for (var filled = 0; ;)
        {
            var read = await source.ReadAsync(body.AsMemory(filled), cancel);
            filled += read;
            if (read == 0 || filled == promised)
            {
                return (body.AsMemory(0, filled), null);
            }

            if (filled > maximum)
            {
                return (default, tooLarge);
            }

            if (filled == body.Length)
            {
                var longer = (int)Math.Min(2L * filled, maximum + 1);
                if (!room.TryGrowTo(RoomOf(Math.Min(longer, maximum))))
                {
                    return (default, HttpErrors.BodyMemory);
                }

                Array.Resize(ref body, longer);
            }
        }
    }
}
