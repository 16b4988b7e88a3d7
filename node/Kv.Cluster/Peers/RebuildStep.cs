namespace Kv.Cluster.Peers;

/// <summary>What an owner that rebuilds a partition asks of each member, one after the other. Sent: append only.</summary>
public enum RebuildStep
{
    /// <summary>Send what you hold of the partition's keys for others; done when all of it is confirmed.</summary>
    SendHeld = 1,

    /// <summary>Send what you hold of the partition's keys under other partitions; done when all of it is confirmed. Asked when every member has sent what it held for others.</summary>
    Send = 2,
}
