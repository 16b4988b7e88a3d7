using Kv.Cluster;
using Kv.Cluster.Peers;
using Kv.Core.Rings;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Peer;

/// <summary>
/// One lane to one peer: its queue, its unanswered requests and its stream. The stream is opened when somebody has something to send, and after a
/// failure not before a back-off has passed; until then every request is answered at once.
/// </summary>
internal sealed partial class PeerLink : IAsyncDisposable
{
    private readonly PeerLinkContext context;
    private readonly NodeId peer;
    private readonly PeerLane lane;
    private readonly ILogger logger;
    private readonly AsyncSignal queued = new();

    // Guards everything below, and the fields of the requests in it.
    private readonly Lock gate = new();
    private readonly Queue<PendingRequest> queue = new();
    private readonly Dictionary<ulong, PendingRequest> unanswered = [];
    private readonly DeadlineWheel wheel;
    private readonly List<PendingRequest> expired = [];
    private long queuedBytes;

    // Taken out of the queue for the stream's writer, which sends one long message after another.
    private int longWaiting;
    private ulong lastId;
    private State state = State.Idle;
    private long retryAt;
    private int failures;
    private string? refusal;
    private CancellationTokenSource? running;
    private Task run = Task.CompletedTask;

    public PeerLink(PeerLinkContext context, NodeId peer, string address, PeerLane lane, ILogger logger)
    {
        (this.context, this.peer, this.lane, this.logger) = (context, peer, lane, logger);
        Address = address;
        wheel = new DeadlineWheel(context.Tick(context.Time.GetTimestamp()));
        LastUsed = context.Time.GetTimestamp();
    }

    private enum State
    {
        Idle,
        Connecting,
        Connected,
        Closed,
    }

    public string Address { get; }

    /// <summary>Timestamp of the last send.</summary>
    public long LastUsed { get; private set; }

    public bool IsUnused
    {
        get
        {
            lock (gate)
            {
                return unanswered.Count == 0;
            }
        }
    }

    public ValueTask<PeerReply> SendAsync(PeerRequest request, Deadline deadline, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        if (deadline.HasPassed(context.Time))
        {
            return new ValueTask<PeerReply>(new PeerReply.TimedOut());
        }

        var pending = new PendingRequest(request, deadline, PeerCodec.SizeHint(request));
        if (cancel.CanBeCanceled)
        {
            pending.EndOnCancel(this, cancel);
        }

        var refused = TryEnqueue(pending);
        if (refused is null)
        {
            queued.Set();
        }
        else if (TryFinishUnqueued(pending))
        {
            pending.Complete(refused);
        }

        return pending.Task;
    }

    public void Cancel(PendingRequest pending, CancellationToken token)
    {
        lock (gate)
        {
            if (!Forget(pending))
            {
                return;
            }
        }

        pending.CompleteCanceled(token);
    }

    /// <summary>Ends what has waited past its deadline.</summary>
    public void Expire(long tick)
    {
        PendingRequest[] ended;
        lock (gate)
        {
            expired.Clear();
            wheel.CollectExpired(tick, expired);
            if (expired.Count == 0)
            {
                return;
            }

            foreach (var pending in expired)
            {
                Forget(pending);
            }

            ended = [.. expired];
        }

        foreach (var pending in ended)
        {
            pending.Complete(new PeerReply.TimedOut());
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task ending;
        lock (gate)
        {
            state = State.Closed;
            running?.Cancel();
            ending = run;
        }

        FailAll(refused: null);
        queued.Set();
        await ending;
    }

    private PeerReply? TryEnqueue(PendingRequest pending)
    {
        lock (gate)
        {
            if (pending.IsDone)
            {
                return null;
            }

            var now = context.Time.GetTimestamp();
            if (state == State.Closed)
            {
                return new PeerReply.Unreachable();
            }

            if (state == State.Idle && now < retryAt)
            {
                return refusal is null ? new PeerReply.Unreachable() : new PeerReply.Refused(refusal);
            }

            var isFull = queue.Count + longWaiting >= context.Options.QueueMessages
                || unanswered.Count >= context.Options.UnansweredMessages
                || (queue.Count > 0 && queuedBytes + pending.SizeHint > context.Options.QueueBytes);
            var counted = pending.SizeHint > RequestMemory.FreeBytes ? pending.SizeHint : 0;
            if (isFull || (counted > 0 && !context.Memory.Sends.TryTake(counted)))
            {
                return new PeerReply.Overloaded();
            }

            pending.TakenBytes = counted;
            pending.Id = ++lastId;
            unanswered.Add(pending.Id, pending);
            wheel.Add(pending, context.Tick(pending.Deadline.Timestamp) + 1);
            queue.Enqueue(pending);
            queuedBytes += pending.SizeHint;
            LastUsed = now;
            if (state == State.Idle)
            {
                state = State.Connecting;
                running = new CancellationTokenSource();
                var token = running.Token;
                run = Task.Run(() => RunAsync(token), CancellationToken.None);
            }

            return null;
        }
    }

    private bool TryFinishUnqueued(PendingRequest pending)
    {
        lock (gate)
        {
            var first = !pending.IsDone;
            pending.IsDone = true;
            return first;
        }
    }

    // Needs the gate. True for the one who is to complete the request.
    private bool Forget(PendingRequest pending)
    {
        if (pending.IsDone)
        {
            return false;
        }

        pending.IsDone = true;
        pending.Request = null;
        if (unanswered.Remove(pending.Id))
        {
            wheel.Remove(pending);
            context.Memory.Sends.Release(pending.TakenBytes);
        }

        return true;
    }

    private void Finish(PendingRequest pending, PeerReply reply)
    {
        lock (gate)
        {
            if (!Forget(pending))
            {
                return;
            }
        }

        pending.Complete(reply);
    }

    private void Ended(string reason, string? refused)
    {
        bool isNews;
        lock (gate)
        {
            isNews = state == State.Connected || (refused is not null && refused != refusal);
            failures++;
            refusal = refused;
            retryAt = context.Time.GetTimestamp() + context.BackoffTicks(failures, refused is not null);
            if (state != State.Closed)
            {
                state = State.Idle;
            }
        }

        if (refused is not null && isNews && PeerService.IsOtherNode(refused))
        {
            LogOtherNode(peer, Address, lane, reason);
        }
        else if (refused is not null && isNews)
        {
            LogRefused(peer, Address, lane, reason);
        }
        else if (isNews)
        {
            LogLost(peer, Address, lane, reason);
        }
        else
        {
            LogUnreachable(peer, Address, lane, reason);
        }

        FailAll(refused);
    }

    private void FailAll(string? refused)
    {
        PendingRequest[] ended;
        lock (gate)
        {
            ended = [.. unanswered.Values];
            foreach (var pending in ended)
            {
                Forget(pending);
            }

            queue.Clear();
            (queuedBytes, longWaiting) = (0, 0);
        }

        foreach (var pending in ended)
        {
            pending.Complete(refused is null ? new PeerReply.Unreachable { WasSent = pending.WasSent } : new PeerReply.Refused(refused));
        }
    }

    [LoggerMessage(2201, LogLevel.Information, "peer {Peer} at {Address}: {Lane} stream open")]
    private partial void LogConnected(NodeId peer, string address, PeerLane lane);

    [LoggerMessage(2202, LogLevel.Warning, "peer {Peer} at {Address}: {Lane} stream lost: {Reason}")]
    private partial void LogLost(NodeId peer, string address, PeerLane lane, string reason);

    [LoggerMessage(2203, LogLevel.Error, "peer {Peer} at {Address}: {Lane} stream refused: {Reason}")]
    private partial void LogRefused(NodeId peer, string address, PeerLane lane, string reason);

    [LoggerMessage(2205, LogLevel.Warning, "peer {Peer} is not at {Address}, where the cluster has it: {Lane} stream refused: {Reason}")]
    private partial void LogOtherNode(NodeId peer, string address, PeerLane lane, string reason);

    [LoggerMessage(2204, LogLevel.Debug, "peer {Peer} at {Address}: {Lane} stream cannot be opened: {Reason}")]
    private partial void LogUnreachable(NodeId peer, string address, PeerLane lane, string reason);
}
