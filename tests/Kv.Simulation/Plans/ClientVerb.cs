namespace Kv.Simulation.Plans;

/// <summary>What a client asks for.</summary>
public enum ClientVerb
{
    Get,
    Put,

    /// <summary>Only if there is nothing.</summary>
    PutIfNone,

    /// <summary>Only if nothing changed since it read.</summary>
    PutIfUnchanged,
    Delete,
}
