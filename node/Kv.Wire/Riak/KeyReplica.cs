using Kv.Cluster;
using Kv.Cluster.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Wire.Riak;

/// <summary>One place of a key's preference list, as Riak tells it over both protocols (riak_kv_wm_preflist, riak_kv_pb_bucket_key_apl; reference 7.2).</summary>
/// <param name="Partition">Its number.</param>
/// <param name="Node">The name of the node that serves it now.</param>
/// <param name="IsPrimary">Whether that is its owner.</param>
internal readonly record struct KeyReplica(int Partition, string Node, bool IsPrimary)
{
    /// <summary>The places of a key, owners that are up first, then stand-ins; or why they cannot be told.</summary>
    public static KvError? TryList(ClusterState state, ObjectKey key, out IReadOnlyList<KeyReplica> replicas)
    {
        replicas = [];
        if (!key.IsValid(out var reason))
        {
            return new KvError.InvalidRequest(reason);
        }

        var snapshot = state.Current;
        if (snapshot.Document is not { } document)
        {
            return new KvError.NotReady("the node is in no cluster yet");
        }

        if (document.EffectiveProps(new(key.BucketType, key.Bucket)) is not { } props)
        {
            return new KvError.UnknownBucketType(key.BucketType);
        }

        var first = RingHash.FirstPartition(key, props.ChashKeyFun, document.Ring.Size);
        replicas =
        [
            .. PreferenceList.Compute(document.Ring, first, props.NVal, snapshot.Up)
                .Select(entry => new KeyReplica(entry.Partition.Number, document.FindMember(entry.Node)?.Name ?? entry.Node.ToString(), entry.IsPrimary)),
        ];
        return null;
    }
}
