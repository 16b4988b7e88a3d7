using System.Collections.Immutable;
using System.Globalization;
using Kv.Core.Rings;
using Xunit;

namespace Kv.Core.Tests.Rings;

/// <summary>
/// The claim over ring sizes, numbers of nodes and zones, for creation, joins and leaves. The default run takes a sample that meets each ring size, number of
/// nodes and number of zones; KV_CLAIM_GRID=full takes all of them, KV_CLAIM_GRID=256x4 those of 256 partitions and four zones, and KV_CLAIM_GRID=1024x4/3 of those each third number of nodes.
/// </summary>
public sealed class ClaimTests
{
    private const int TargetNVal = 4;
    private const int NValPerZone = 3;

    private static readonly string[] GridAndShare = (Environment.GetEnvironmentVariable("KV_CLAIM_GRID") ?? "").Split('/');
    private static readonly string Grid = GridAndShare[0];
    private static readonly int Share = GridAndShare.Length > 1 ? int.Parse(GridAndShare[1], CultureInfo.InvariantCulture) : 1;

    public static TheoryData<int, int> RingsAndZones()
    {
        var data = new TheoryData<int, int>();
        for (var ringSize = Ring.MinSize; ringSize <= Ring.MaxSize; ringSize *= 2)
        {
            for (var zones = 1; zones <= 5; zones++)
            {
                if (Grid is "" or "full" || Grid == $"{ringSize}x{zones}")
                {
                    data.Add(ringSize, zones);
                }
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(RingsAndZones))]
    public void Assign_OverTheGrid_KeepsReplicasApart_BalancesAndMovesFew(int ringSize, int zones)
    {
        // Each number of nodes meets some ring size and each ring size some of every kind; large rings are the slow ones.
        var every = Grid.Length > 0 ? 1 : ringSize <= 64 ? 8 : ringSize <= 256 ? 24 : 40;
        var sample = Enumerable.Range(zones, 41 - zones).Where(nodes => nodes % Share == 0 && (nodes + (3 * zones) + ringSize.ToString(null, null).Length) % every == 0).ToList();
        Assert.True(sample.Count > 0 || Share > 1, "no number of nodes is tried");
        foreach (var nodes in sample)
        {
            var before = Members(nodes, zones);
            var created = Assign(ringSize, [], before);
            var extra = Members(nodes + 5, zones);
            Assign(ringSize, created, [.. extra.Take(nodes + 1)]);
            Assign(ringSize, created, extra);
            if (nodes > 2)
            {
                Assign(ringSize, created, [.. before.Take(nodes - 1)]);
                Assign(ringSize, created, [.. before.Skip(2)]);
            }
        }
    }

    /// <summary>Problems that an earlier claim, or an earlier bound, did badly at: each is tight in its own way.</summary>
    [Theory]
    [InlineData(8, 3, 9, -1)]
    [InlineData(64, 5, 5, 1)]
    [InlineData(64, 3, 14, -2)]
    [InlineData(128, 3, 22, -1)]
    [InlineData(128, 5, 7, -2)]
    [InlineData(128, 5, 9, -1)]
    [InlineData(64, 3, 15, -2)]
    [InlineData(128, 4, 11, -1)]
    [InlineData(128, 3, 9, -1)]
    [InlineData(512, 3, 9, -1)]
    [InlineData(128, 2, 8, 1)]
    [InlineData(32, 4, 8, -1)]
    [InlineData(16, 5, 8, -1)]
    [InlineData(128, 1, 4, -1)]
    [InlineData(64, 2, 3, -1)]
    [InlineData(64, 4, 10, -1)]
    [InlineData(256, 4, 12, 1)]
    [InlineData(256, 4, 16, 1)]
    [InlineData(256, 4, 19, -2)]
    [InlineData(256, 4, 26, -2)]
    [InlineData(512, 4, 9, 1)]
    [InlineData(512, 4, 11, -1)]
    [InlineData(512, 4, 8, 1)]
    [InlineData(1024, 4, 8, 1)]
    [InlineData(1024, 4, 10, -1)]
    [InlineData(1024, 3, 25, -1)]
    [InlineData(1024, 3, 22, -2)]
    public void Assign_WhereARingIsTight_MovesFew(int ringSize, int zones, int before, int by)
    {
        var members = Members(Math.Max(before, before + by), zones);
        var created = Assign(ringSize, [], [.. members.Take(before)]);
        Assign(ringSize, created, by == -2 ? [.. members.Skip(2)] : [.. members.Take(before + by)]);
    }

    /// <summary>Of one zone too, which have to be apart by its colour alone: round and round, a node has but two of them near it, and those can take nothing of it when it leaves.</summary>
    [Theory]
    [InlineData(10)]
    [InlineData(13)]
    [InlineData(16)]
    [InlineData(19)]
    [InlineData(25)]
    [InlineData(37)]
    public void Assign_ANewRing_PutsManyNodesNearEach(int nodes)
    {
        const int size = 256;
        var members = Members(nodes, 3);
        var owners = Assign(size, [], members);
        foreach (var member in members)
        {
            var near = Enumerable.Range(0, size).Where(p => owners[p] == member.Id).SelectMany(p => Enumerable.Range(p + size - 3, 7).Select(q => owners[q % size])).ToHashSet();
            var others = members.Where(m => m.Zone == member.Zone && m != member).ToList();
            Assert.True(others.Count(m => near.Contains(m.Id)) >= Math.Min(others.Count - 1, 5), $"{member} has few near it");
        }
    }

    /// <summary>A ring whose zones are round and round: the two near a leaver each lack more of it than they may take, and all that they lack is a move more.</summary>
    [Fact]
    public void Assign_WhereNodesAreNearALeaverEverywhere_MovesNoMoreThanThatForces()
    {
        const int size = 1024;
        var (members, seen) = (Members(25, 3), new int[3]);
        ImmutableArray<NodeId> current = [.. Enumerable.Range(0, size).Select(p => NextOf(p is < 2 or > 1020 ? (p + 3) % size % 3 : 2 - (p % 3)))];
        Assign(size, current, [.. members.Take(24)]);

        NodeId NextOf(int zone)
        {
            var nodes = members.Where(m => m.Zone == $"zone{zone}").ToList();
            return nodes[seen[zone]++ % nodes.Count].Id;
        }
    }

    [Fact]
    public void Assign_OfTheSameProblem_IsTheSame_WhateverTheMembersOrder()
    {
        var current = Assign(64, [], Members(5, 2));
        var members = Members(7, 2);
        Assert.Equal(Assign(64, current, members), Assign(64, current, [.. members.Reverse()]));
    }

    [Fact]
    public void Assign_WhereNothingChanges_MovesNothing()
    {
        for (var nodes = 1; nodes <= 12; nodes++)
        {
            var members = Members(nodes, Math.Min(nodes, 3));
            var created = Assign(64, [], members);
            Assert.Equal(created, Assign(64, created, members));
        }
    }

    [Fact]
    public void Assign_Step_ByStepFromOneNodeToTwelve_StaysApartAndEven()
    {
        ImmutableArray<NodeId> owners = [];
        for (var nodes = 1; nodes <= 12; nodes++)
        {
            owners = Assign(64, owners, Members(nodes, 1));
        }

        for (var nodes = 11; nodes >= 1; nodes--)
        {
            owners = Assign(64, owners, Members(nodes, 1));
        }
    }

    [Fact]
    public void Assign_WithFewNodes_WarnsInRiaksWords()
    {
        var warnings = Claim.Assign(64, [], Members(3, 1), TargetNVal, NValPerZone).Warnings;
        Assert.StartsWith("Not all replicas will be on distinct nodes", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.Empty(Claim.Assign(64, [], Members(5, 1), TargetNVal, NValPerZone).Warnings);
        Assert.Empty(Claim.Assign(64, [], Members(8, 4), TargetNVal, NValPerZone).Warnings);
        Assert.Contains(
            Claim.Assign(64, [], Members(4, 2), TargetNVal, NValPerZone).Warnings,
            w => w.StartsWith("Not all replicas will be in distinct zones", StringComparison.Ordinal));
        Assert.Contains(Claim.Assign(8, [], Members(9, 1), TargetNVal, NValPerZone).Warnings, w => w.Contains("own no partition", StringComparison.Ordinal));
    }

    [Fact]
    public void Assign_WithoutMembersOrWithAnotherRingsOwners_IsABug()
    {
        Assert.Throws<ArgumentException>(() => Claim.Assign(64, [], [], TargetNVal, NValPerZone));
        Assert.Throws<ArgumentException>(() => Claim.Assign(64, [new NodeId(1)], Members(1, 1), TargetNVal, NValPerZone));
        Assert.Throws<ArgumentException>(() => Claim.Assign(48, [], Members(1, 1), TargetNVal, NValPerZone));
    }

    /// <summary>Members 1 to <paramref name="nodes"/>, dealt to the zones in turn.</summary>
    internal static ImmutableArray<ClaimMember> Members(int nodes, int zones) =>
        [.. Enumerable.Range(0, nodes).Select(i => new ClaimMember(new NodeId((ulong)i + 1), zones == 1 ? "" : $"zone{i % zones}"))];

    private static ImmutableArray<NodeId> Assign(int ringSize, ImmutableArray<NodeId> current, ImmutableArray<ClaimMember> members)
    {
        var owners = Claim.Assign(ringSize, current, members, TargetNVal, NValPerZone).Owners;
        var assignment = new ClaimCheck(ringSize, current, members, owners);
        assignment.NodesAreApart();
        assignment.ZonesAreApart();
        assignment.SharesAreEven();
        assignment.MovesAreFew();
        return owners;
    }
}
