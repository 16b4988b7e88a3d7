using System.Collections.Immutable;
using CsCheck;
using Kv.Core.Rings;
using Xunit;

namespace Kv.Core.Tests.Rings;

/// <summary>Riak 1.3: the golden example, and the laws of any list.</summary>
public sealed class PreferenceListTests
{
    private const string Nodes = "abcd";

    private static readonly Ring Ring = RingOf("abcdabcd");

    [Theory]
    [InlineData("abcd", "0a 1b 2c")]
    [InlineData("bcd", "1b 2c 0d*")]
    [InlineData("cd", "2c 0d* 1c*")]
    [InlineData("ab", "0a 1b 2a*")]
    [InlineData("d", "0d* 1d*")]
    [InlineData("", "")]
    public void Compute_OfRiaksExample_IsRiaksAnswer(string up, string expected)
    {
        Assert.Equal(expected, Text(PreferenceList.Compute(Ring, new PartitionId(0), 3, Up(up))));
    }

    [Fact]
    public void Compute_NotSloppy_HasNoFallbacks()
    {
        Assert.Equal("2c", Text(PreferenceList.Compute(Ring, new PartitionId(0), 3, Up("cd"), sloppy: false)));
    }

    [Fact]
    public void Compute_NearTheRingsEnd_WrapsAround()
    {
        Assert.Equal("7d 0a 1b", Text(PreferenceList.Compute(Ring, new PartitionId(7), 3, Up(Nodes))));
    }

    /// <summary>In ring order d would stand in for both, and a write that two replicas acknowledged would be on one disk.</summary>
    [Theory]
    [InlineData("bde", "1b 0d* 2e*")]
    [InlineData("bd", "1b 0d* 2d*")]
    [InlineData("de", "0d* 1e* 2d*")]
    [InlineData("d", "0d* 1d*")]
    public void Compute_WithStandIns_RepeatsANode_OnlyWhereNoOtherIsUp(string up, string expected)
    {
        Assert.Equal(expected, Text(PreferenceList.Compute(RingOf("abcdadbe"), new PartitionId(0), 3, Up(up))));
    }

    [Fact]
    public void Compute_WithFewerNodesThanReplicas_RepeatsNodes()
    {
        Assert.Equal("0a 1b 2a", Text(PreferenceList.Compute(RingOf("abababab"), new PartitionId(0), 3, Up("ab"))));
    }

    [Fact]
    public void Compute_WithTransferPending_KeepsTheOwner()
    {
        var moving = new Ring(Ring.Owners, Ring.NextOwners.SetItem(0, Node('d')));
        Assert.Equal("0a 1b 2c", Text(PreferenceList.Compute(moving, new PartitionId(0), 3, Up(Nodes))));
    }

    [Fact]
    public void Compute_WithMoreReplicasThanPartitions_HasEachPartitionOnce()
    {
        Assert.Equal(8, PreferenceList.Compute(Ring, new PartitionId(3), 20, Up(Nodes)).Length);
    }

    [Fact]
    public void Compute_WithAnOwnerThatRebuilds_HasItAfterThePrimaries_AndNotAsOne()
    {
        var ring = new Ring(Ring.Owners, Ring.Owners, [new PartitionId(0), new PartitionId(7)]);
        Assert.Equal("1b 2c 0a*", Text(PreferenceList.Compute(ring, new PartitionId(0), 3, Up(Nodes))));
        Assert.Equal("2c 0a* 1d*", Text(PreferenceList.Compute(ring, new PartitionId(0), 3, Up("acd"))));
        Assert.Equal("1b 2c 0a*", Text(PreferenceList.Compute(ring, new PartitionId(0), 3, Up(Nodes), sloppy: false)));
        Assert.Equal("1b 2c 0d*", Text(PreferenceList.Compute(ring, new PartitionId(0), 3, Up("bcd"))));
    }

    [Theory]
    [InlineData(14, 3, 15, true)]
    [InlineData(14, 3, 0, true)]
    [InlineData(14, 3, 1, false)]
    [InlineData(14, 3, 13, false)]
    [InlineData(14, 1, 14, true)]
    public void Holds_AroundTheEndOfTheRing_CountsOnward(int first, int n, int partition, bool expected)
    {
        Assert.Equal(expected, PreferenceList.Holds(RingOf("abcdabcdabcdabcd"), new PartitionId(first), n, new PartitionId(partition)));
        Assert.Equal(expected || partition == 13, PreferenceList.Share(RingOf("abcdabcdabcdabcd"), new PartitionId(first), new PartitionId(partition), n));
    }

    [Fact]
    public void Compute_Always_CoversThePrimaryPartitionsOnceEach_ByNodesThatAreUp()
    {
        Gen.Select(Gen.Char['a', 'd'].Array[16], Gen.Int[0, 15], Gen.Int[1, 6], Gen.Bool.Array[4]).Sample(
            (owners, first, n, isUp) =>
            {
                var up = Nodes.Where((_, i) => isUp[i]).Select(Node).ToHashSet();
                var ring = RingOf(new string(owners));
                var list = PreferenceList.Compute(ring, new PartitionId(first), n, up);
                Assert.All(list, e => Assert.Contains(e.Node, up));
                Assert.Equal(list.Length, list.Select(e => e.Partition).Distinct().Count());
                Assert.All(list, e => Assert.True(((e.Partition.Number - first + 16) % 16) < n));
                Assert.All(list.Where(e => e.IsPrimary), e => Assert.Equal(ring.Owner(e.Partition), e.Node));
                Assert.All(list.Where(e => !e.IsPrimary), e => Assert.DoesNotContain(ring.Owner(e.Partition), up));
                Assert.Equal(list.OrderByDescending(e => e.IsPrimary), list);
                var standsIn = list.Where(e => !e.IsPrimary).Select(e => e.Node).ToList();
                var primaries = list.Where(e => e.IsPrimary).Select(e => e.Node).ToHashSet();
                var beyond = Enumerable.Range(n, Math.Max(0, 16 - n)).Select(step => ring.Owner(new PartitionId((first + step) % 16))).Where(up.Contains).ToHashSet();
                Assert.Equal(Math.Min(standsIn.Count, beyond.Except(primaries).Count()), standsIn.Except(primaries).Count());
                Assert.Equal(list.Where(e => e.IsPrimary), PreferenceList.Compute(ring, new PartitionId(first), n, up, sloppy: false));
            });
    }

    private static NodeId Node(char name) => new(name);

    private static Ring RingOf(string owners)
    {
        ImmutableArray<NodeId> ids = [.. owners.Select(Node)];
        return new Ring(ids, ids);
    }

    private static HashSet<NodeId> Up(string names) => [.. names.Select(Node)];

    private static string Text(IEnumerable<PreflistEntry> list) =>
        string.Join(' ', list.Select(e => $"{e.Partition}{(char)e.Node.Value}{(e.IsPrimary ? "" : "*")}"));
}
