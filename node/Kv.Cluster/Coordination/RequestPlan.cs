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

    /// <summary>The place of this node, but for those of partitions whose data it has lost; -1 where it has none.</summary>
    public int IndexOfSelf(IReadOnlyDictionary<PartitionId, string> damaged)
    {
        for (var i = 0; i < Preflist.Length; i++)
        {
            if (Preflist[i].Node == Snapshot.Self && !damaged.ContainsKey(Preflist[i].Partition))
            {
                return i;
            }
        }

        return -1;
    }

    public bool ListsSelf => Preflist.Any(entry => entry.Node == Snapshot.Self);

    /// <summary>The list without this node: those that a write which it cannot coordinate is handed to.</summary>
    public RequestPlan WithoutSelf() => this with { Preflist = Preflist.RemoveAll(entry => entry.Node == Snapshot.Self) };

    /// <summary>
    /// The list with this node in the last place that is not of a partition whose data it has lost, standing in for that partition's owner: how a write goes on at a node that no
    /// list contains, when nobody on the list can be reached. Null where there is no such place.
    /// </summary>
    public RequestPlan? WithSelfStandingIn(IReadOnlyDictionary<PartitionId, string> damaged)
    {
        for (var i = Preflist.Length - 1; i >= 0; i--)
        {
            if (!damaged.ContainsKey(Preflist[i].Partition))
            {
                return this with { Preflist = Preflist.SetItem(i, new PreflistEntry(Preflist[i].Partition, Snapshot.Self, IsPrimary: false)) };
            }
        }

        return null;
    }
}
