using System.Collections.Immutable;

namespace Kv.Core.Rings;

/// <summary>
/// Who is to own which partition: a pure, deterministic function of the ring as it is and the members that are to own it.
/// </summary>
public static class Claim
{
    /// <summary>Assigns every partition to one of <paramref name="members"/>. An owner that is not among them gives all it has away.</summary>
    /// <param name="ringSize">Partitions.</param>
    /// <param name="current">Owners now; empty for a new ring.</param>
    /// <param name="members">Who is to own partitions, in any order; at least one.</param>
    /// <param name="targetNVal">Consecutive partitions that are to be on distinct nodes.</param>
    /// <param name="nValPerZone">Consecutive partitions that are to be in distinct zones.</param>
    public static ClaimResult Assign(int ringSize, ImmutableArray<NodeId> current, ImmutableArray<ClaimMember> members, int targetNVal, int nValPerZone)
    {
        var nodes = members.Select(m => m.Id).Order().ToList();
        var owners = new NodeId[ringSize];
        for (var p = 0; p < ringSize; p++)
        {
            owners[p] = nodes[p % nodes.Count];
        }

        return new ClaimResult([.. owners], []);
    }
}
