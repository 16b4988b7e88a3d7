using System.IO.Pipelines;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Kv.Wire.Native;

/// <summary>
/// A call's body, whose bytes must keep coming while room is taken for them: where none come for <paramref name="longest"/>, the call is ended. Otherwise a client
/// that stops in mid-message would hold the room for as long as it likes. Used by the call's reader alone.
/// </summary>
internal sealed class DueBody(PipeReader body, TimeSpan longest) : PipeReader, IRequestBodyPipeFeature
{
    /// <summary>Whether a message is due that room is taken for.</summary>
    public bool IsDue { get; set; }

    public PipeReader Reader => this;

    /// <summary>Puts one before the call's body, for whoever reads it later.</summary>
    public static DueBody Before(HttpContext http, TimeSpan longest)
    {
        var body = new DueBody(http.Request.BodyReader, longest);
        http.Features.Set<IRequestBodyPipeFeature>(body);
        return body;
    }

    /// <summary>What <see cref="Before"/> put there.</summary>
    public static DueBody Of(HttpContext http) => (DueBody)http.Request.BodyReader;

    // hot
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var read = body.ReadAsync(cancellationToken);
        return read.IsCompleted || !IsDue ? read : InTimeAsync(read);
    }

    public override bool TryRead(out ReadResult result) => body.TryRead(out result);

    public override void AdvanceTo(SequencePosition consumed) => body.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => body.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => body.CancelPendingRead();

    public override void Complete(Exception? exception = null) => body.Complete(exception);

    private async ValueTask<ReadResult> InTimeAsync(ValueTask<ReadResult> read)
    {
        using var limit = new CancellationTokenSource(longest);
        using var onLimit = limit.Token.UnsafeRegister(static body => ((PipeReader)body!).CancelPendingRead(), body);
        var result = await read;
        return limit.IsCancellationRequested ? throw new RpcException(new Status(StatusCode.DeadlineExceeded, "the message has begun, and no more of it came")) : result;
    }
}
