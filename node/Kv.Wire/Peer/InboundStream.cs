using Grpc.Core;
using Kv.Cluster;
using Kv.Cluster.Peers;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Peer;

/// <summary>One stream that a peer has opened to this node, after its handshake.</summary>
internal sealed partial class InboundStream(PeerHello hello, byte version, IPeerHandler handler, PeerTransportOptions options, TimeProvider time, ILogger logger)
{
    private readonly AsyncSignal answered = new();
    private readonly AsyncSignal drained = new();

    // Guards the four fields below.
    private readonly Lock gate = new();
    private readonly Queue<(ulong Id, PeerReply Reply, int SizeHint)> replies = new();
    private long replyBytes;
    private int handling;
    private bool ended;

    /// <summary>Cancels <paramref name="ending"/> when either direction has ended.</summary>
    public async Task ServeAsync(IAsyncStreamReader<PeerFrame> reader, IServerStreamWriter<PeerFrame> writer, CancellationTokenSource ending)
    {
        var writing = WriteAsync(writer, ending);
        try
        {
            await ReadAsync(reader, ending.Token);
        }
        finally
        {
            lock (gate)
            {
                ended = true;
            }

            answered.Set();
            await writing;
        }
    }

    private async Task ReadAsync(IAsyncStreamReader<PeerFrame> reader, CancellationToken cancel)
    {
        // Whoever waits for room must wake when the stream ends.
        using var registration = cancel.UnsafeRegister(static state => ((AsyncSignal)state!).Set(), drained);
        while (await reader.MoveNext(cancel))
        {
            var frame = reader.Current;
            if (frame.ProblemAs(PeerFrameKind.Requests, version) is { } problem)
            {
                throw new RpcException(new Status(StatusCode.InvalidArgument, problem));
            }

            foreach (var envelope in frame.Messages)
            {
                Begin(envelope);
            }

            while (Volatile.Read(ref replyBytes) > options.InboundReplyBytes && !cancel.IsCancellationRequested)
            {
                await drained.WaitAsync();
            }
        }
    }

    private void Begin(in PeerEnvelope envelope)
    {
        lock (gate)
        {
            handling++;
            if (handling > options.InboundMessages)
            {
                Queue(envelope.Id, new PeerReply.Overloaded());
                return;
            }
        }

        if (!PeerCodec.TryReadRequest(envelope, out var request, out var problem))
        {
            LogUnreadable(hello.From, envelope.Code, problem);
            Answer(envelope.Id, new PeerReply.Refused("unreadable: " + problem));
            return;
        }

        var deadline = Deadline.After(time, TimeSpan.FromMilliseconds(envelope.DeadlineMilliseconds));

        // No token: a write whose sender has hung up is done all the same, and the deadline bounds everything.
        var task = handler.HandleAsync(hello.From, request, deadline, CancellationToken.None);
        if (task.IsCompletedSuccessfully)
        {
            Answer(envelope.Id, task.Result);
        }
        else
        {
            _ = AnswerLaterAsync(envelope.Id, task);
        }
    }

    private async Task AnswerLaterAsync(ulong id, ValueTask<PeerReply> task)
    {
        PeerReply reply;
        try
        {
            reply = await task;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A handler never throws: this is a bug, which must not leave the sender without an answer.
            LogFailed(hello.From, e);
            reply = new PeerReply.Refused("internal: the node failed to handle the request, see its log");
        }

        Answer(id, reply);
    }

    private void Answer(ulong id, PeerReply reply)
    {
        lock (gate)
        {
            Queue(id, reply);
        }
    }

    // Needs the gate.
    private void Queue(ulong id, PeerReply reply)
    {
        if (ended)
        {
            return;
        }

        var size = PeerCodec.SizeHint(reply);
        replies.Enqueue((id, reply, size));
        replyBytes += size;
        answered.Set();
    }

    private async Task WriteAsync(IServerStreamWriter<PeerFrame> writer, CancellationTokenSource ending)
    {
        using var buffer = new WireWriter(64 * 1024);
        var batch = new List<(ulong Id, PeerReply Reply, int SizeHint)>(options.FrameMessages);
        try
        {
            while (TakeBatch(batch))
            {
                if (batch.Count == 0)
                {
                    await answered.WaitAsync();
                    continue;
                }

                PeerFrame.Begin(buffer, PeerFrameKind.Replies, version);
                foreach (var (id, reply, _) in batch)
                {
                    PeerCodec.WriteReply(buffer, id, reply, options.MaxMessageBytes);
                }

                await writer.WriteAsync(PeerFrame.Finish(buffer, batch.Count), ending.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidOperationException or IOException or RpcException)
        {
            LogWriteEnded(hello.From, e.Message);
        }
        finally
        {
            await ending.CancelAsync();
        }
    }

    /// <summary>False where the stream has ended.</summary>
    private bool TakeBatch(List<(ulong Id, PeerReply Reply, int SizeHint)> batch)
    {
        batch.Clear();
        var bytes = 0L;
        lock (gate)
        {
            if (ended)
            {
                return false;
            }

            while (batch.Count < options.FrameMessages && bytes < options.FrameBytes && replies.TryDequeue(out var reply))
            {
                batch.Add(reply);
                bytes += reply.SizeHint;
            }

            handling -= batch.Count;
            replyBytes -= bytes;
        }

        drained.Set();
        return true;
    }

    [LoggerMessage(2111, LogLevel.Warning, "a request of node {Node} with code {Code} cannot be read: {Problem}")]
    private partial void LogUnreadable(Core.Rings.NodeId node, byte code, string problem);

    [LoggerMessage(2112, LogLevel.Error, "handling a request of node {Node} failed")]
    private partial void LogFailed(Core.Rings.NodeId node, Exception exception);

    [LoggerMessage(2113, LogLevel.Debug, "the stream of node {Node} cannot be written: {Reason}")]
    private partial void LogWriteEnded(Core.Rings.NodeId node, string reason);
}
