using Kv.Cluster.AntiEntropy;
using Kv.Cluster.Peers;
using Kv.Cluster.Reaping;
using Kv.Core.AntiEntropy;
using Kv.Core.Buckets;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Cluster.Vnodes;

/// <summary>What a node's vnodes share: limits, clock, dots, fences, figures, the way to a transfer's target, and where a failed store is reported.</summary>
internal sealed class VnodeContext(
    ClusterOptions options,
    TimeProvider time,
    MemberClocks clocks,
    VnodeActors actors,
    Fences fences,
    Inspections inspections,
    KvStatistics statistics,
    Func<ObjectKey, BucketProps> propsOf,
    Func<NodeId, PeerRequest, Deadline, ValueTask<PeerReply>> passOn,
    Action<PartitionId, Exception> fail,
    TreeLayouts layouts,
    KeyBackends backends,
    Func<ObjectKey, bool> reap)
{
    public ClusterOptions Options { get; } = options;

    public TimeProvider Time { get; } = time;

    /// <summary>By which objects with an end are judged.</summary>
    public MemberClocks Clocks { get; } = clocks;

    /// <summary>By which hash trees are kept now; null where none are.</summary>
    public TreeLayout? Layout => layouts.Current;

    /// <summary>Which backend keeps a key.</summary>
    public KeyBackends Backends { get; } = backends;

    public VnodeActors Actors { get; } = actors;

    public Fences Fences { get; } = fences;

    public Inspections Inspections { get; } = inspections;

    public KvStatistics Statistics { get; } = statistics;

    /// <summary>The bucket's properties by the document in force; those of a new type where the bucket's type is not known here (nothing is lost then).</summary>
    public BucketProps PropsOf(ObjectKey key) => propsOf(key);

    public ValueTask<PeerReply> PassOnAsync(NodeId target, PeerRequest request) =>
        passOn(target, request, Deadline.After(Time, Options.TransferWriteTimeout));

    /// <summary>The key's object is deleted: has what is left of it reaped, where its bucket keeps no tombstones. False where it is not taken up.</summary>
    public bool Reap(ObjectKey key) => reap(key);

    /// <summary>Tells the node that the partition's store failed; it must not go on.</summary>
    public void Fail(PartitionId partition, Exception exception) => fail(partition, exception);
}
