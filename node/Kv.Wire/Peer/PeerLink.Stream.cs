using System.Globalization;
using Kv.Cluster.Peers;

namespace Kv.Wire.Peer;

/// <summary>The link's stream while there is one: what is queued goes out, answers come in.</summary>
internal sealed partial class PeerLink
{
    private async Task RunAsync(CancellationToken cancel)
    {
        string reason;
        string? refused = null;
        try
        {
            await using var stream = await PeerStream.OpenAsync(context, peer, Address, lane, cancel);
            refused = stream.Refusal;
            reason = refused ?? await ServeAsync(stream);
        }
        catch (Exception e)
        {
            // The stream's own end is one of the three places that catch: whatever it was, its requests must be answered.
            reason = PeerStream.Explain(e);
        }

        Ended(reason, refused);
    }

    private async Task<string> ServeAsync(PeerStream stream)
    {
        lock (gate)
        {
            if (state == State.Closed)
            {
                return "closed";
            }

            (state, failures, refusal) = (State.Connected, 0, null);
        }

        LogConnected(peer, Address, lane);
        var writing = WriteToEndAsync(stream);
        var reason = await ReadAsync(stream);
        stream.Abort();
        queued.Set();
        await writing;
        return reason;
    }

    /// <summary>Whatever ends the writing ends the stream, also where there is no memory for a frame: else its requests would wait for nothing.</summary>
    private async Task WriteToEndAsync(PeerStream stream)
    {
        try
        {
            await WriteAsync(stream);
        }
        finally
        {
            stream.Abort();
        }
    }

    private async Task WriteAsync(PeerStream stream)
    {
        using var writer = new WireWriter(64 * 1024);
        using var longOnes = new LongSender();
        var batch = new List<PendingRequest>(context.Options.FrameMessages);
        while (!stream.IsAborted)
        {
            TakeBatch(batch, stream.Version >= PeerVersions.WithLongMessages ? longOnes : null);
            if (batch.Count > 0)
            {
                var count = Encode(batch, writer, stream.Version);
                if (count > 0 && !await stream.TryWriteAsync(PeerFrame.Finish(writer, count)))
                {
                    return;
                }
            }

            if (longOnes.TryWritePiece(writer, stream.Version))
            {
                if (!await stream.TryWriteAsync(PeerFrame.OfEncoded(writer.Written)))
                {
                    return;
                }
            }
            else if (batch.Count == 0)
            {
                await queued.WaitAsync();
            }
        }
    }

    /// <summary>Takes what goes into one frame; what is longer than one goes to <paramref name="longOnes"/>, where the stream knows such.</summary>
    private void TakeBatch(List<PendingRequest> batch, LongSender? longOnes)
    {
        batch.Clear();
        var bytes = 0L;
        lock (gate)
        {
            while (batch.Count < context.Options.FrameMessages && bytes < context.Options.FrameBytes && queue.TryDequeue(out var pending))
            {
                queuedBytes -= pending.SizeHint;
                if (pending.IsDone)
                {
                    continue;
                }

                pending.WasSent = true;
                if (longOnes is not null && pending.SizeHint > context.Options.FrameBytes)
                {
                    longWaiting++;
                    longOnes.Add(pending.SizeHint + PeerFrame.EnvelopeBytes, into => TryEncodeLong(pending, into));
                    continue;
                }

                batch.Add(pending);
                bytes += pending.SizeHint;
            }
        }
    }

    private int Encode(List<PendingRequest> batch, WireWriter writer, byte version)
    {
        PeerFrame.Begin(writer, PeerFrameKind.Requests, version);
        var count = 0;
        foreach (var pending in batch)
        {
            count += TryEncode(pending, writer) ? 1 : 0;
        }

        return count;
    }

    /// <summary>Its turn has come; until then it counts as waiting.</summary>
    private bool TryEncodeLong(PendingRequest pending, WireWriter writer)
    {
        lock (gate)
        {
            longWaiting--;
        }

        return TryEncode(pending, writer);
    }

    /// <summary>Writes the message, unless nobody waits for its answer any more or it cannot be sent, which is answered here.</summary>
    private bool TryEncode(PendingRequest pending, WireWriter writer)
    {
        if (pending.Request is not { } request)
        {
            return false;
        }

        var start = writer.Length;
        var left = (uint)Math.Clamp(pending.Deadline.Left(context.Time).TotalMilliseconds, 1, uint.MaxValue);
        PeerReply refusal;
        try
        {
            PeerCodec.WriteRequest(writer, pending.Id, left, request);
            var bytes = writer.Length - start;
            if (bytes <= context.Options.MaxMessageBytes)
            {
                return true;
            }

            refusal = new PeerReply.Refused(string.Create(
                CultureInfo.InvariantCulture, $"too_large: a message of {bytes} bytes, at most {context.Options.MaxMessageBytes} are sent to a node"));
        }
        catch (OutOfMemoryException)
        {
            refusal = new PeerReply.Overloaded();
        }

        writer.Truncate(start);
        Finish(pending, refusal);
        return false;
    }

    private async Task<string> ReadAsync(PeerStream stream)
    {
        var longOnes = new LongReceiver(context.Options.MaxMessageBytes, (_, bytes) => context.Memory.TryAllocateAnswer(bytes));
        while (await stream.ReadAsync() is { } frame)
        {
            if (frame.ProblemAs(PeerFrameKind.Replies, stream.Version) is { } problem)
            {
                return problem;
            }

            if (frame.Kind != PeerFrameKind.Replies)
            {
                if (longOnes.Take(frame) is { } broken)
                {
                    return broken;
                }

                if (longOnes.IsComplete)
                {
                    Answer(longOnes.Message, longOnes.IsRefused);
                    longOnes.Clear();
                }

                continue;
            }

            foreach (var envelope in frame.Messages)
            {
                Answer(envelope, isRefused: false);
            }
        }

        return stream.EndReason;
    }

    /// <summary><paramref name="isRefused"/>: there was no room for the answer.</summary>
    private void Answer(in PeerEnvelope envelope, bool isRefused)
    {
        PendingRequest? pending;
        lock (gate)
        {
            if (!unanswered.TryGetValue(envelope.Id, out pending) || !Forget(pending))
            {
                return;
            }
        }

        pending.Complete(
            isRefused ? new PeerReply.Overloaded { IsOfAnswer = true }
            : PeerCodec.TryReadReply(envelope, out var reply, out var unreadable) ? reply
            : new PeerReply.Refused(PeerReply.Refused.Unreadable + unreadable));
    }
}
