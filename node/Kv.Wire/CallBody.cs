using System.Buffers;
using System.IO.Pipelines;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Kv.Wire;

/// <summary>
/// A call's body that can be looked at before gRPC reads it: what is looked at stays to be read. A message that room is taken for is looked at whole, within its time, so
/// that its fields are counted before they are parsed. Used by the call's reader alone.
/// </summary>
internal sealed class CallBody(PipeReader body) : PipeReader, IRequestBodyPipeFeature
{
    // What was looked at last, not advanced over yet.
    private ReadResult ahead;
    private bool isAhead;

    public PipeReader Reader => this;

    /// <summary>Puts one before the call's body, for whoever reads it later.</summary>
    public static CallBody Before(HttpContext http)
    {
        var body = new CallBody(http.Request.BodyReader);
        http.Features.Set<IRequestBodyPipeFeature>(body);
        return body;
    }

    /// <summary>What <see cref="Before"/> put there.</summary>
    public static CallBody Of(HttpContext http) => (CallBody)http.Request.BodyReader;

    /// <summary>What stands before the next message, which comes no further than the stream's window then; null where there is none.</summary>
    public async ValueTask<GrpcPrefix?> PrefixAsync(CancellationToken cancel)
    {
        while (!IsThere(GrpcPrefix.Bytes))
        {
            if (!await LookFurtherAsync(cancel))
            {
                return null;
            }
        }

        return GrpcPrefix.Read(ahead.Buffer);
    }

    /// <summary>The message behind the prefix, once it is there; null where the body ends before. Throws the call's status where it takes too long.</summary>
    // hot
    public ValueTask<ReadOnlySequence<byte>?> MessageAsync(GrpcPrefix prefix, TimeSpan longestRest, int leastBytesPerSecond, CancellationToken cancel) =>
        IsThere(GrpcPrefix.Bytes + (long)prefix.MessageBytes) ? new(MessageOf(prefix)) : InTimeAsync(prefix, new TransferLimit(longestRest, prefix.MessageBytes, leastBytesPerSecond, cancel), cancel);

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => TryTakeAhead(out var result) ? new(result) : body.ReadAsync(cancellationToken);

    public override bool TryRead(out ReadResult result) => TryTakeAhead(out result) || body.TryRead(out result);

    public override void AdvanceTo(SequencePosition consumed) => body.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => body.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => body.CancelPendingRead();

    public override void Complete(Exception? exception = null) => body.Complete(exception);

    private async ValueTask<ReadOnlySequence<byte>?> InTimeAsync(GrpcPrefix prefix, TransferLimit timed, CancellationToken cancel)
    {
        using var limit = timed;
        while (!IsThere(GrpcPrefix.Bytes + (long)prefix.MessageBytes))
        {
            try
            {
                if (!await LookFurtherAsync(limit.Next()))
                {
                    return null;
                }
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                throw new RpcException(new Status(StatusCode.DeadlineExceeded, "the message has begun, and the rest of it did not come in time"));
            }
        }

        return MessageOf(prefix);
    }

    private ReadOnlySequence<byte> MessageOf(GrpcPrefix prefix) => ahead.Buffer.Slice(GrpcPrefix.Bytes, prefix.MessageBytes);

    private bool IsThere(long bytes) => isAhead && ahead.Buffer.Length >= bytes;

    /// <summary>False where there is no more.</summary>
    private async ValueTask<bool> LookFurtherAsync(CancellationToken cancel)
    {
        if (isAhead)
        {
            if (ahead.IsCompleted || ahead.IsCanceled)
            {
                return false;
            }

            isAhead = false;
            body.AdvanceTo(ahead.Buffer.Start, ahead.Buffer.End);
        }

        ahead = await body.ReadAsync(cancel);
        isAhead = true;
        return true;
    }

    private bool TryTakeAhead(out ReadResult result)
    {
        var wasAhead = isAhead;
        (result, ahead, isAhead) = (ahead, default, false);
        return wasAhead;
    }
}
