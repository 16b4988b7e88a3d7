namespace Kv.Cluster.Handoff;

/// <summary>Why a partition's data travels.</summary>
public enum TransferKind
{
    /// <summary>To its next owner, on a change of the ring.</summary>
    Ownership = 1,

    /// <summary>Back to its owner, from a node that stood in for it.</summary>
    Hinted = 2,

    /// <summary>To an owner that took the partition over without its data: from another replica, which keeps what it has.</summary>
    Rebuild = 3,
}
