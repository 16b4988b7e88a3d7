using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>
/// Looks at the stores themselves, past all coordinators: the primaries of a key hold the same, nobody else holds anything, and where tombstones are not kept none is
/// left, and nothing whose time is over for everybody.
/// </summary>
internal sealed class ReplicaChecker(SimWorld world)
{
    /// <summary>What is not as it should be now. Tombstones whose reap came to nothing wait for a read, where <paramref name="mayKeepTombstones"/>.</summary>
    public IReadOnlyList<string> Problems(bool mayKeepTombstones) =>
    [
        .. world.Writes.Keys.Select(key => WhyNotEqual(key, mayKeepTombstones)).OfType<string>(),
        .. Members().SelectMany(Strangers),
        .. Leavers().SelectMany(Remains),
        .. new TreeChecker(world).Problems(),
    ];

    /// <summary>Who was given up keeps its disk and has no part in anything.</summary>
    private IEnumerable<SimNode> Members() => world.Cluster.Up.Where(node => world.Cluster.Document.FindMember(node.Id) is not null);

    /// <summary>Members that have left; where none was given up instead.</summary>
    private IEnumerable<SimNode> Leavers() => world.Plan.Losses > 0 ? [] : world.Cluster.Up.Where(node => node.Node.State.Current.RemovedBy is not null);

    /// <summary>Nobody is forgotten who holds anything.</summary>
    private static IEnumerable<string> Remains(SimNode node) => node.Volume.Partitions.Select(partition => (partition, node.Volume.Contents(partition).Count))
        .Where(held => held.Count > 0).Select(held => $"{node.Name} has left, and holds {held.Count} objects of partition {held.partition}");

    private string? WhyNotEqual(TrackedKey key, bool mayKeepTombstones)
    {
        var ring = world.Cluster.Document.Ring;
        var first = RingHash.FirstPartition(key.Key, Core.Buckets.BucketProps.NewType.ChashKeyFun, ring.Size);
        var copies = PreferenceList.Primaries(ring, first, key.Type.NVal).Select(entry => (entry, Held: HeldBy(entry, key))).ToList();
        if (copies.Any(copy => !IsSame(copy.Held, copies[0].Held)))
        {
            return $"{key.Key} differs: {string.Join(", ", copies.Select(copy => $"{NodeOf(copy.entry).Name} {TextOf(copy.Held)}"))}";
        }

        if (copies is [{ Held: { } lasting }, ..] && IsOverEverywhere(key.Type, ObjectCodec.Decode(lasting)))
        {
            return $"{key.Key} stays, though its time is over for everybody";
        }

        return !mayKeepTombstones && copies is [{ Held: { } held }, ..] && !IsKept(key.Type) && ObjectCodec.Decode(held).IsTombstone
            ? $"{key.Key}: its tombstone stays"
            : null;
    }

    /// <summary>Data of partitions that are another's, and keys that do not belong into their partition.</summary>
    private IEnumerable<string> Strangers(SimNode node)
    {
        var ring = world.Cluster.Document.Ring;
        foreach (var partition in node.Volume.Partitions)
        {
            var contents = node.Volume.Contents(partition);
            if (contents.Count == 0)
            {
                continue;
            }

            if (ring.Owner(partition) != node.Id)
            {
                yield return $"{node.Name} holds {contents.Count} objects of partition {partition}, which is another's";
                continue;
            }

            foreach (var key in world.Writes.Keys.Where(key => contents.ContainsKey(key.Key.Encoded.ToArray())))
            {
                var first = RingHash.FirstPartition(key.Key, Core.Buckets.BucketProps.NewType.ChashKeyFun, ring.Size);
                if (!PreferenceList.Primaries(ring, first, key.Type.NVal).Any(entry => entry.Partition == partition))
                {
                    yield return $"{node.Name} holds {key.Key} in partition {partition}, where it does not belong";
                }
            }
        }
    }

    private bool IsOverEverywhere(BucketPlan type, KvObject held)
    {
        var props = Core.Buckets.BucketProps.NewType with { TtlSeconds = type.TtlSeconds };
        return world.Cluster.Up.All(node => Expiry.IsOver(held, props, node.Clock.Wall));
    }

    private byte[]? HeldBy(PreflistEntry entry, TrackedKey key) =>
        NodeOf(entry).Volume.Contents(entry.Partition).TryGetValue(key.Key.Encoded.ToArray(), out var held) ? held : null;

    /// <summary>By the properties that are in force in the end.</summary>
    private bool IsKept(BucketPlan type) => world.Cluster.Document.EffectiveProps(type.Bucket) is { DeleteMode.Keeps: true };

    private SimNode NodeOf(PreflistEntry entry) => world.Cluster.Nodes.Single(node => node.Id == entry.Node);

    private static bool IsSame(byte[]? a, byte[]? b) => a is null || b is null ? a == b : a.AsSpan().SequenceEqual(b);

    private static string TextOf(byte[]? held) => held is null ? "nothing" : OutcomeText.Of(ObjectCodec.Decode(held));
}
