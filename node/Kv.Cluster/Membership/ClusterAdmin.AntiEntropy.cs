using Kv.Cluster.AntiEntropy;
using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>What replicas do about differences by themselves, and what an administrator may ask of it.</summary>
public sealed partial class ClusterAdmin
{
    /// <summary>Set by the node once it is composed.</summary>
    internal ExchangeScheduler? Exchanges { get; set; }

    /// <summary>This node's hash trees, and the exchanges that it asks for.</summary>
    public AntiEntropyView GetAntiEntropy() => Exchanges?.View() ?? new AntiEntropyView(IsOn: false, [], []);

    /// <summary>
    /// Has one of this node's partitions compared with every replica of its keys, as soon as may be, and repaired. Refused `invalid_argument` where the node does not own it,
    /// `anti_entropy_off` where it keeps no trees.
    /// </summary>
    public AdminResult<AntiEntropyView> RepairPartition(PartitionId partition)
    {
        var snapshot = state.Current;
        if (snapshot.Document is not { Ring: var ring } document)
        {
            return NotInCluster;
        }

        if (partition.Number < 0 || partition.Number >= ring.Size)
        {
            return new AdminRefusal(AdminRefusalKind.InvalidArgument, InvalidArgumentReason, $"there is no partition {partition}: the ring has 0 to {ring.Size - 1}");
        }

        if (ring.Owner(partition) is var owner && owner != snapshot.Self)
        {
            var name = document.FindMember(owner)?.Name ?? $"{owner}";
            return new AdminRefusal(AdminRefusalKind.InvalidArgument, InvalidArgumentReason, $"partition {partition} is {name}'s: ask that node");
        }

        return Exchanges?.Want(partition) > 0
            ? GetAntiEntropy()
            : new AdminRefusal(AdminRefusalKind.FailedPrecondition, "anti_entropy_off", "this node keeps no hash trees: its setting for anti-entropy is off");
    }
}
