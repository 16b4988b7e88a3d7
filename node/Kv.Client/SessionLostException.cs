namespace Kv.Client;

/// <summary>The way to a node is gone, or was never there. <see cref="WasSent"/> tells whether the node may have seen the operation.</summary>
internal sealed class SessionLostException(string message, bool wasSent, bool timedOut, Exception? inner = null) : Exception(message, inner)
{
    public bool WasSent { get; } = wasSent;

    public bool TimedOut { get; } = timedOut;
}
