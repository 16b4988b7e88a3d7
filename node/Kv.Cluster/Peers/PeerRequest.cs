using Kv.Core.AntiEntropy;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Peers;

/// <summary>
/// What one node asks of another. Objects travel in their stored form (ObjectCodec), so that a replica can keep the bytes it was sent.
/// <see cref="DocumentVersion"/> is the sender's: a receiver that holds an older document asks for the newer one.
/// </summary>
public abstract record PeerRequest
{
    private PeerRequest()
    {
    }

    public long DocumentVersion { get; init; }

    /// <summary>Of data for a replica: the receiver's fence, as the sender knew it before it read the data. The default where no data goes.</summary>
    public Fence Fence { get; init; }

    /// <summary>Reads a replica. With <paramref name="HeadOnly"/>, the answer has clock and metadata and no values.</summary>
    public sealed record VnodeGet(PartitionId Partition, ObjectKey Key, bool HeadOnly) : PeerRequest;

    /// <summary>Merges an object into a replica (a put's frontier, a read repair): never coordinates. Answered when it is as durable as asked.</summary>
    public sealed record VnodePut(PartitionId Partition, ObjectKey Key, ReadOnlyMemory<byte> Object, VnodePutKind Kind, Durability Durability) : PeerRequest;

    /// <summary>A client's request that belongs to this node's preference lists.</summary>
    public sealed record Forward(KvRequest Request) : PeerRequest;

    /// <summary>A page of a vnode's keys: of one bucket, or where <paramref name="Bucket"/> is null its buckets of a type. See VnodeListPage.</summary>
    public sealed record VnodeList(PartitionId Partition, string BucketType, ReadOnlyMemory<byte>? Bucket, long Cursor, int Limit) : PeerRequest;

    /// <summary>
    /// A page of what a vnode keeps in order, from <paramref name="From"/> on and before <paramref name="Until"/>: index entries, or live ordered keys. Where there is a <paramref name="TermRegex"/>,
    /// of those whose term, which begins at <paramref name="TermAt"/>, matches it.
    /// </summary>
    public sealed record VnodeScan(PartitionId Partition, ScanSpace Space, ReadOnlyMemory<byte> From, ReadOnlyMemory<byte> Until, int Limit, string? TermRegex, int TermAt) : PeerRequest;

    /// <summary>Objects of a partition on their way to where they belong. Each is merged, never overwrites; answered when all are on disk.</summary>
    public sealed record HandoffBatch(PartitionId Partition, IReadOnlyList<StoredEntry> Entries) : PeerRequest;

    /// <summary>
    /// A reap's first round: do you hold exactly these tombstones, on disk, where you are a primary, and nothing under these keys for other nodes? And remember
    /// what changes from now on. <paramref name="Attempt"/> is the sender's, never used again.
    /// </summary>
    public sealed record Inspect(ulong Attempt, IReadOnlyList<ReapedKey> Keys) : PeerRequest;

    /// <summary>
    /// The second: of the keys that were inspected, has nothing changed for those marked by position? Then take nothing more of their partitions that was read
    /// before now. Ends the attempt for the receiver.
    /// </summary>
    public sealed record Seal(ulong Attempt, IReadOnlyList<bool> Keys) : PeerRequest;

    /// <summary>The third: removes the tombstones, where they are exactly these, from the partitions that the receiver owns.</summary>
    public sealed record Reap(IReadOnlyList<ReapedKey> Keys) : PeerRequest;

    /// <summary>I live; this is the version of my document.</summary>
    public sealed record Heartbeat : PeerRequest;

    /// <summary>Asks for the document, if newer than <see cref="DocumentVersion"/>.</summary>
    public sealed record GetDocument : PeerRequest;

    /// <summary>Hands over a decided document.</summary>
    public sealed record LearnDocument(ClusterDocument Document) : PeerRequest;

    /// <summary>Phase one of deciding the document's version <paramref name="Version"/>.</summary>
    public sealed record Prepare(Guid ClusterId, long Version, Ballot Ballot) : PeerRequest;

    /// <summary>Phase two.</summary>
    public sealed record Accept(Guid ClusterId, long Version, Ballot Ballot, ClusterDocument Document) : PeerRequest;

    /// <summary>Asks a member to carry out a change: one proposer at a time decides faster than many.</summary>
    public sealed record Propose(DocumentChange Change) : PeerRequest;

    /// <summary>Who are you: asked of an address before it is a member.</summary>
    public sealed record Identify : PeerRequest;

    /// <summary>What data do you hold, and how much more would fit.</summary>
    public sealed record GetHoldings : PeerRequest;

    /// <summary>What room have you: answered by <see cref="PeerReply.Volume"/>, or unreadable to a program that tells only what is free, by <see cref="GetHoldings"/>.</summary>
    public sealed record GetVolume : PeerRequest;

    /// <summary>
    /// An owner that rebuilds a partition asks for a step towards that, and again until the answer is <see cref="PeerReply.Done"/>. An <paramref name="Attempt"/> of another number, or
    /// another plan's, begins anew: the asker has forgotten what it was given.
    /// </summary>
    public sealed record Rebuild(PartitionId Partition, long PlannedAt, ulong Attempt, RebuildStep Step) : PeerRequest;

    /// <summary>Whom do you take for up.</summary>
    public sealed record GetUp : PeerRequest;

    /// <summary>Whether the peer's program knows of security in the cluster document: answered by <see cref="PeerReply.Done"/>, or unreadable to it.</summary>
    public sealed record KnowsSecurity : PeerRequest;

    /// <summary>Whether the peer's program can keep objects of `ordered` types: answered by <see cref="PeerReply.Done"/>, or unreadable to it.</summary>
    public sealed record KnowsOrdered : PeerRequest;

    /// <summary>Whether the peer's program can keep objects of `memory` types: answered by <see cref="PeerReply.Done"/>, or unreadable to it.</summary>
    public sealed record KnowsMemory : PeerRequest;

    /// <summary>Whether the peer's program knows of `ttl` in bucket types: answered by <see cref="PeerReply.Done"/>, or unreadable to it.</summary>
    public sealed record KnowsExpiry : PeerRequest;

    /// <summary>Whether the peer's program knows of commit hooks in properties: answered by <see cref="PeerReply.Done"/>, or unreadable to it.</summary>
    public sealed record KnowsHooks : PeerRequest;

    /// <summary>What the peer's wall clock shows: answered by <see cref="PeerReply.Time"/>.</summary>
    public sealed record GetTime : PeerRequest;

    /// <summary>
    /// What is the root of your tree of a range, where mine is <paramref name="Mine"/>. Equal ones end the exchange; else the tree is the asker's until it says
    /// <see cref="TreeRelease"/> or is silent for long. For this and the next five: refused where layouts, documents or the tree's standing do not allow an exchange.
    /// </summary>
    public sealed record TreeRoot(PartitionId Partition, TreeRange Range, ulong Layout, uint Mine) : PeerRequest;

    /// <summary>The hashes of all branches.</summary>
    public sealed record TreeBranches(PartitionId Partition, TreeRange Range, ulong Layout) : PeerRequest;

    /// <summary>The hashes of these branches' segments.</summary>
    public sealed record TreeSegments(PartitionId Partition, TreeRange Range, ulong Layout, IReadOnlyList<int> Branches) : PeerRequest;

    /// <summary>A page of what these segments hold, of the first only keys after <paramref name="After"/>.</summary>
    public sealed record TreeEntries(PartitionId Partition, TreeRange Range, ulong Layout, IReadOnlyList<int> Segments, ReadOnlyMemory<byte> After) : PeerRequest;

    /// <summary>The hashes of these segments' leaves, of <paramref name="Depth"/> or of the tree's own where that is less. An older program does not know it.</summary>
    public sealed record TreeLeaves(PartitionId Partition, TreeRange Range, ulong Layout, int Depth, IReadOnlyList<int> Segments) : PeerRequest;

    /// <summary>A page of what these leaves of a tree of <paramref name="Depth"/> hold, as of segments.</summary>
    public sealed record TreeLeafEntries(PartitionId Partition, TreeRange Range, ulong Layout, int Depth, IReadOnlyList<int> Leaves, ReadOnlyMemory<byte> After) : PeerRequest;

    /// <summary>The exchange has ended.</summary>
    public sealed record TreeRelease(PartitionId Partition, TreeRange Range) : PeerRequest;
}
