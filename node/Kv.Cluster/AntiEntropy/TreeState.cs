namespace Kv.Cluster.AntiEntropy;

/// <summary>How a vnode's hash trees stand.</summary>
public enum TreeState
{
    /// <summary>They are to be built: never built, or by another layout.</summary>
    Waiting = 1,
    Building = 2,

    /// <summary>They are those of the data.</summary>
    Built = 3,
}
