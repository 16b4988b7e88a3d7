using Grpc.Core;
using Kv.Cluster;
using Kv.Cluster.Peers;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Peer;

/// <summary>One stream that a peer has opened to this node, after its handshake.</summary>
internal sealed partial class InboundStream(
    PeerHello hello, byte version, IPeerHandler handler, PeerTransportOptions options, RequestMemory memory, TimeProvider time, ILogger logger)
{
    private readonly AsyncSignal answered = new();
    private readonly AsyncSignal drained = new();

    // Guards the four fields below.
    private readonly Lock gate = new();
    private readonly Queue<(ulong Id, PeerReply Reply, int SizeHint)> replies = new();
    private long replyBytes;
    private int handling;
    private bool ended;

    /// <summary>What a request has taken of the node's memory, until it is answered.</summary>
    private readonly record struct Taken(MemoryShare? Share, long Bytes)
    {
        public void Release() => Share?.Release(Bytes);
    }

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
        var longTaken = default(Taken);
        var longOnes = new LongReceiver(options.MaxMessageBytes, (envelope, bytes) => MakeRoom(envelope, bytes, out longTaken));
        try
        {
            while (await reader.MoveNext(cancel))
            {
                var frame = reader.Current;
                if ((frame.ProblemAs(PeerFrameKind.Requests, version) ?? (frame.Kind == PeerFrameKind.Requests ? null : longOnes.Take(frame))) is { } problem)
                {
                    throw new RpcException(new Status(StatusCode.InvalidArgument, problem));
                }

                if (frame.Kind == PeerFrameKind.Requests)
                {
                    BeginAll(frame.Messages);
                }
                else if (longOnes.IsComplete)
                {
                    var taken = longTaken;
                    longTaken = default;
                    Begin(longOnes.Message, taken, longOnes.IsRefused);
                    longOnes.Clear();
                }

                while (Volatile.Read(ref replyBytes) > options.InboundReplyBytes && !cancel.IsCancellationRequested)
                {
                    await drained.WaitAsync();
                }
            }
        }
        finally
        {
            longTaken.Release();
        }
    }

    private void BeginAll(IReadOnlyList<PeerEnvelope> messages)
    {
        foreach (var envelope in messages)
        {
            var isRefused = !TryTake(envelope.Code, envelope.Body.Length, out var taken);
            Begin(envelope, taken, isRefused);
        }
    }

    /// <summary>Room for a long request, or null where there is none now.</summary>
    private byte[]? MakeRoom(in PeerEnvelope envelope, int bytes, out Taken taken)
    {
        if (!TryTake(envelope.Code, bytes, out taken))
        {
            return null;
        }

        try
        {
            return new byte[bytes];
        }
        catch (OutOfMemoryException)
        {
            taken.Release();
            taken = default;
            return null;
        }
    }

    /// <summary>Counts what brings data; what keeps the cluster together is small, and taken in any case.</summary>
    private bool TryTake(byte code, int bodyBytes, out Taken taken)
    {
        var (share, copies) = (PeerRequestCode)code switch
        {
            // A client's request that another node handed on, which sends to peers itself: it must not fill up what they need to answer.
            PeerRequestCode.Forward => (memory.Clients, RequestMemory.CopiesOfWrite),
            PeerRequestCode.VnodePut or PeerRequestCode.HandoffBatch => (memory.Replicas, RequestMemory.CopiesOfReplica),
            _ => (null, 0),
        };
        var bytes = (long)bodyBytes * copies;
        taken = default;
        if (share is null || bodyBytes <= RequestMemory.FreeBytes)
        {
            return true;
        }

        if (!share.TryTake(bytes))
        {
            return false;
        }

        taken = new Taken(share, bytes);
        return true;
    }

    private void Begin(in PeerEnvelope envelope, Taken taken, bool isRefused)
    {
        lock (gate)
        {
            handling++;
            if (isRefused || handling > options.InboundMessages)
            {
                Queue(envelope.Id, new PeerReply.Overloaded());
                taken.Release();
                return;
            }
        }

        var task = HandleAsync(envelope);
        if (task.IsCompletedSuccessfully)
        {
            taken.Release();
            Answer(envelope.Id, task.Result);
        }
        else
        {
            _ = AnswerLaterAsync(envelope.Id, task, taken);
        }
    }

    /// <summary>Whatever goes wrong is in the task, so that what the request has taken is given back in one place.</summary>
    private ValueTask<PeerReply> HandleAsync(in PeerEnvelope envelope)
    {
        PeerRequest? request = null;
        try
        {
            if (!PeerCodec.TryReadRequest(envelope, out request, out var problem))
            {
                LogUnreadable(hello.From, envelope.Code, problem);
                return new ValueTask<PeerReply>(new PeerReply.Refused(PeerReply.Refused.Unreadable + problem));
            }

            var deadline = Deadline.After(time, TimeSpan.FromMilliseconds(envelope.DeadlineMilliseconds));

            // No token: a write whose sender has hung up is done all the same, and the deadline bounds everything.
            return handler.HandleAsync(hello.From, request, deadline, CancellationToken.None);
        }
        catch (OutOfMemoryException) when (request is null)
        {
            // Nothing was done yet.
            return new ValueTask<PeerReply>(new PeerReply.Overloaded());
        }
        catch (Exception e)
        {
            return ValueTask.FromException<PeerReply>(e);
        }
    }

    private async Task AnswerLaterAsync(ulong id, ValueTask<PeerReply> task, Taken taken)
    {
        PeerReply reply;
        try
        {
            reply = await task;
        }
        catch (Exception e)
        {
            // A handler never throws, but for want of memory; else it is a bug. Neither must leave the sender without an answer, nor let it think that nothing was done.
            LogFailed(hello.From, e);
            reply = new PeerReply.Refused(PeerReply.Refused.Internal + "the node failed to handle the request, see its log");
        }

        taken.Release();
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
        using var longOnes = new LongSender();
        var batch = new List<(ulong Id, PeerReply Reply, int SizeHint)>(options.FrameMessages);
        try
        {
            while (TakeBatch(batch, version >= PeerVersions.WithLongMessages ? longOnes : null))
            {
                if (batch.Count > 0)
                {
                    PeerFrame.Begin(buffer, PeerFrameKind.Replies, version);
                    foreach (var (id, reply, _) in batch)
                    {
                        Encode(buffer, id, reply);
                    }

                    await writer.WriteAsync(PeerFrame.Finish(buffer, batch.Count), ending.Token);
                }

                if (longOnes.TryWritePiece(buffer, version))
                {
                    await writer.WriteAsync(PeerFrame.OfEncoded(buffer.Written), ending.Token);
                }
                else if (batch.Count == 0)
                {
                    await answered.WaitAsync();
                }
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

    private void Encode(WireWriter writer, ulong id, PeerReply reply)
    {
        var start = writer.Length;
        try
        {
            PeerCodec.WriteReply(writer, id, reply, options.MaxMessageBytes);
        }
        catch (OutOfMemoryException)
        {
            writer.Truncate(start);

            // The request was done: its sender is not to take this for a refusal.
            PeerCodec.WriteReply(writer, id, new PeerReply.TimedOut { DocumentVersion = reply.DocumentVersion, Fence = reply.Fence }, options.MaxMessageBytes);
        }
    }

    /// <summary>Its turn has come; until then its bytes count as waiting.</summary>
    private bool EncodeLong(WireWriter writer, ulong id, PeerReply reply, int bytes)
    {
        Encode(writer, id, reply);
        lock (gate)
        {
            replyBytes -= bytes;
        }

        drained.Set();
        return true;
    }

    /// <summary>Takes what goes into one frame; what is longer than one goes to <paramref name="longOnes"/>, where the stream knows such. False where the stream has ended.</summary>
    private bool TakeBatch(List<(ulong Id, PeerReply Reply, int SizeHint)> batch, LongSender? longOnes)
    {
        batch.Clear();
        var (bytes, count) = (0L, 0);
        lock (gate)
        {
            if (ended)
            {
                return false;
            }

            while (batch.Count < options.FrameMessages && bytes < options.FrameBytes && replies.TryDequeue(out var reply))
            {
                count++;
                if (longOnes is not null && reply.SizeHint > options.FrameBytes)
                {
                    longOnes.Add(reply.SizeHint + PeerFrame.EnvelopeBytes, into => EncodeLong(into, reply.Id, reply.Reply, reply.SizeHint));
                    continue;
                }

                batch.Add(reply);
                bytes += reply.SizeHint;
            }

            handling -= count;
            replyBytes -= bytes;
        }

        drained.Set();
        return true;
    }

    [LoggerMessage(2221, LogLevel.Warning, "a request of node {Node} with code {Code} cannot be read: {Problem}")]
    private partial void LogUnreadable(Core.Rings.NodeId node, byte code, string problem);

    [LoggerMessage(2222, LogLevel.Error, "handling a request of node {Node} failed")]
    private partial void LogFailed(Core.Rings.NodeId node, Exception exception);

    [LoggerMessage(2223, LogLevel.Debug, "the stream of node {Node} cannot be written: {Reason}")]
    private partial void LogWriteEnded(Core.Rings.NodeId node, string reason);
}
