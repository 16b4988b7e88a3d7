using System.Collections.Immutable;
using Kv.Core.Rings;

namespace Kv.Core.Quorum;

/// <summary>
/// Which vnodes to ask so that every key is seen once (riak_core_coverage_plan; reference 9.1). A vnode holds the keys whose first primary partition is its own or
/// one of the n_val - 1 before it; a plan takes few vnodes whose keys together are all, and says of each which first partitions it answers
/// for. Only owners that are up qualify, and hold all of their partition.
/// </summary>
public static class CoveragePlan
{
    /// <summary>A vnode of the plan, and the first primary partitions whose keys count from it; keys of others are left to other vnodes.</summary>
    public sealed record Share(PartitionId Partition, NodeId Node, ImmutableArray<PartitionId> FirstPartitions);

    /// <summary>
    /// The plan for the <paramref name="wanted"/> first partitions (all of the ring's where null); null where some cannot be covered: all of their
    /// owners are down, rebuild, or are <paramref name="excluded"/>.
    /// </summary>
    /// <param name="ring">The ring.</param>
    /// <param name="nVal">Replicas of the keys that are looked for.</param>
    /// <param name="up">Nodes that can be asked.</param>
    /// <param name="start">Where to begin, any number: spreads load over the vnodes.</param>
    /// <param name="wanted">First partitions still to be covered.</param>
    /// <param name="excluded">Vnodes that failed before.</param>
    public static IReadOnlyList<Share>? Create(
        Ring ring, int nVal, IReadOnlySet<NodeId> up, int start, IReadOnlySet<PartitionId>? wanted = null, IReadOnlySet<PartitionId>? excluded = null)
    {
        var n = Math.Min(nVal, ring.Size);
        var left = new bool[ring.Size];
        var leftCount = 0;
        for (var number = 0; number < ring.Size; number++)
        {
            left[number] = wanted?.Contains(new PartitionId(number)) ?? true;
            leftCount += left[number] ? 1 : 0;
        }

        var shares = new List<Share>();
        for (var offset = 0; offset < n && leftCount > 0; offset++)
        {
            // Every n-th vnode alone covers the ring; those between fill the gaps that absent ones leave.
            for (var step = offset; step < ring.Size && leftCount > 0; step += n)
            {
                var partition = new PartitionId((int)((uint)(start + step) % (uint)ring.Size));
                if (!up.Contains(ring.Owner(partition)) || ring.IsRebuilding(partition) || excluded?.Contains(partition) == true)
                {
                    continue;
                }

                var covered = Take(left, partition, n);
                if (!covered.IsEmpty)
                {
                    leftCount -= covered.Length;
                    shares.Add(new Share(partition, ring.Owner(partition), covered));
                }
            }
        }

        return leftCount == 0 ? shares : null;
    }

    private static ImmutableArray<PartitionId> Take(bool[] left, PartitionId partition, int n)
    {
        var covered = ImmutableArray.CreateBuilder<PartitionId>(n);
        for (var back = 0; back < n; back++)
        {
            var first = (partition.Number - back + left.Length) % left.Length;
            if (left[first])
            {
                left[first] = false;
                covered.Add(new PartitionId(first));
            }
        }

        return covered.ToImmutable();
    }
}
