using System.IO.Pipelines;

namespace Kv.Wire.Riak.Pb;

/// <summary>
/// What is sent on one connection. Frames are gathered while requests are waiting and sent when none is, or when there are many bytes of them. A client that takes
/// nothing for as long as <see cref="RiakPbOptions.StallTimeout"/> is gone.
/// </summary>
/// <param name="pipe">Where the bytes go.</param>
/// <param name="stallTimeout">How long a send may take.</param>
/// <param name="gone">Set when the client went away.</param>
internal sealed class PbOutput(PipeWriter pipe, TimeSpan stallTimeout, CancellationToken gone) : IDisposable
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
            PbFrame.WriteEmpty(pipe, reply.Code);
        }
        else
        {
            PbFrame.Write(pipe, reply.Code, reply.Message);
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

        stall.CancelAfter(stallTimeout);
        var flushed = await pipe.FlushAsync(stall.Token);
        if (!stall.TryReset())
        {
            stall.Dispose();
            stall = new CancellationTokenSource();
        }

        if (flushed.IsCompleted)
        {
            throw new OperationCanceledException("the client went away");
        }
    }

    public void Dispose() => stall.Dispose();
}
