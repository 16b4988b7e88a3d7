using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>
/// An owner counts again as a replica only when it has whatever the others had when its rebuilding began, and have still. Reads and anti-entropy would repair what is
/// missing, and hide it. Says nothing of types whose tombstones are removed.
/// </summary>
internal sealed class RebuildChecker(SimWorld world)
{
    private readonly SortedDictionary<PartitionId, Begun> begun = [];
    private long version;

    private sealed record Begun(SimVolume Owner, long PlannedAt, IReadOnlyList<Copy> Copies);

    /// <summary>What a replica had of a key.</summary>
    private sealed record Copy(TrackedKey Key, SimNode Holder, SimVolume Volume, PartitionId Partition, VersionVector Clock);

    /// <summary>Documents in the order in which the first node comes to hold each.</summary>
    public void Saw(ClusterDocument document)
    {
        if (document.Version <= version)
        {
            return;
        }

        version = document.Version;
        var ring = document.Ring;
        foreach (var partition in begun.Keys.Where(partition => !ring.IsRebuilding(partition)).ToList())
        {
            Check(partition, begun[partition]);
            begun.Remove(partition);
        }

        foreach (var partition in ring.Rebuilding.Where(partition => !begun.TryGetValue(partition, out var known) || known.PlannedAt != ring.PlannedAt))
        {
            if (NodeOf(ring.Owner(partition)) is { } owner)
            {
                begun[partition] = new Begun(owner.Volume, ring.PlannedAt, [.. world.Writes.Keys.Where(key => IsChecked(key.Type)).SelectMany(key => CopiesOf(ring, partition, key))]);
            }
            else
            {
                begun.Remove(partition);
            }
        }
    }

    private void Check(PartitionId partition, Begun rebuilt)
    {
        if (rebuilt.Owner.Reported.ContainsKey(partition) || rebuilt.Owner.Rotten.Contains(partition))
        {
            // Lost once more before anybody had the document that says that it was whole.
            return;
        }

        foreach (var copy in rebuilt.Copies.Where(IsStillThere))
        {
            if (ClockOf(rebuilt.Owner, partition, copy.Key)?.Descends(copy.Clock) != true)
            {
                world.Journal.Violation($"partition {partition} counts as rebuilt without what {copy.Holder.Name} had of {copy.Key.Key} when that began");
            }
        }
    }

    private IEnumerable<Copy> CopiesOf(Ring ring, PartitionId rebuilding, TrackedKey key)
    {
        var first = RingHash.FirstPartition(key.Key, BucketProps.NewType.ChashKeyFun, ring.Size);
        var primaries = PreferenceList.Primaries(ring, first, key.Type.NVal);
        foreach (var (partition, node) in primaries.Any(entry => entry.Partition == rebuilding) ? primaries.Select(entry => (entry.Partition, entry.Node)) : [])
        {
            if (!ring.IsRebuilding(partition) && NodeOf(node) is { } holder && ClockOf(holder.Volume, partition, key) is { } clock)
            {
                yield return new Copy(key, holder, holder.Volume, partition, clock);
            }
        }
    }

    private bool IsChecked(BucketPlan type) => type is { KeepsSiblings: true, IsSynced: true } && world.Plan.KeepsTombstones(type);

    private static bool IsStillThere(Copy copy) => copy.Holder.Volume == copy.Volume && ClockOf(copy.Volume, copy.Partition, copy.Key)?.Descends(copy.Clock) == true;

    /// <summary>Null where there is nothing, or nothing that can be read.</summary>
    private static VersionVector? ClockOf(SimVolume volume, PartitionId partition, TrackedKey key) =>
        !volume.Rotten.Contains(partition) && volume.Contents(partition).TryGetValue(key.Key.Encoded.ToArray(), out var held) ? ObjectCodec.Decode(held).Clock : null;

    private SimNode? NodeOf(NodeId id) => world.Cluster.Nodes.FirstOrDefault(node => node.Id == id);
}
