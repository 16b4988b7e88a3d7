using System.Collections.Immutable;
using Kv.Cluster.Membership;
using Kv.Cluster.Reaping;
using Kv.Core.Buckets;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Cluster.Coordination;

/// <summary>
/// Where one request goes: the snapshot it was planned on, the fences known before it read anything, the bucket's properties, and the preference list. Immutable.
/// </summary>
internal sealed record RequestPlan(
    ClusterSnapshot Snapshot, KnownFences Fences, ObjectKey Key, BucketProps Props, PartitionId First, int NVal, bool Sloppy, ImmutableArray<PreflistEntry> Preflist, Deadline Deadline)
{
    public NodeId Self => Snapshot.Self;

    public ClusterDocument Document => Snapshot.Document!;

    /// <summary>Null where the node is in no cluster, or has just been taken out of it.</summary>
    public static RequestPlan? Create(
        ClusterSnapshot snapshot, KnownFences fences, ObjectKey key, BucketProps props, int nVal, bool sloppy, Deadline deadline)
    {
        if (snapshot.Document is not { Ring: var ring })
        {
            return null;
        }

        var first = RingHash.FirstPartition(key, props.ChashKeyFun, ring.Size);
        return new RequestPlan(snapshot, fences, key, props, first, nVal, sloppy, snapshot.PreferenceList(first, nVal, sloppy), deadline);
    }

    /// <summary>The plan as it would be if these nodes were down too: a request found out before the failure detector did.</summary>
    public RequestPlan Without(IReadOnlySet<NodeId> unreachable)
    {
        var up = Snapshot.Up.Where(node => !unreachable.Contains(node)).ToHashSet();
        return this with { Preflist = [.. PreferenceList.Compute(Document.Ring, First, NVal, up, Sloppy)] };
    }

    /// <summary>The place of this node; -1 where it has none.</summary>
    public int IndexOfSelf()
    {
        for (var i = 0; i < Preflist.Length; i++)
        {
            if (Preflist[i].Node == Snapshot.Self)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>
    /// The list with this node in the last place, standing in for that partition's owner: how a write goes on at a node that no list contains, when
    /// nobody on the list can be reached.
    /// </summary>
    public RequestPlan WithSelfStandingIn() =>
        this with { Preflist = Preflist.SetItem(Preflist.Length - 1, new PreflistEntry(Preflist[^1].Partition, Snapshot.Self, IsPrimary: false)) };
}
