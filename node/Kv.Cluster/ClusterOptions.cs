namespace Kv.Cluster;

/// <summary>Limits and timeouts of a node's cluster layer. Each has its unit in its name or is a <see cref="TimeSpan"/>; defaults are Riak's where it has the option.</summary>
public sealed record ClusterOptions
{
    /// <summary>For requests that name none.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Requests that this node coordinates at once; past it, overload.</summary>
    public int MaxConcurrentRequests { get; init; } = 50_000;

    /// <summary>Commands that wait in a vnode's mailbox; past it, overload.</summary>
    public int VnodeMailboxLimit { get; init; } = 10_000;

    /// <summary>Commands that a vnode takes in one pass.</summary>
    public int VnodeBatchLimit { get; init; } = 256;

    /// <summary>Bytes; larger objects are refused at put.</summary>
    public long MaxObjectBytes { get; init; } = 50 * 1024 * 1024;

    public int MaxSiblings { get; init; } = 100;

    public int WarnSiblings { get; init; } = 25;

    /// <summary>A peer not heard of for this long is taken for down.</summary>
    public TimeSpan PeerDownAfter { get; init; } = TimeSpan.FromSeconds(3);

    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan GossipInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Between looks for partitions to hand off.</summary>
    public TimeSpan HandoffInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Transfers from this node at once; another as many to it.</summary>
    public int HandoffConcurrency { get; init; } = 2;

    public int HandoffBatchBytes { get; init; } = 1024 * 1024;

    public int HandoffBatchObjects { get; init; } = 500;

    public TimeSpan HandoffBatchTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Keys in a page of a listing.</summary>
    public int ListPageKeys { get; init; } = 1000;
}
