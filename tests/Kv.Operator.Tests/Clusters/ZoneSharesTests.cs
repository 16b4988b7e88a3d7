using CsCheck;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.Tests.Stubs;
using Xunit;

namespace Kv.Operator.Tests.Clusters;

public sealed class ZoneSharesTests
{
    [Fact]
    public void Of_AnyNodesAndZones_IsEvenFromTheStart_AndWhenTheyGrowOrShrink() =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 40], Gen.Int[0, 40]).Sample((zones, nodes, more) =>
        {
            var cluster = Build.Cluster(Math.Max(zones, nodes), spec => spec.Zones = [.. Enumerable.Range(0, zones).Select(i => new ClusterZone { Name = $"z{i}" })]);
            var first = ZoneShares.Of(cluster.Spec, []);
            Assert.Equal(cluster.Spec.Nodes, first.Values.Sum());
            Assert.True(first.Values.Max() - first.Values.Min() <= 1);

            cluster.Spec.Nodes += more;
            var next = ZoneShares.Of(cluster.Spec, first.Select(pair => new ObservedWorkload(pair.Key, pair.Key, pair.Value)));
            Assert.All(first, pair => Assert.True(next[pair.Key] >= pair.Value));
            Assert.Equal(cluster.Spec.Nodes, next.Values.Sum());
            Assert.True(next.Values.Max() - next.Values.Min() <= 1);

            var back = ZoneShares.Of(Build.Cluster(Math.Max(zones, nodes), spec => spec.Zones = cluster.Spec.Zones).Spec, next.Select(pair => new ObservedWorkload(pair.Key, pair.Key, pair.Value)));
            Assert.Equal(first, back);
        });

    [Fact]
    public void Of_ANewZone_GetsTheNewNodes()
    {
        var cluster = Build.Cluster(9, spec => spec.Zones = [new() { Name = "a" }, new() { Name = "b" }, new() { Name = "c" }]);
        var shares = ZoneShares.Of(cluster.Spec, [new ObservedWorkload("a", "a", 3), new ObservedWorkload("b", "b", 3)]);
        Assert.Equal((3, 3, 3), (shares["a"], shares["b"], shares["c"]));
    }
}
