using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>
/// Nothing is dropped here before another node has it: what a partition held that goes is covered by what some other volume holds of it. Says nothing of types whose
/// tombstones are removed, and of runs that lose disks.
/// </summary>
internal sealed class HandoffChecker(SimWorld world)
{
    public void Check(SimNode node, PartitionId partition, IReadOnlyDictionary<byte[], byte[]> held)
    {
        if (world.Plan.Losses > 0)
        {
            return;
        }

        foreach (var (encoded, stored) in held)
        {
            if (!ObjectKeyCodec.TryDecode(encoded, out var key) || world.Plan.Types.FirstOrDefault(type => type.Name == key.BucketType) is not { } type || !IsChecked(type))
            {
                continue;
            }

            var dropped = ObjectCodec.Decode(stored);
            if (!world.Cluster.Nodes.Any(other => other != node && Covers(other, partition, encoded, dropped)))
            {
                world.Journal.Violation($"{node.Name} drops {key} {OutcomeText.Of(dropped)} of partition {partition}, and no other node has it");
            }
        }
    }

    private bool IsChecked(BucketPlan type) => type is { KeepsSiblings: true, IsSynced: true } && world.Plan.KeepsTombstones(type);

    private static bool Covers(SimNode other, PartitionId partition, byte[] key, KvObject dropped) =>
        other.Volume.Contents(partition).TryGetValue(key, out var held) && ObjectCodec.Decode(held).Clock.Descends(dropped.Clock);
}
