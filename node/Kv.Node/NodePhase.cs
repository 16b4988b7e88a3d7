namespace Kv.Node;

/// <summary>How far a node's process is.</summary>
public enum NodePhase
{
    /// <summary>Opening and recovering its stores.</summary>
    Recovering,

    /// <summary>All ports are served.</summary>
    Serving,

    Stopping,

    /// <summary>Storage is beyond use: the process ends.</summary>
    Failed,
}
