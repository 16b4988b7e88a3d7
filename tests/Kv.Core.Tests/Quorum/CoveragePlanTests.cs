using System.Collections.Immutable;
using CsCheck;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Xunit;

namespace Kv.Core.Tests.Quorum;

public sealed class CoveragePlanTests
{
    [Fact]
    public void EveryFirstPartition_IsCoveredOnce_ByAnOwnerThatIsUpAndHoldsIt() =>
        Gen.Select(Gen.Int[3, 7], Gen.Int[1, 5], Gen.Int[1, 9], Gen.Int[0, 1000], Gen.Bool.Array[9]).Sample((power, nVal, nodes, start, downs) =>
        {
            var ring = RingOf(1 << power, nodes);
            var up = Enumerable.Range(1, nodes).Where(node => !downs[node - 1]).Select(node => new NodeId((ulong)node)).ToHashSet();
            var plan = CoveragePlan.Create(ring, nVal, up, start);
            if (plan is null)
            {
                Assert.Contains(Enumerable.Range(0, ring.Size), first => !Holders(ring, first, nVal).Any(holder => up.Contains(ring.Owner(holder))));
                return;
            }

            Assert.Equal(Enumerable.Range(0, ring.Size), plan.SelectMany(share => share.FirstPartitions).Select(first => first.Number).Order());
            Assert.All(plan, share =>
            {
                Assert.Contains(share.Node, up);
                Assert.Equal(ring.Owner(share.Partition), share.Node);
                Assert.All(share.FirstPartitions, first => Assert.Contains(share.Partition, Holders(ring, first.Number, nVal)));
            });
        });

    [Theory]
    [InlineData(64, 4, 16)]
    [InlineData(64, 3, 22)]
    [InlineData(16, 1, 16)]
    public void WithAllUp_FewVnodesSuffice(int ringSize, int nVal, int vnodes)
    {
        var ring = RingOf(ringSize, 5);
        var up = ring.Owners.ToHashSet();
        for (var start = 0; start < ringSize; start++)
        {
            Assert.Equal(vnodes, CoveragePlan.Create(ring, nVal, up, start)!.Count);
        }
    }

    [Fact]
    public void AVnodeThatFailed_IsReplacedByOthersForItsKeysAlone()
    {
        var ring = RingOf(16, 5);
        var up = ring.Owners.ToHashSet();
        var failed = CoveragePlan.Create(ring, 3, up, 0)![1];
        var replacement = CoveragePlan.Create(ring, 3, up, 0, failed.FirstPartitions.ToHashSet(), new HashSet<PartitionId> { failed.Partition })!;
        Assert.DoesNotContain(replacement, share => share.Partition == failed.Partition);
        Assert.Equal(failed.FirstPartitions.Order(), replacement.SelectMany(share => share.FirstPartitions).Order());
    }

    [Fact]
    public void AnOwnerThatRebuilds_IsNotAsked_AndItsKeysAloneAreNotShownAsAll()
    {
        var owners = RingOf(16, 5).Owners;
        var ring = new Ring(owners, owners, [new PartitionId(3)]);
        var up = owners.ToHashSet();
        Assert.DoesNotContain(CoveragePlan.Create(ring, 3, up, 0)!, share => share.Partition.Number == 3);
        Assert.Null(CoveragePlan.Create(ring, 1, up, 0));
    }

    private static Ring RingOf(int size, int nodes)
    {
        var owners = Enumerable.Range(0, size).Select(number => new NodeId((ulong)((number % nodes) + 1))).ToImmutableArray();
        return new Ring(owners, owners);
    }

    private static IEnumerable<PartitionId> Holders(Ring ring, int first, int nVal) =>
        Enumerable.Range(first, Math.Min(nVal, ring.Size)).Select(number => new PartitionId(number % ring.Size));
}
