using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Kv.Protos.Riak;

namespace Kv.Wire.Riak.Pb;

/// <summary>
/// What is sent on one connection. Frames are gathered while requests are waiting and sent when none is, or when there are many bytes of them; long values go in pieces, so
/// that there is no second one of them that waits. A client that takes nothing for as long as <see cref="RiakPbOptions.StallTimeout"/>, or less than the least rate, is gone.
/// </summary>
/// <param name="pipe">Where the bytes go.</param>
/// <param name="options">How long a send may take.</param>
/// <param name="gone">Set when the client went away.</param>
internal sealed class PbOutput(PipeWriter pipe, RiakPbOptions options, CancellationToken gone) : IDisposable
{
    /// <summary>Bytes that are gathered at most before they are sent.</summary>
    private const int GatherBytes = 64 * 1024;

    private CancellationTokenSource stall = new();

    public CancellationToken Gone => gone;

    // hot
    public ValueTask WriteAsync(in PbReply reply)
    {
        if (reply.Message is null)
        {
            PbFrame.WriteHeader(pipe, reply.Code, messageBytes: 0);
        }
        else
        {
            var bytes = reply.Message.CalculateSize();
            PbFrame.WriteHeader(pipe, reply.Code, bytes);
            if (bytes > GatherBytes)
            {
                return WriteLongAsync(reply.Message, bytes);
            }

            reply.Message.WriteTo(pipe);
        }

        return pipe.UnflushedBytes >= GatherBytes ? FlushAsync() : ValueTask.CompletedTask;
    }

    /// <summary>Sends what was gathered. Throws <see cref="OperationCanceledException"/> where the client does not take it.</summary>
    public async ValueTask FlushAsync()
    {
        if (pipe.UnflushedBytes == 0)
        {
            return;
        }

        stall.CancelAfter(options.StallTimeout);
        await FlushAsync(stall.Token);
        if (!stall.TryReset())
        {
            stall.Dispose();
            stall = new CancellationTokenSource();
        }
    }

    public void Dispose() => stall.Dispose();

    private async ValueTask WriteLongAsync(IMessage message, int bytes)
    {
        using var limit = new TransferLimit(options.StallTimeout, bytes, options.LeastBytesPerSecond, CancellationToken.None);
        if (ContentsOf(message) is { } contents)
        {
            foreach (var content in contents)
            {
                await WriteContentAsync(content, limit);
            }

            contents.Clear();
        }

        message.WriteTo(pipe);
        await FlushAsync(limit.Next());
    }

    /// <summary>The values of objects are what is long.</summary>
    private static RepeatedField<RpbContent>? ContentsOf(IMessage message) => message switch
    {
        RpbGetResp get => get.Content,
        RpbPutResp put => put.Content,
        _ => null,
    };

    /// <summary>As the message would write it, the first field of both: its value first, and that in pieces.</summary>
    private async ValueTask WriteContentAsync(RpbContent content, TransferLimit limit)
    {
        WriteLength(RpbGetResp.ContentFieldNumber, content.CalculateSize());
        WriteLength(RpbContent.ValueFieldNumber, content.Value.Length);
        for (var left = content.Value.Memory; !left.IsEmpty;)
        {
            var piece = left[..Math.Min(left.Length, GatherBytes)];
            pipe.Write(piece.Span);
            left = left[piece.Length..];
            if (pipe.UnflushedBytes >= GatherBytes)
            {
                await FlushAsync(limit.Next());
            }
        }

        content.ClearValue();
        content.WriteTo(pipe);
    }

    private void WriteLength(int field, int bytes)
    {
        var room = pipe.GetSpan(2 * PbFrame.LongestVarint);
        var written = PbFrame.WriteVarint(room, WireFormat.MakeTag(field, WireFormat.WireType.LengthDelimited));
        pipe.Advance(written + PbFrame.WriteVarint(room[written..], (uint)bytes));
    }

    private async ValueTask FlushAsync(CancellationToken cancel)
    {
        if ((await pipe.FlushAsync(cancel)).IsCompleted)
        {
            throw new OperationCanceledException("the client went away");
        }
    }
}
