using Kv.Core.Rings;

namespace Kv.Cluster.AntiEntropy;

/// <summary>A pair of trees that are to be compared again and again, and how that went last. The scheduler's own, under its lock.</summary>
internal sealed class ExchangeJob(ExchangePair pair)
{
    public ExchangePair Pair { get; } = pair;

    public NodeId Peer { get; set; }

    /// <summary>An administrator asked for it.</summary>
    public bool IsWanted { get; set; }

    public bool IsRunning { get; set; }

    /// <summary>The clock's timestamp at which it ran last to the end; null before.</summary>
    public long? EndedAt { get; set; }

    /// <summary>The clock's timestamp before which it does not run.</summary>
    public long NotBefore { get; set; }

    public int Failures { get; set; }

    /// <summary>Empty where the last attempt did not fail.</summary>
    public string LastError { get; set; } = "";

    public TimeSpan Took { get; set; }

    /// <summary>Keys of the last run that differed, and those of them for which replicas were sent the merged object.</summary>
    public (int Found, int Repaired) Keys { get; set; }
}
