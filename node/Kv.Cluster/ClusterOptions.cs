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

    /// <summary>Turns of a vnode whose writes are applied and not on disk yet; past it, the vnode waits for the disk.</summary>
    public int VnodeUnsyncedBatches { get; init; } = 32;

    /// <summary>Vnodes that the node opens at once at its start and when it comes to own more. The storage opens fewer at once where it has less to give.</summary>
    public int MaxConcurrentOpens { get; init; } = 4;

    /// <summary>How long a write waits for the target of a transfer before the transfer is given up and begun anew.</summary>
    public TimeSpan TransferWriteTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Read repairs under way at once; past it they are skipped and counted, and the next read tries again.</summary>
    public int MaxConcurrentRepairs { get; init; } = 1000;

    /// <summary>Tombstones that this node waits to remove; past it they stay until a read finds them.</summary>
    public int MaxWaitingReaps { get; init; } = 10_000;

    /// <summary>Tombstones that go together; members are asked about all of them at once.</summary>
    public int ReapBatchKeys { get; init; } = 256;

    /// <summary>Between this node's batches. Each makes what is on its way to the keys' partitions go there twice: the longer, the less of that, and the slower deletes are reaped.</summary>
    public TimeSpan ReapInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a reaper waits for all members in each of its rounds.</summary>
    public TimeSpan ReapRoundTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Keys that reapers have asked this node about and are not done with; past it, it refuses to be asked.</summary>
    public int MaxInspections { get; init; } = 16_384;

    /// <summary>A node forgets a reaper that it does not hear of for this long; two rounds have to fit in.</summary>
    public TimeSpan InspectionTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Bytes; larger objects are stored, and counted for a warning.</summary>
    public long WarnObjectBytes { get; init; } = 5 * 1024 * 1024;

    /// <summary>Bytes; larger objects are refused at put.</summary>
    public long MaxObjectBytes { get; init; } = 50 * 1024 * 1024;

    public int MaxSiblings { get; init; } = 100;

    public int WarnSiblings { get; init; } = 25;

    /// <summary>A peer not heard of for this long is taken for down.</summary>
    public TimeSpan PeerDownAfter { get; init; } = TimeSpan.FromSeconds(3);

    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan GossipInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a change of the cluster document is tried for before it counts as unavailable.</summary>
    public TimeSpan DocumentChangeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Between looks for partitions to hand off.</summary>
    public TimeSpan HandoffInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Transfers from this node at once; another as many to it.</summary>
    public int HandoffConcurrency { get; init; } = 2;

    public int HandoffBatchBytes { get; init; } = 1024 * 1024;

    public int HandoffBatchObjects { get; init; } = 500;

    /// <summary>Partitions at once for whose rebuilding elsewhere this node reads what it holds.</summary>
    public int RebuildConcurrency { get; init; } = 2;

    public TimeSpan HandoffBatchTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Keys in a page of a listing.</summary>
    public int ListPageKeys { get; init; } = 1000;

    /// <summary>Listings that read a vnode at once; past it, overload.</summary>
    public int MaxListingsPerVnode { get; init; } = 16;

    /// <summary>A vnode forgets a listing that asked for no page for this long.</summary>
    public TimeSpan ListingIdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Vnodes that a listing reads side by side.</summary>
    public int ListConcurrency { get; init; } = 4;

    /// <summary>Names that a listing remembers so as to show none twice; past it, a key written meanwhile may come twice, and a listing of buckets fails.</summary>
    public int ListMaxRemembered { get; init; } = 1_000_000;

    /// <summary>Listings take this many times <see cref="RequestTimeout"/> where they name no time of their own.</summary>
    public int ListTimeoutFactor { get; init; } = 8;
}
