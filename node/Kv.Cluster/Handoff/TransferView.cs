using Kv.Core.Rings;

namespace Kv.Cluster.Handoff;

/// <summary>
/// A transfer for people to see. Progress is known for transfers from the answering node only. What was sent is that of the attempt that came furthest, and
/// <paramref name="SinceProgress"/> the time since it moved, zero while it waits for its first turn; an attempt that only repeats what another had sent moves once. <paramref name="ObjectsTotal"/> is an estimate from
/// when that attempt began, never less than what was sent;
/// <paramref name="LastError"/> is empty where the last attempt did not fail.
/// </summary>
public sealed record TransferView(
    TransferKind Kind,
    TransferState State,
    PartitionId Partition,
    NodeId From,
    NodeId To,
    long ObjectsSent,
    long BytesSent,
    long ObjectsTotal,
    TimeSpan SinceProgress,
    string LastError);
