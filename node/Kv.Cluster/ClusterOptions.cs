using System.Collections.Immutable;

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

    /// <summary>Vnodes that are open at one time, those that the node owns and those that it stands in for: what its memory is divided for. Past it no store is made; those with data are opened all the same.</summary>
    public int MaxVnodes { get; init; } = 1024;

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

    /// <summary>Between two looks through a node's data for objects whose `ttl` is over, where some bucket type has one. They are not served anyway: it is how long they may take room.</summary>
    public TimeSpan ExpirySweepInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Between two looks at the other members' clocks, where some bucket type has a `ttl`.</summary>
    public TimeSpan ClockInterval { get; init; } = TimeSpan.FromSeconds(10);

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

    /// <summary>Peer addresses (`host:port`) where members may be found that are not where the document says. None is needed while most stay where they are.</summary>
    public ImmutableArray<string> Seeds { get; init; } = [];

    /// <summary>How long a change of the cluster document is tried for before it counts as unavailable.</summary>
    public TimeSpan DocumentChangeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Between looks for partitions to hand off.</summary>
    public TimeSpan HandoffInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Transfers from this node at once; another as many to it.</summary>
    public int HandoffConcurrency { get; init; } = 2;

    public int HandoffBatchBytes { get; init; } = 1024 * 1024;

    public int HandoffBatchObjects { get; init; } = 500;

    /// <summary>Of keys and objects that this node hands over, by all transfers together.</summary>
    public long HandoffBytesPerSecond { get; init; } = 64 * 1024 * 1024;

    /// <summary>Objects of a partition held for another that its owner may refuse before the attempt is given up: more than a few tell of something else.</summary>
    public int HandoffMaxRefused { get; init; } = 100;

    /// <summary>Partitions at once for whose rebuilding elsewhere this node reads what it holds.</summary>
    public int RebuildConcurrency { get; init; } = 2;

    public TimeSpan HandoffBatchTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whether hash trees are kept, and replicas compared by them. Off, replicas are repaired by reads and handoff alone.</summary>
    public bool AntiEntropy { get; init; } = true;

    /// <summary>Between two comparisons of one pair of trees that found them equal, or made them so.</summary>
    public TimeSpan ExchangeInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The most of one processor's time that comparing trees, reading what differs and building trees may take, as measured at each step. More than 0, at most 1.</summary>
    public double ExchangeWorkShare { get; init; } = 0.25;

    /// <summary>Exchanges that this node asks for at once; another as many that it is asked for.</summary>
    public int ExchangeConcurrency { get; init; } = 2;

    /// <summary>How long an answer of an exchange may take. A peer that asks nothing more for twice as long is taken to have given up.</summary>
    public TimeSpan ExchangeTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Of hashes and keys that exchanges of this node move, and of data that trees are built from, each.</summary>
    public long ExchangeBytesPerSecond { get; init; } = 8 * 1024 * 1024;

    /// <summary>Keys that an exchange has repaired at once: one sync of the disk does for many.</summary>
    public int ExchangeRepairConcurrency { get; init; } = 64;

    /// <summary>While more requests than this are under way, exchanges, the building of trees, and scrubbing wait.</summary>
    public int ExchangePauseRequests { get; init; } = 1000;

    /// <summary>Trees older than this are built anew from the data, and data without trees is read as often: what a disk forgot in silence shows then.</summary>
    public TimeSpan TreeMaxAge { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Keys to a leaf that trees are built for, at most. Those with four times as many are built anew.</summary>
    public double TreeLeafKeys { get; init; } = 1;

    /// <summary>Of the leaves of one vnode's trees together; those that this allows no more are less sharp. Trees of the least depth are kept in any case.</summary>
    public long TreeBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Keys whose values a vnode reads in one turn for its trees: to build them, or to show what a leaf holds.</summary>
    public int TreeTurnKeys { get; init; } = 128;

    /// <summary>Of a page of what leaves hold.</summary>
    public int TreePageBytes { get; init; } = 64 * 1024;

    /// <summary>Keys in a page of a listing.</summary>
    public int ListPageKeys { get; init; } = 1000;

    /// <summary>Of what a page of a query looks at.</summary>
    public int ScanPageBytes { get; init; } = 256 * 1024;

    /// <summary>Pages of queries that a vnode reads at once; past it, overload.</summary>
    public int MaxScansPerVnode { get; init; } = 16;

    /// <summary>Whatever a query or a listing asks for, it has ended by then.</summary>
    public TimeSpan MaxQueryTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Vnodes that a query of an index reads side by side.</summary>
    public int IndexConcurrency { get; init; } = 16;

    /// <summary>Listings that the node reads for its clients at once; past it, overload. Each remembers up to <see cref="ListMaxRemembered"/> names, in some 40 bytes a name.</summary>
    public int MaxListings { get; init; } = 16;

    /// <summary>Listings that read a vnode at once; past it, overload.</summary>
    public int MaxListingsPerVnode { get; init; } = 16;

    /// <summary>A vnode forgets a listing that asked for no page for this long.</summary>
    public TimeSpan ListingIdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Vnodes that a listing reads side by side.</summary>
    public int ListConcurrency { get; init; } = 4;

    /// <summary>Names that a listing remembers so as to show none twice; past it, a key written meanwhile may come twice, and a listing of buckets fails.</summary>
    public int ListMaxRemembered { get; init; } = 1_000_000;

    /// <summary>MapReduce jobs that the node runs for its clients at once; past it, overload. Each may hold <see cref="MapReduceHeldBytes"/>.</summary>
    public int MaxMapReduceJobs { get; init; } = 8;

    /// <summary>Objects that a phase of a MapReduce job reads side by side at most.</summary>
    public int MapReduceReads { get; init; } = 16;

    /// <summary>What these may have together if they are as large as those before; one object may be larger.</summary>
    public long MapReduceReadBytes { get; init; } = 2 * 1024 * 1024;

    /// <summary>Of what a MapReduce job has at once between its phases and for those that reduce; past it, it fails. What it reads passes through and is not counted together.</summary>
    public long MapReduceHeldBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Listings take this many times <see cref="RequestTimeout"/> where they name no time of their own.</summary>
    public int ListTimeoutFactor { get; init; } = 8;
}
