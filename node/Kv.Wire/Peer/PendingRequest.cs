using System.Threading.Tasks.Sources;
using Kv.Cluster;
using Kv.Cluster.Peers;

namespace Kv.Wire.Peer;

/// <summary>
/// A request on its way: in a link's queue, sent, or answered. It is completed exactly once, by whoever takes it out of the link's table first: a
/// reply, the deadline, the caller's cancellation or the stream's end.
/// </summary>
internal sealed class PendingRequest(PeerRequest request, Deadline deadline, int sizeHint) : IValueTaskSource<PeerReply>
{
    private ManualResetValueTaskSourceCore<PeerReply> source = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration cancellation;

    /// <summary>Null from when nobody waits for its answer any more: what is still in line for the stream then holds no memory. Set under the link's gate.</summary>
    public PeerRequest? Request { get; set; } = request;

    public Deadline Deadline { get; } = deadline;

    public int SizeHint { get; } = sizeHint;

    /// <summary>What it has taken of <see cref="RequestMemory.Sends"/>; guarded by the link's gate.</summary>
    public long TakenBytes { get; set; }

    public ulong Id { get; set; }

    /// <summary>Guarded by the link's gate.</summary>
    public bool IsDone { get; set; }

    /// <summary>It has been given to the stream; guarded by the link's gate.</summary>
    public bool WasSent { get; set; }

    /// <summary>Neighbours in the wheel's slot; guarded by the link's gate.</summary>
    public PendingRequest? Previous { get; set; }

    public PendingRequest? Next { get; set; }

    public long ExpiresAtTick { get; set; }

    public ValueTask<PeerReply> Task => new(this, source.Version);

    /// <summary>Called before the task is handed out; the callback may run at once.</summary>
    public void EndOnCancel(PeerLink link, CancellationToken cancel) =>
        cancellation = cancel.UnsafeRegister(static (state, token) =>
        {
            var (link, pending) = ((PeerLink, PendingRequest))state!;
            link.Cancel(pending, token);
        }, (link, this));

    public void Complete(PeerReply reply)
    {
        cancellation.Unregister();
        source.SetResult(reply);
    }

    public void CompleteCanceled(CancellationToken token) => source.SetException(new OperationCanceledException(token));

    PeerReply IValueTaskSource<PeerReply>.GetResult(short token) => source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<PeerReply>.GetStatus(short token) => source.GetStatus(token);

    void IValueTaskSource<PeerReply>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        source.OnCompleted(continuation, state, token, flags);
}
