using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;

namespace Kv.Cluster.AntiEntropy;

/// <summary>The side of an exchange that is asked: shows a tree of this node's, level by level, and what its leaves hold. Its work counts at this node's own pace, which is that of whatever it asks for itself.</summary>
internal sealed class TreeResponder(ClusterState state, VnodeHost host, TreeLocks locks, Pace pace)
{
    /// <summary>The reason given while the tree, or as many trees as allowed, take part in other exchanges: try again soon, nothing is wrong.</summary>
    public const string Busy = "busy: other exchanges are under way";

    /// <summary>The reason given where the two nodes hold different documents.</summary>
    public const string OtherDocument = "another version of the document";

    private const string Moving = "the partition is on its way to another owner, or is being rebuilt";
    private const string GivenUp = "the exchange was silent for too long";

    /// <summary>Whether the partition's data is on its way: to another owner, or to one that rebuilds it. Comparing it would find what is under way already.</summary>
    public static bool IsUnsettled(ClusterSnapshot snapshot, PartitionId partition) =>
        VnodeGate.IsMoving(snapshot, partition) || snapshot.Document?.Ring.IsRebuilding(partition) == true;

    public async ValueTask<PeerReply> HandleAsync(NodeId from, PeerRequest request) => request switch
    {
        PeerRequest.TreeRoot ask => AnswerRoot(from, ask),
        PeerRequest.TreeBranches ask => GoOn(from, ask, ask.Partition, ask.Range, ask.Layout, out _, out var tree) ?? (PeerReply)new PeerReply.TreeHashes(tree!.BranchHashes()),
        PeerRequest.TreeSegments ask => GoOn(from, ask, ask.Partition, ask.Range, ask.Layout, out _, out var tree)
            ?? (PeerReply)new PeerReply.TreeHashes([.. ask.Branches.SelectMany(tree!.SegmentHashes)]),
        PeerRequest.TreeLeaves ask => GoOn(from, ask, ask.Partition, ask.Range, ask.Layout, out _, out var tree) ?? (PeerReply)AnswerLeaves(tree!, ask),
        PeerRequest.TreeEntries ask => GoOn(from, ask, ask.Partition, ask.Range, ask.Layout, out var vnode, out _) ?? await AnswerEntriesAsync(vnode!, ask.Range, ask.Layout, 0, ask.Segments, ask.After),
        PeerRequest.TreeLeafEntries ask => GoOn(from, ask, ask.Partition, ask.Range, ask.Layout, out var vnode, out _)
            ?? await AnswerEntriesAsync(vnode!, ask.Range, ask.Layout, ask.Depth, ask.Leaves, ask.After),
        PeerRequest.TreeRelease release => Release(from, release),
        _ => new PeerReply.Refused($"no answer to {request.GetType().Name}"),
    };

    private PeerReply AnswerRoot(NodeId from, PeerRequest.TreeRoot ask)
    {
        if (WhyNot(ask, ask.Partition, ask.Range, ask.Layout, out _, out var tree) is { } reason)
        {
            return new PeerReply.Refused(reason);
        }

        var root = tree!.Root;
        return root == ask.Mine || locks.TryTakeFor(from, ask.Partition, ask.Range) ? new PeerReply.TreeHashes([root]) : new PeerReply.Refused(Busy);
    }

    /// <summary>Null where the exchange may go on, with the tree; else why not.</summary>
    private PeerReply.Refused? GoOn(NodeId from, PeerRequest ask, PartitionId partition, TreeRange range, ulong layout, out Vnode? vnode, out HashTree? tree) =>
        WhyNot(ask, partition, range, layout, out vnode, out tree) is { } reason ? new PeerReply.Refused(reason)
        : locks.Renew(from, partition, range) ? null
        : new PeerReply.Refused(GivenUp);

    private string? WhyNot(PeerRequest ask, PartitionId partition, TreeRange range, ulong layout, out Vnode? vnode, out HashTree? tree)
    {
        (vnode, tree) = (null, null);
        var snapshot = state.Current;
        if (snapshot.Document is not { Ring: var ring } || ask.DocumentVersion != snapshot.DocumentVersion)
        {
            return OtherDocument;
        }

        if (partition.Number >= ring.Size || ring.Owner(partition) != snapshot.Self || IsUnsettled(snapshot, partition))
        {
            return Moving;
        }

        if (!range.IsHeldBy(partition, ring.Size) || host.Layouts.Current?.Id != layout || host.Find(partition) is not { } open || open.Trees.Layout != layout)
        {
            return VnodeRefusals.OtherLayout;
        }

        (vnode, tree) = (open, open.Trees.Find(range) ?? new HashTree());
        return null;
    }

    private static PeerReply.TreeHashes AnswerLeaves(HashTree tree, PeerRequest.TreeLeaves ask)
    {
        var depth = Math.Min(tree.Depth, ask.Depth);
        return new PeerReply.TreeHashes([.. ask.Segments.SelectMany(segment => tree.LeafHashes(segment, depth))]);
    }

    private async ValueTask<PeerReply> AnswerEntriesAsync(Vnode vnode, TreeRange range, ulong layout, int depth, IReadOnlyList<int> leaves, ReadOnlyMemory<byte> after)
    {
        var (reply, page) = await vnode.ReadTreeAsync(range, layout, depth, leaves, after);
        pace.Charge(0, page.Work);
        return reply is PeerReply.Done ? new PeerReply.TreePage(page.Entries, page.Whole) : reply;
    }

    private PeerReply.Done Release(NodeId from, PeerRequest.TreeRelease release)
    {
        locks.Release(from, release.Partition, release.Range);
        return new PeerReply.Done();
    }
}
