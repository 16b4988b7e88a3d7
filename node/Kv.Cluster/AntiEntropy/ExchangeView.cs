using Kv.Core.Rings;

namespace Kv.Cluster.AntiEntropy;

/// <summary>
/// A pair of vnodes whose trees this node compares, for people to see: the keys whose first partition is <paramref name="First"/> in buckets of <paramref name="NVal"/>
/// replicas. <paramref name="SinceEnd"/> is null where none has run to the end yet; <paramref name="Took"/>, <paramref name="KeysFound"/> and
/// <paramref name="KeysRepaired"/> are of the last that did; <paramref name="LastError"/> is empty where the last attempt did not fail.
/// <paramref name="IsWanted"/> until one that was asked for has run to the end.
/// </summary>
public sealed record ExchangeView(
    PartitionId Partition,
    PartitionId First,
    int NVal,
    PartitionId PeerPartition,
    NodeId Peer,
    ExchangeState State,
    TimeSpan? SinceEnd,
    TimeSpan Took,
    int KeysFound,
    int KeysRepaired,
    string LastError,
    bool IsWanted);
