using Kv.Cluster.AntiEntropy;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>What replicas do about differences by themselves, and what an administrator may ask of it.</summary>
public sealed partial class ClusterAdmin
{
    /// <summary>Set by the node once it is composed.</summary>
    internal ExchangeScheduler? Exchanges { get; set; }

    /// <summary>Set by the node once it is composed.</summary>
    internal KeyRepairs? KeyRepairs { get; set; }

    /// <summary>This node's hash trees, the exchanges that it asks for, and the last repair of keys that it was asked for.</summary>
    public AntiEntropyView GetAntiEntropy() => (Exchanges?.View() ?? new AntiEntropyView(IsOn: false, [], [])) with { KeyRepair = KeyRepairs?.View() };

    /// <summary>
    /// Has the keys of a bucket, those from <paramref name="from"/> to <paramref name="to"/> in the order of their bytes (empty for no bound), read from all of their primaries and
    /// repaired; needs no hash trees. Refused `invalid_argument` for a bucket that cannot be and for bounds the wrong way round, `repair_running` while this node is at another.
    /// </summary>
    public AdminResult<AntiEntropyView> RepairKeys(BucketName bucket, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte> to)
    {
        if (state.Current.Document is not { } document)
        {
            return NotInCluster;
        }

        if (!new ObjectKey(bucket.BucketType, bucket.Bucket, "any"u8.ToArray()).IsValid(out var reason))
        {
            return new AdminRefusal(AdminRefusalKind.InvalidArgument, InvalidArgumentReason, reason);
        }

        if (document.EffectiveProps(bucket) is null)
        {
            return new AdminRefusal(AdminRefusalKind.InvalidArgument, InvalidArgumentReason, $"there is no active bucket type {bucket.BucketType}");
        }

        if (!to.IsEmpty && to.Span.SequenceCompareTo(from.Span) < 0)
        {
            return new AdminRefusal(AdminRefusalKind.InvalidArgument, InvalidArgumentReason, "the last key comes before the first");
        }

        return KeyRepairs!.TryBegin(bucket, from, to)
            ? GetAntiEntropy()
            : new AdminRefusal(AdminRefusalKind.FailedPrecondition, "repair_running", "this node repairs other keys: ask another, or again when it is done");
    }

    /// <summary>
    /// Has one of this node's partitions compared with every replica of its keys, as soon as may be, and repaired. Refused `invalid_argument` where the node does not own it,
    /// `anti_entropy_off` where it keeps no trees.
    /// </summary>
    public AdminResult<AntiEntropyView> RepairPartition(PartitionId partition)
    {
        if (state.Current.Document is not { } document)
        {
            return NotInCluster;
        }

        if (WhyNotHere(document, partition) is { } elsewhere)
        {
            return elsewhere;
        }

        return Exchanges?.Want(partition) > 0
            ? GetAntiEntropy()
            : new AdminRefusal(AdminRefusalKind.FailedPrecondition, "anti_entropy_off", "this node keeps no hash trees: its setting for anti-entropy is off");
    }

    /// <summary>Null for a partition of this node's.</summary>
    private AdminRefusal? WhyNotHere(ClusterDocument document, PartitionId partition)
    {
        if (partition.Number < 0 || partition.Number >= document.Ring.Size)
        {
            return new AdminRefusal(AdminRefusalKind.InvalidArgument, InvalidArgumentReason, $"there is no partition {partition}: the ring has 0 to {document.Ring.Size - 1}");
        }

        if (document.Ring.Owner(partition) is var owner && owner != self.Id)
        {
            var name = document.FindMember(owner)?.Name ?? $"{owner}";
            return new AdminRefusal(AdminRefusalKind.InvalidArgument, InvalidArgumentReason, $"partition {partition} is {name}'s: ask that node");
        }

        return null;
    }
}
