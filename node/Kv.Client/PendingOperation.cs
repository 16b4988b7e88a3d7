using Proto = Kv.Protos.Kv.V1;

namespace Kv.Client;

/// <summary>
/// An operation at a node: its message, its deadline, and its answer once that is there. It leaves the queue in one of two ways, to be sent or dropped, and holds a
/// place of the node until both its caller and the queue have let it go.
/// </summary>
internal sealed class PendingOperation(Proto.SessionRequest request, long deadline, SemaphoreSlim places)
    : TaskCompletionSource<Proto.SessionResponse>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    private const int Queued = 0;
    private const int Sent = 1;
    private const int Dropped = 2;

    private int _state = Queued;
    private int _holders = 1;

    public Proto.SessionRequest Request { get; } = request;

    /// <summary>On the time provider's monotonic clock.</summary>
    public long Deadline { get; } = deadline;

    /// <summary>Before it is handed to the connection: false where it was dropped, and must not be.</summary>
    public bool TrySend() => Interlocked.CompareExchange(ref _state, Sent, Queued) == Queued;

    /// <summary>Makes sure that it is never sent: false where the node may have seen it.</summary>
    public bool TryDrop() => Interlocked.CompareExchange(ref _state, Dropped, Queued) != Sent;

    /// <summary>Once more to be left before the place is free.</summary>
    public void Enter() => Interlocked.Increment(ref _holders);

    public void Leave()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            places.Release();
        }
    }
}
