using System.IO.Pipelines;
using Kv.Protos.Kv.V1;

namespace Kv.Wire.Native;

/// <summary>
/// A session's message that is not taken: its bytes are passed over as they come, and only the ids of its requests are read, and what kind they are (`SessionRequests`, whose
/// requests begin with their ids), so that each is answered and the session goes on.
/// </summary>
internal sealed class PassedOver(PipeReader body)
{
    private const ulong RequestTag = (1 << 3) | 2;
    private const ulong IdTag = 1 << 3;

    /// <summary>The requests; null where the bytes are no such message, or end, or have more than <paramref name="most"/> of them.</summary>
    public async ValueTask<List<(ulong Id, SessionRequest.OperationOneofCase Operation)>?> ReadAsync(long messageBytes, int most, CancellationToken cancel)
    {
        var requests = new List<(ulong, SessionRequest.OperationOneofCase)>();
        if (!await SkipAsync(GrpcPrefix.Bytes, cancel))
        {
            return null;
        }

        for (var left = messageBytes; left > 0;)
        {
            if (await ReadVarintAsync(cancel) is not (RequestTag, var tagBytes) || await ReadVarintAsync(cancel) is not var (length, lengthBytes))
            {
                return null;
            }

            left -= tagBytes + lengthBytes + (long)Math.Min(length, int.MaxValue);
            if (left < 0 || await ReadRequestAsync((long)length, cancel) is not { } request || requests.Count == most)
            {
                return null;
            }

            requests.Add(request);
        }

        return requests;
    }

    private async ValueTask<(ulong Id, SessionRequest.OperationOneofCase Operation)?> ReadRequestAsync(long bytes, CancellationToken cancel)
    {
        if (await ReadVarintAsync(cancel) is not (IdTag, var idTagBytes) || await ReadVarintAsync(cancel) is not var (id, idBytes))
        {
            return null;
        }

        var left = bytes - idTagBytes - idBytes;
        var operation = SessionRequest.OperationOneofCase.None;
        if (left > 0)
        {
            if (await ReadVarintAsync(cancel) is not var (tag, tagBytes))
            {
                return null;
            }

            (operation, left) = ((SessionRequest.OperationOneofCase)(tag >> 3), left - tagBytes);
        }

        return await SkipAsync(left, cancel) ? (id, operation) : null;
    }

    private async ValueTask<(ulong Value, int Bytes)?> ReadVarintAsync(CancellationToken cancel)
    {
        var value = 0UL;
        for (var bytes = 0; bytes < 10; bytes++)
        {
            var result = await body.ReadAsync(cancel);
            if (result.Buffer.IsEmpty)
            {
                body.AdvanceTo(result.Buffer.End);
                return null;
            }

            var next = result.Buffer.FirstSpan[0];
            body.AdvanceTo(result.Buffer.GetPosition(1));
            value |= (ulong)(next & 0x7f) << (7 * bytes);
            if (next < 0x80)
            {
                return (value, bytes + 1);
            }
        }

        return null;
    }

    private async ValueTask<bool> SkipAsync(long bytes, CancellationToken cancel)
    {
        for (var left = bytes; left != 0;)
        {
            var result = await body.ReadAsync(cancel);
            if (left < 0 || result.Buffer.IsEmpty)
            {
                body.AdvanceTo(result.Buffer.End);
                return false;
            }

            var here = Math.Min(left, result.Buffer.Length);
            body.AdvanceTo(result.Buffer.GetPosition(here));
            left -= here;
        }

        return true;
    }
}
