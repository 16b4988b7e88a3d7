using Kv.Client;
using Kv.Core.Objects;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Node.Tests.Client;

/// <summary>Which nodes a client asks for a key, by Riak's golden vectors: partition p of 64 is owned by node p mod 5.</summary>
public sealed class RingViewTests
{
    private const int Nodes = 5;

    // foo/bar is served first by partition 19, mybucket/mykey by 31, the same of mytype by 32, favorite/jethrotull by 34.
    [Theory]
    [InlineData("default", "foo", "bar", new[] { 4, 0, 1, 2, 3 })]
    [InlineData("default", "mybucket", "mykey", new[] { 1, 2, 3, 0, 4 })]
    [InlineData("mytype", "mybucket", "mykey", new[] { 2, 3, 4, 0, 1 })]
    [InlineData("default", "favorite", "jethrotull", new[] { 4, 0, 1, 2, 3 })]
    public void Rank_IsThePreferenceList_ThenTheOthers(string type, string bucket, string key, int[] expected) =>
        Assert.Equal(expected, Ranked(Told(), new ObjectKey(type, bucket, key)));

    [Fact]
    public void Rank_TakesTheTypesNVal()
    {
        var told = Told();
        told.NVals.Add("mytype", 1);
        Assert.Equal([2, 0, 1, 3, 4], Ranked(told, new ObjectKey("mytype", "mybucket", "mykey")));
    }

    [Fact]
    public void Rank_OfANodeThatIsDown_IsBehindAllThatAreUp()
    {
        Assert.Equal([0, 1, 2, 3, 4], Ranked(Told(down: [4]), new ObjectKey("default", "foo", "bar")));
        Assert.Equal([1, 2, 3, 4, 0], Ranked(Told(down: [4, 0]), new ObjectKey("default", "foo", "bar")));
        Assert.Equal([4, 0, 1, 2, 3], Ranked(Told(down: [0, 1, 2, 3, 4]), new ObjectKey("default", "foo", "bar")));
    }

    [Fact]
    public void Rank_LeavesOutANodeWithoutAnAddress()
    {
        var told = Told(down: [1]);
        told.Nodes[0].GrpcEndpoint = "";
        Assert.Equal([4, 2, 3, 1], Ranked(told, new ObjectKey("default", "foo", "bar")));
        Assert.Equal(["node2:1", "node3:1", "node4:1", "node1:1"], new RingView(told).Addresses);
    }

    [Fact]
    public void Rank_IntoLessRoom_HasTheBestOnly() => Assert.Equal([4, 0], Ranked(Told(), new ObjectKey("default", "foo", "bar"), room: 2));

    private static int[] Ranked(GetRingResponse told, ObjectKey key, int room = 16)
    {
        var ranked = new int[room];
        return ranked[..new RingView(told).Rank(key, ranked)];
    }

    private static GetRingResponse Told(params int[] down)
    {
        var ring = new GetRingResponse { Version = 1, ClusterName = "test" };
        ring.Nodes.AddRange(Enumerable.Range(0, Nodes).Select(node => new RingNode { Name = $"node{node}", GrpcEndpoint = $"node{node}:1", Up = !down.Contains(node) }));
        ring.Owners.AddRange(Enumerable.Range(0, 64).Select(partition => (uint)(partition % Nodes)));
        return ring;
    }
}
