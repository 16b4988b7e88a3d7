namespace Kv.Cluster.Peers;

/// <summary>What an owner that rebuilds a partition asks of each member, one after the other. Sent: append only.</summary>
public enum RebuildStep
{
    /// <summary>Hand back what you hold for others of partitions that share keys with this one; done when nothing is left.</summary>
    Return = 1,

    /// <summary>Send what you hold of the partition's keys under other partitions; done when all of it is confirmed. Asked when every member has returned what it held.</summary>
    Send = 2,
}
