using System.Buffers;
using System.IO.Pipelines;

namespace Kv.Wire.Riak.Pb;

/// <summary>
/// One client's connection: frames are carried out in the order in which they came, and answered in it; a client may send on without waiting. It ends when the client
/// goes, when a frame cannot be trusted, when it stalls, or when the server stops, then after the request that is under way.
/// </summary>
internal sealed class PbConnection : IDisposable
{
    /// <summary>Frames of so many times the longest that is taken are passed over.</summary>
    private const int PassedOver = 4;

    /// <summary>Bytes of the longest frame that is taken from a client that is nobody yet: names and a password.</summary>
    private const int MaxNobodysFrameBytes = 4 * 1024;

    private readonly PipeReader input;
    private readonly PbOutput output;
    private readonly PbSession session;
    private readonly PbDispatch dispatch;
    private readonly RiakPbOptions options;
    private readonly RequestMemory memory;
    private Room? room;
    private TransferLimit? limit;
    private long frameBytes;
    private long skipped;
    private bool isMidFrame;
    private volatile bool isStopping;

    public PbConnection(IDuplexPipe transport, Func<PbOutput, PbSession> begin, PbDispatch dispatch, RiakPbOptions options, RequestMemory memory, CancellationToken gone)
    {
        input = transport.Input;
        output = new PbOutput(transport.Output, options, gone);
        session = begin(output);
        (this.dispatch, this.options, this.memory) = (dispatch, options, memory);
    }

    /// <summary>True where TLS is to begin: what the client sent after it asked is still to be read.</summary>
    // hot
    public async Task<bool> ServeAsync()
    {
        var (isLast, startsTls) = (false, false);
        while (!isLast && !isStopping && await ReadAsync() is { IsCanceled: false } read)
        {
            var rest = read.Buffer;
            Skip(ref rest);
            PbReply reply;
            if (await RefusalAsync(rest) is { } refusal)
            {
                Skip(ref rest);
                input.AdvanceTo(rest.Start);
                reply = refusal;
            }
            else if (PbFrame.TryTake(ref rest, out var frame))
            {
                // The message is read before the first await: its bytes can go back while the request is carried out.
                var pending = dispatch.HandleAsync(frame.Code, frame.Message, session);
                input.AdvanceTo(rest.Start);
                reply = await pending;
            }
            else
            {
                isMidFrame = !rest.IsEmpty;
                isLast = read.IsCompleted;
                input.AdvanceTo(rest.Start, rest.End);
                continue;
            }

            // What was taken or passed over was whole, or is counted as skipped: the client owes nothing but that.
            isMidFrame = false;
            (isLast, startsTls) = (reply.IsLast, reply.StartsTls);
            Release();
            EndFrame();
            await output.WriteAsync(reply);
        }

        await output.FlushAsync();
        return startsTls && !isStopping;
    }

    /// <summary>Ends the connection once the request that is under way is answered.</summary>
    public void Stop()
    {
        isStopping = true;
        input.CancelPendingRead();
    }

    public void Dispose()
    {
        Release();
        output.Dispose();
        limit?.Dispose();
    }

    /// <summary>What has come; what is ready to be sent goes before waiting for it. Null where a frame that has begun does not come in time, or a client that is to say who it is.</summary>
    private async ValueTask<ReadResult?> ReadAsync()
    {
        if (input.TryRead(out var read))
        {
            return read;
        }

        await output.FlushAsync();
        if (skipped == 0 && !isMidFrame && dispatch.WhyNobody(session) is null)
        {
            return await input.ReadAsync();
        }

        limit ??= new TransferLimit(options.StallTimeout, frameBytes, options.LeastBytesPerSecond, CancellationToken.None);
        try
        {
            return await input.ReadAsync(limit.Next());
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Passes over what is left of a frame that was refused.</summary>
    private void Skip(ref ReadOnlySequence<byte> rest)
    {
        var bytes = Math.Min(skipped, rest.Length);
        rest = rest.Slice(bytes);
        skipped -= bytes;
        if (bytes > 0)
        {
            EndFrame();
        }
    }

    /// <summary>What comes now is another frame's, unless there is something to be passed over.</summary>
    private void EndFrame()
    {
        if (skipped == 0)
        {
            limit?.Dispose();
            (limit, frameBytes) = (null, 0);
        }
    }

    /// <summary>The time for the frame counts from when its length is known.</summary>
    private void BeginFrame(long length)
    {
        if (frameBytes == 0)
        {
            limit?.Dispose();
            (limit, frameBytes) = (null, length);
        }
    }

    /// <summary>Why the frame that begins is not taken: it cannot be trusted, or there is no room for it. Null where it is, or where its length has not come.</summary>
    private async ValueTask<PbReply?> RefusalAsync(ReadOnlySequence<byte> rest)
    {
        if (PbFrame.LengthOf(rest) is not { } length)
        {
            return null;
        }

        BeginFrame(length);
        if (length == 0)
        {
            return PbReply.Error(PbErrors.NoCode) with { IsLast = true };
        }

        if (length > MaxNobodysFrameBytes && dispatch.WhyNobody(session) is { } nobody)
        {
            return PbReply.Error(nobody) with { IsLast = true };
        }

        if (length > options.MaxFrameBytes)
        {
            // A client that is cut off while it writes does not get to read why. What is far beyond any frame is none.
            var isFrame = length <= PassedOver * (long)options.MaxFrameBytes;
            skipped = isFrame ? PbFrame.LengthBytes + (long)length : 0;
            return PbReply.Error(PbErrors.FrameTooLarge(length, options.MaxFrameBytes)) with { IsLast = !isFrame };
        }

        return length <= RequestMemory.FreeBytes ? null
            : room is null && !await TryTakeRoomAsync(length) ? PassOver(length, PbErrors.Overload)
            : WhyNotParsed(rest, length);
    }

    private async ValueTask<bool> TryTakeRoomAsync(long length)
    {
        var wanted = new Room(memory);
        var isTaken = await wanted.TakeMessageAsync(length, output.Gone);
        room = isTaken ? wanted : null;
        return isTaken;
    }

    /// <summary>Once all of the frame is there: why its fields find no room. Null where they do.</summary>
    private PbReply? WhyNotParsed(ReadOnlySequence<byte> rest, long length)
    {
        if (!PbFrame.TryTake(ref rest, out var frame))
        {
            return null;
        }

        if (PbMessages.CountFields(frame.Code, frame.Message) is not { } fields)
        {
            return PassOver(length, PbErrors.Unreadable) with { IsLast = true };
        }

        return room!.TakeFields(fields, requests: 1) switch
        {
            FieldsVerdict.TooMany => PassOver(length, PbErrors.TooManyFields),
            FieldsVerdict.NoRoom => PassOver(length, PbErrors.Overload),
            _ => null,
        };
    }

    private PbReply PassOver(long length, string why)
    {
        skipped = PbFrame.LengthBytes + length;
        return PbReply.Error(why);
    }

    private void Release()
    {
        room?.Dispose();
        room = null;
    }
}
