using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>
/// What a node knows of its cluster at one moment: the document it holds and the members it takes for up. Immutable and swapped whole
/// (<see cref="ClusterState"/>), so that a request sees one coherent ring from its beginning to its end.
/// </summary>
public sealed class ClusterSnapshot
{
    /// <summary>Preference lists are remembered up to this n_val; longer ones are rare and computed each time.</summary>
    private const int MaxCachedN = 16;

    /// <summary>By n and sloppiness, then by first partition. Filled as it is asked for; two that fill a place at once write equal lists.</summary>
    private readonly ImmutableArray<PreflistEntry>[]?[] preflists = new ImmutableArray<PreflistEntry>[]?[2 * (MaxCachedN + 1)];

    internal ClusterSnapshot(NodeId self, ClusterDocument? document, FrozenSet<NodeId> up, ClusterDocument? removedBy = null)
    {
        Self = self;
        Document = document;
        Up = up;
        RemovedBy = removedBy;
        SelfState = document?.FindMember(self)?.State;
    }

    public NodeId Self { get; }

    /// <summary>Null until the node is in a cluster.</summary>
    public ClusterDocument? Document { get; }

    /// <summary>Where this node stands by the document it holds.</summary>
    public MemberState? SelfState { get; }

    /// <summary>The document that told this node that it is a member no more: it serves nothing, and joins no cluster again. Null while it is none or a member.</summary>
    public ClusterDocument? RemovedBy { get; }

    /// <summary>0 until the node is in a cluster: what goes with each message to a peer.</summary>
    public long DocumentVersion => Document?.Version ?? 0;

    /// <summary>The members that this node can reach; itself always.</summary>
    public FrozenSet<NodeId> Up { get; }

    /// <summary>Whether the sender has a newer document, and may know the type by it: until it is here too, nobody can say which backend keeps the type's objects.</summary>
    public bool IsTypeAwaited(string bucketType, long senderVersion) =>
        Document is { } document && senderVersion > document.Version && bucketType != ObjectKey.DefaultType && !document.BucketTypes.ContainsKey(bucketType);

    public bool IsUp(NodeId node) => Up.Contains(node);

    /// <summary>
    /// The <paramref name="n"/> places for keys whose first primary is <paramref name="first"/>, primaries before fallbacks where
    /// <paramref name="sloppy"/>; without it only the primaries that are up. Throws <see cref="InvalidOperationException"/> where there is no document.
    /// </summary>
    public ImmutableArray<PreflistEntry> PreferenceList(PartitionId first, int n, bool sloppy)
    {
        var ring = Document?.Ring ?? throw new InvalidOperationException("the node is in no cluster: there is no ring");
        if (n > MaxCachedN)
        {
            return Compute(ring, first, n, sloppy);
        }

        var slot = (2 * n) + (sloppy ? 1 : 0);
        var lists = preflists[slot] ??= new ImmutableArray<PreflistEntry>[ring.Size];
        ref var list = ref lists[first.Number];
        if (list.IsDefault)
        {
            list = Compute(ring, first, n, sloppy);
        }

        return list;
    }

    private ImmutableArray<PreflistEntry> Compute(Ring ring, PartitionId first, int n, bool sloppy) =>
        ImmutableCollectionsMarshal.AsImmutableArray(Core.Rings.PreferenceList.Compute(ring, first, n, Up, sloppy));
}
