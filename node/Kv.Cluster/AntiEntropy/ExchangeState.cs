namespace Kv.Cluster.AntiEntropy;

/// <summary>How a pair of trees stands.</summary>
public enum ExchangeState
{
    Waiting = 1,
    Running = 2,

    /// <summary>The last attempt failed; another follows.</summary>
    Failed = 3,
}
