using Google.Protobuf;
using Kv.Protos.Riak;
using Kv.Wire.Access;
using Xunit;
using static Kv.Core.Security.SecurityChange;

namespace Kv.Wire.Tests.Access;

/// <summary>Kinds of work that are switched off, with security off.</summary>
public sealed class JobClassTests : IAsyncLifetime
{
    private readonly SecuredNode node = new() { DisabledJobs = [JobClass.StreamListKeys, JobClass.ListBuckets, JobClass.SecondaryIndex, JobClass.MapReduceJs] };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await node.InitializeAsync();
        await node.ChangeAsync(new Enable(false));
    }

    public ValueTask DisposeAsync() => node.DisposeAsync();

    [Fact]
    public async Task OverHttp_ItIs403_AndOtherKindsAreServed()
    {
        using var client = SecuredNode.NewClient();
        using var refused = await client.GetAsync($"http://{node.Http}/buckets?buckets=true", Cancel);
        Assert.Equal((403, "Operation '{riak_kv,list_buckets}' is not enabled"), ((int)refused.StatusCode, await refused.Content.ReadAsStringAsync(Cancel)));
        using var streamed = await client.GetAsync($"http://{node.Http}/buckets?buckets=stream", Cancel);
        Assert.Equal(200, (int)streamed.StatusCode);
        using var keys = await client.GetAsync($"https://{node.Http}/buckets/b/keys?keys=stream", Cancel);
        Assert.Equal((403, "Operation '{riak_kv,stream_list_keys}' is not enabled"), ((int)keys.StatusCode, await keys.Content.ReadAsStringAsync(Cancel)));
        using var index = await client.GetAsync($"http://{node.Http}/buckets/b/index/$bucket/b", Cancel);
        Assert.Equal((403, "Operation '{riak_kv,secondary_index}' is not enabled"), ((int)index.StatusCode, await index.Content.ReadAsStringAsync(Cancel)));
        using var whole = await client.GetAsync($"http://{node.Http}/riak/b?keys=true", Cancel);
        Assert.Equal(200, (int)whole.StatusCode);
        using var twice = await client.GetAsync($"http://{node.Http}/buckets?buckets=true&buckets=false", Cancel);
        Assert.Equal(403, (int)twice.StatusCode);
        using var streamedTwice = await client.GetAsync($"http://{node.Http}/buckets/b/keys?keys=stream&keys=true", Cancel);
        Assert.Equal(403, (int)streamedTwice.StatusCode);
        using var props = await client.GetAsync($"http://{node.Http}/riak/b", Cancel);
        Assert.Equal(200, (int)props.StatusCode);
    }

    [Fact]
    public async Task OverProtocolBuffers_ItIsAnError()
    {
        using var client = await node.ConnectPbAsync();
        Assert.Equal("Operation '{riak_kv,list_buckets}' is not enabled", await client.FailAsync(15, new RpbListBucketsReq()));
        Assert.Equal("Operation '{riak_kv,stream_list_keys}' is not enabled", await client.FailAsync(17, new RpbListKeysReq { Bucket = ByteString.CopyFromUtf8("b") }));
        var query = new RpbIndexReq { Bucket = ByteString.CopyFromUtf8("b"), Index = ByteString.CopyFromUtf8("$bucket"), Qtype = RpbIndexReq.Types.IndexQueryType.Eq };
        Assert.Equal("Operation '{riak_kv,secondary_index}' is not enabled", await client.FailAsync(25, query));
        Assert.Equal("Operation '{riak_kv,map_reduce_js}' is not enabled", await client.FailAsync(23, JobOf("{\"language\":\"javascript\",\"name\":\"Riak.mapValues\"}")));
        Assert.Equal(24, (await client.AskAsync(23, JobOf("{\"language\":\"erlang\",\"module\":\"riak_kv_mapreduce\",\"function\":\"map_identity\",\"keep\":false}"))).Code);
        Assert.Equal("Security not enabled; STARTTLS not allowed.", await client.FailAsync(255));
        Assert.Equal("Security not enabled; authentication not required.", await client.FailAsync(253, new RpbAuthReq { User = ByteString.Empty, Password = ByteString.Empty }));
        Assert.Equal(2, (await client.AskAsync(1)).Code);
    }

    [Fact]
    public async Task MapReduce_IsSwitchedOffAsAWhole()
    {
        await using var without = new SecuredNode { DisabledJobs = [JobClass.MapReduce] };
        await without.InitializeAsync();
        await without.ChangeAsync(new Enable(false));
        using var client = await without.ConnectPbAsync();
        Assert.Equal("Operation '{riak_kv,map_reduce}' is not enabled", await client.FailAsync(23, JobOf("{}")));
        using var http = SecuredNode.NewClient();
        using var refused = await http.PostAsync($"http://{without.Http}/mapred", new StringContent("nonsense"), Cancel);
        Assert.Equal((403, "Operation '{riak_kv,map_reduce}' is not enabled"), ((int)refused.StatusCode, await refused.Content.ReadAsStringAsync(Cancel)));
    }

    [Theory]
    [InlineData("\"b\"", "list_keys")]
    [InlineData("{\"bucket\":\"b\",\"key_filters\":[[\"eq\",\"k\"]]}", "list_keys")]
    [InlineData("{\"bucket\":\"b\",\"index\":\"$bucket\",\"key\":\"b\"}", "secondary_index")]
    public async Task AJob_IsNoWayAroundWhatIsSwitchedOff(string inputs, string job)
    {
        await using var without = new SecuredNode { DisabledJobs = [JobClass.ListKeys, JobClass.SecondaryIndex] };
        await without.InitializeAsync();
        await without.ChangeAsync(new Enable(false));
        var text = $"{{\"inputs\":{inputs},\"query\":[]}}";
        using var client = await without.ConnectPbAsync();
        Assert.Equal($"Operation '{{riak_kv,{job}}}' is not enabled", await client.FailAsync(23, RequestOf(text)));
        using var http = SecuredNode.NewClient();
        using var refused = await http.PostAsync($"http://{without.Http}/mapred", new StringContent(text, System.Text.Encoding.UTF8, "application/json"), Cancel);
        Assert.Equal((403, $"Operation '{{riak_kv,{job}}}' is not enabled"), ((int)refused.StatusCode, await refused.Content.ReadAsStringAsync(Cancel)));
        Assert.Equal(24, (await client.AskAsync(23, RequestOf("{\"inputs\":[[\"b\",\"k\"]],\"query\":[]}"))).Code);
    }

    private static RpbMapRedReq JobOf(string map) => RequestOf($"{{\"inputs\":\"b\",\"query\":[{{\"map\":{map}}}]}}");

    private static RpbMapRedReq RequestOf(string job) => new() { Request = ByteString.CopyFromUtf8(job), ContentType = ByteString.CopyFromUtf8("application/json") };

    [Fact]
    public async Task TurnedOnAgain_AnOpenPlainConnection_IsServedNoMore()
    {
        using var client = await node.ConnectPbAsync();
        Assert.Equal(2, (await client.AskAsync(1)).Code);
        await node.ChangeAsync(new Enable(true));
        Assert.Equal("Security is enabled, please STARTTLS first", await client.FailAsync(1));
    }
}
