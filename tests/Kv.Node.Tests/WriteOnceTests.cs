using System.Net;
using System.Text;
using Google.Protobuf;
using Kv.Protos.Kv.V1;
using Kv.Protos.Riak;
using Kv.Wire.Tests.Riak.Pb;
using Xunit;

namespace Kv.Node.Tests;

/// <summary>A write-once type on three whole nodes, over each protocol.</summary>
public sealed class WriteOnceTests(ClusterFlowTests.ThreeNodes nodes) : IClassFixture<ClusterFlowTests.ThreeNodes>
{
    private static CancellationToken None => TestContext.Current.CancellationToken;

    /// <summary>Each protocol has a node of its own, and the last has the object that was decided on: the same one everywhere.</summary>
    [Fact]
    public async Task ThreeWriters_OfOneKey_EndWithOneValue_OnAllNodes()
    {
        await nodes.Cluster.ActivateAsync("once", """{"write_once":true}""", None);
        await Task.WhenAll(PutByHttpAsync("http"), PutByPbAsync("pb"), PutNativelyAsync("grpc"));
        var first = await ReadAsync(0);
        Assert.Contains(first, new[] { "http", "pb", "grpc" });
        Assert.Equal([first, first], [await ReadAsync(1), await ReadAsync(2)]);
    }

    private async Task PutByHttpAsync(string value)
    {
        using var http = new HttpClient();
        using var content = new StringContent(value, Encoding.UTF8, "text/plain");
        using var response = await http.PutAsync(new Uri($"http://{nodes.Cluster.Nodes[0].Endpoint("riak-http")}/types/once/buckets/b/keys/k?returnbody=true"), content, None);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }

    private async Task PutByPbAsync(string value)
    {
        using var client = await PbClient.ConnectAsync(IPEndPoint.Parse(nodes.Cluster.Nodes[1].Endpoint("riak-pb")));
        var put = new RpbPutReq
        {
            Type = ByteString.CopyFromUtf8("once"),
            Bucket = ByteString.CopyFromUtf8("b"),
            Key = ByteString.CopyFromUtf8("k"),
            Content = new RpbContent { Value = ByteString.CopyFromUtf8(value) },
            ReturnBody = true,
        };
        Assert.Equal(new RpbPutResp(), await client.AskAsync(11, put, 12, RpbPutResp.Parser));
    }

    private async Task PutNativelyAsync(string value)
    {
        var put = new PutRequest { Key = Key, Content = new Content { Value = ByteString.CopyFromUtf8(value) }, ReturnBody = true };
        Assert.Equal(new PutResponse(), await nodes.Kv(2).PutAsync(put, cancellationToken: None));
    }

    private async Task<string> ReadAsync(int node)
    {
        var get = new GetRequest { Key = Key, R = new Quorum { Number = 3 } };
        return (await nodes.Kv(node).GetAsync(get, cancellationToken: None)).Object.Siblings.Single().Value.ToStringUtf8();
    }

    private static Key Key => new() { BucketType = "once", Bucket = ByteString.CopyFromUtf8("b"), Key_ = ByteString.CopyFromUtf8("k") };
}
