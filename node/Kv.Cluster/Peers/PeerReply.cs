using System.Collections.Immutable;
using Kv.Core.AntiEntropy;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Peers;

/// <summary>A peer's answer, or what became of the question.</summary>
public abstract record PeerReply
{
    private PeerReply()
    {
    }

    /// <summary>The answering node's document version; 0 where no peer answered.</summary>
    public long DocumentVersion { get; init; }

    /// <summary>The answering node's; the default where no peer answered.</summary>
    public Fence Fence { get; init; }

    /// <summary>No connection, or it broke before the answer.</summary>
    public sealed record Unreachable : PeerReply
    {
        /// <summary>The request had left: the peer may have done it, or may still.</summary>
        public bool WasSent { get; init; }
    }

    public sealed record TimedOut : PeerReply;

    /// <summary>A queue on the way was full, or there was no memory.</summary>
    public sealed record Overloaded : PeerReply
    {
        /// <summary>It was the answer that there was no room for, on this side: the peer has done the request.</summary>
        public bool IsOfAnswer { get; init; }
    }

    /// <summary>The peer does not serve that partition: one of the two has an old document.</summary>
    public sealed record WrongOwner : PeerReply;

    /// <summary>The data was read under an older fence than the partition's: read it again, now that the newer one is known. Nothing was stored.</summary>
    public sealed record StaleFence : PeerReply;

    /// <summary>Of several things asked, by position, which were done or are so.</summary>
    public sealed record DoneEach(IReadOnlyList<bool> Keys) : PeerReply;

    /// <summary>The peer cannot serve; <paramref name="Reason"/> says why.</summary>
    public sealed record Refused(string Reason) : PeerReply
    {
        /// <summary>With what the peer begins its reason where it broke down in the middle of the request.</summary>
        public const string Internal = "internal: ";

        /// <summary>With what it begins where it does not know the request.</summary>
        public const string Unreadable = "unreadable: ";

        /// <summary>With what it begins where it cannot have one of the objects that it was sent, whenever that is sent.</summary>
        public const string OfObject = "object: ";
    }

    /// <summary>The request was done and has no result.</summary>
    public sealed record Done : PeerReply;

    /// <summary>The replica's object in stored form (values empty for a head); null where it has none.</summary>
    public sealed record Object(ReadOnlyMemory<byte>? Stored) : PeerReply;

    public sealed record Forwarded(KvOutcome Outcome) : PeerReply;

    /// <summary>Keys (or buckets) of a page, and where the next begins; <paramref name="NextCursor"/> is null after the last.</summary>
    public sealed record ListPage(IReadOnlyList<ReadOnlyMemory<byte>> Names, long? NextCursor) : PeerReply;

    /// <summary>Entries of a page, in order, and where the next begins; <paramref name="Next"/> is null after the last.</summary>
    public sealed record ScanPage(IReadOnlyList<ReadOnlyMemory<byte>> Entries, ReadOnlyMemory<byte>? Next) : PeerReply;

    /// <summary>The document that was asked for; null where the asker's is as new.</summary>
    public sealed record Document(ClusterDocument? Held) : PeerReply;

    /// <summary>The acceptor promised; with what it had accepted for that version before, if anything.</summary>
    public sealed record Promised(Ballot AcceptedBallot, ClusterDocument? AcceptedDocument) : PeerReply;

    public sealed record Accepted : PeerReply;

    /// <summary>The acceptor has promised a higher ballot.</summary>
    public sealed record Rejected(Ballot Highest) : PeerReply;

    /// <summary>How a proposed change ended.</summary>
    public sealed record Proposed(DocumentChangeResult Result) : PeerReply;

    public sealed record Identity(Member Node, Guid? ClusterId) : PeerReply;

    /// <summary>Bytes that the node's volume still has room for, and every partition it holds data of, its own or not.</summary>
    public sealed record Holdings(long FreeBytes, ImmutableArray<PartitionHolding> Partitions) : PeerReply;

    /// <summary>The room of the answering node's data.</summary>
    public sealed record Volume(VolumeSpace Space) : PeerReply;

    /// <summary>The step of a rebuild is not done yet; with why the last attempt at it failed, or what it waits for.</summary>
    public sealed record Rebuilding(string Problem) : PeerReply;

    /// <summary>The members that the answering node takes for up, itself among them.</summary>
    public sealed record Up(ImmutableArray<NodeId> Nodes) : PeerReply;

    /// <summary>What the answering node's wall clock shows, in Unix microseconds.</summary>
    public sealed record Time(long Microseconds) : PeerReply;

    /// <summary>Hashes of a tree's level, in order.</summary>
    public sealed record TreeHashes(IReadOnlyList<uint> Hashes) : PeerReply;

    /// <summary>Keys of leaves with the hashes of what they hold. It ends <paramref name="Whole"/> of the leaves asked for; with none, it ends within the first.</summary>
    public sealed record TreePage(IReadOnlyList<TreeEntry> Entries, int Whole) : PeerReply;
}
