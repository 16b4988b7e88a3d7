using System.IO.Pipelines;

namespace Kv.Wire.Native;

/// <summary>
/// A session's message that is longer than any that is taken: its bytes are passed over as they come, and only the ids of its requests are read (`SessionRequests`, whose
/// requests begin with their ids), so that each is answered and the session goes on.
/// </summary>
internal sealed class PassedOver(PipeReader body)
{
    private const int PrefixBytes = 5;
    private const ulong RequestTag = (1 << 3) | 2;
    private const ulong IdTag = 1 << 3;

    /// <summary>The ids; null where the bytes are no such message, or end, or have more than <paramref name="most"/> requests.</summary>
    public async ValueTask<List<ulong>?> ReadIdsAsync(long messageBytes, int most, CancellationToken cancel)
    {
        var ids = new List<ulong>();
        if (!await SkipAsync(PrefixBytes, cancel))
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
            if (left < 0 || await ReadVarintAsync(cancel) is not (IdTag, var idTagBytes) || await ReadVarintAsync(cancel) is not var (id, idBytes)
                || !await SkipAsync((long)length - idTagBytes - idBytes, cancel))
            {
                return null;
            }

            if (ids.Count == most)
            {
                return null;
            }

            ids.Add(id);
        }

        return ids;
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
