using System.Collections.Immutable;
using CsCheck;
using Kv.Core.Rings;
using Xunit;

namespace Kv.Core.Tests.Rings;

/// <summary>
/// The claim against every assignment there is, on the smallest ring. What is compared, first things first: runs of four partitions that repeat a node, by how near the two are;
/// runs of three that repeat a zone; the squares of the shares; the moves.
/// </summary>
public sealed class ClaimOptimumTests
{
    private const int Size = 8;

    [Fact]
    public void Assign_OnTheSmallestRing_IsTheBestOfAllAssignments()
    {
        var gen = Gen.Select(Gen.Int[1, 4], Gen.Int[0, 2].Array[5], Gen.Int[0, 4].Array[Size], Gen.Bool);
        gen.Sample(
            (nodes, zones, owners, isNew) =>
            {
                ImmutableArray<ClaimMember> members = [.. Enumerable.Range(0, nodes).Select(i => new ClaimMember(new NodeId((ulong)i + 1), $"{zones[i]}"))];
                ImmutableArray<NodeId> current = isNew ? [] : [.. owners.Select(o => new NodeId((ulong)o + 1))];
                var claimed = Claim.Assign(Size, current, members, targetNVal: 4, nValPerZone: 3).Owners;
                var score = Score(members, current, [.. claimed.Select(o => (int)o.Value - 1)]);
                var best = Best(members, current);
                Assert.True(score.CompareTo(best) <= 0, $"{score} where {best} is possible");
            },
            iter: 40);
    }

    private static (int Nodes, int Zones, int Squares, int Moves) Best(ImmutableArray<ClaimMember> members, ImmutableArray<NodeId> current)
    {
        var best = (int.MaxValue, 0, 0, 0);
        var owners = new int[Size];
        for (var number = 0; number < Math.Pow(members.Length, Size); number++)
        {
            var rest = number;
            for (var p = 0; p < Size; p++)
            {
                (rest, owners[p]) = Math.DivRem(rest, members.Length);
            }

            var score = Score(members, current, owners);
            best = score.CompareTo(best) < 0 ? score : best;
        }

        return best;
    }

    private static (int Nodes, int Zones, int Squares, int Moves) Score(ImmutableArray<ClaimMember> members, ImmutableArray<NodeId> current, int[] owners)
    {
        // Fewer zones than replicas cannot be kept apart: balance comes before them, and only runs that are all in one zone count.
        var zoneCount = members.Select(m => m.Zone).Distinct().Count();
        var (nodes, zones, squares, moves) = (0, 0, 0, 0);
        for (var p = 0; p < Size; p++)
        {
            for (var distance = 1; distance < 4; distance++)
            {
                var (a, b) = (owners[p], owners[(p + distance) % Size]);
                nodes += a == b ? (1 << (4 - distance)) - 1 : 0;
                zones += distance < 3 && members[a].Zone == members[b].Zone ? (zoneCount < 3 || distance == 2 ? 3 - distance : 3) : 0;
            }

            // A leaver's partition moves wherever it goes.
            moves += !current.IsEmpty && (int)current[p].Value <= members.Length && (int)current[p].Value != owners[p] + 1 ? 1 : 0;
        }

        for (var node = 0; node < members.Length; node++)
        {
            var share = owners.Count(o => o == node);
            squares += share * share;
        }

        return zoneCount == 1 ? (nodes, 0, squares, moves) : zoneCount < 3 ? (nodes, squares, zones, moves) : (nodes, zones, squares, moves);
    }
}
