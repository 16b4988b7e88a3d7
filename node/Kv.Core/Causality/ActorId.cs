using System.Globalization;
using Kv.Core.Rings;

namespace Kv.Core.Causality;

/// <summary>
/// The one who makes events: a vnode (a node's stand for a partition) in one epoch. The epoch grows whenever the vnode cannot be
/// sure that it remembers each counter it gave out and each object it gave one to (an unclean stop, a restored volume, a partition's data dropped after
/// handoff), so that no dot is ever used twice, and no clock covers an event of its own that its objects have forgotten.
/// Within an epoch a vnode's counter grows over all its keys, so that a key that was reaped and made anew continues above its old dots.
/// </summary>
public readonly record struct ActorId(NodeId Node, PartitionId Partition, uint Epoch) : IComparable<ActorId>
{
    public int CompareTo(ActorId other)
    {
        var byNode = Node.CompareTo(other.Node);
        if (byNode != 0)
        {
            return byNode;
        }

        var byPartition = Partition.CompareTo(other.Partition);
        return byPartition != 0 ? byPartition : Epoch.CompareTo(other.Epoch);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Node}/{Partition}/{Epoch}");

    public static bool operator <(ActorId left, ActorId right) => left.CompareTo(right) < 0;

    public static bool operator <=(ActorId left, ActorId right) => left.CompareTo(right) <= 0;

    public static bool operator >(ActorId left, ActorId right) => left.CompareTo(right) > 0;

    public static bool operator >=(ActorId left, ActorId right) => left.CompareTo(right) >= 0;
}
