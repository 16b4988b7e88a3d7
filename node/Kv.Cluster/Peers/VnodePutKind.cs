namespace Kv.Cluster.Peers;

/// <summary>Why an object is merged into a replica. Sent: append only.</summary>
public enum VnodePutKind
{
    /// <summary>A client's write, coordinated elsewhere.</summary>
    Replicate = 0,

    /// <summary>Read repair or exchange: no limits, no pruning.</summary>
    Repair = 1,

    /// <summary>A write to a partition that is being handed off, passed on by its owner.</summary>
    Handoff = 2,
}
