namespace Kv.Cluster.Handoff;

/// <summary>How a transfer stands.</summary>
public enum TransferState
{
    Waiting = 1,
    Running = 2,

    /// <summary>The last attempt failed; another follows.</summary>
    Failed = 3,
}
