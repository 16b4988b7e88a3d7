using Proto = Kv.Protos.Kv.V1;

namespace Kv.Client;

/// <summary>An operation at a node: its message, its deadline, and its answer once that is there.</summary>
internal sealed class PendingOperation : TaskCompletionSource<Proto.SessionResponse>
{
    public PendingOperation(Proto.SessionRequest request, long deadline)
        : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        Request = request;
        Deadline = deadline;
    }

    public Proto.SessionRequest Request { get; }

    /// <summary>On the time provider's monotonic clock.</summary>
    public long Deadline { get; }

    /// <summary>Whether the node may have seen it: set before the message is handed to the connection.</summary>
    public bool WasSent { get; set; }
}
