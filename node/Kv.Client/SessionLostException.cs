namespace Kv.Client;

/// <summary>The way to a node is gone, or was never there. <see cref="WasSent"/> tells whether the node may have seen the operation.</summary>
internal sealed class SessionLostException(string message, bool wasSent, bool timedOut, Exception? inner = null) : Exception(message, inner)
{
    public bool WasSent { get; } = wasSent;

    public bool TimedOut { get; } = timedOut;

    /// <summary>The node let no session begin for who the client says it is. None of its operations was looked at.</summary>
    public bool IsDenied { get; init; }
}
