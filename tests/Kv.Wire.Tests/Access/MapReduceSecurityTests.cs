using System.Text;
using Google.Protobuf;
using Kv.Protos.Riak;
using Xunit;

namespace Kv.Wire.Tests.Access;

/// <summary>MapReduce jobs where security is on: of the buckets that they name, and of those that values name.</summary>
public sealed class MapReduceSecurityTests(SecuredNode node) : IClassFixture<SecuredNode>
{
    private const string Map = "{\"map\":{\"language\":\"javascript\",\"name\":\"Riak.mapValuesJson\"}}";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, string, string> Jobs => new()
    {
        { "[\"siblings\",\"apples\"]", Map, "" },
        { "[\"siblings\",\"pears\"]", Map, "Permission denied: User 'ada' does not have 'riak_kv.list_keys" },
        { "\"apples\"", Map, "Permission denied: User 'ada' does not have 'riak_kv.list_keys" },
        { "[[\"apples\",\"k\",null,\"siblings\"]]", Map, "" },
        { "[[\"apples\",\"k\",null,\"siblings\"],[\"pears\",\"k\",null,\"siblings\"]]", Map, "Permission denied: User 'ada' does not have 'riak_kv.mapreduce' on siblings/pears" },
        { "[[\"apples\",\"k\",null,\"siblings\"]]", Map + "," + Map, "Permission denied: User 'ada' does not have 'riak_kv.mapreduce' on default/pears" },
        { "{\"bucket\":[\"siblings\",\"apples\"],\"index\":\"$bucket\",\"key\":\"x\"}", Map, "Permission denied: User 'ada' does not have 'riak_kv.index" },
        { "[[\"apples\",\"k\",null,\"siblings\"]]", "{\"link\":{}}", "Link walking is deprecated in Riak 2.0 and is not compatible with security." },
    };

    [Theory]
    [MemberData(nameof(Jobs))]
    public async Task AUser_HasRunWhatItWasGranted(string inputs, string query, string refusal)
    {
        using var client = SecuredNode.NewClient();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Basic " + Convert.ToBase64String("ada:secret"u8));

        // The value names an object of another bucket.
        using var put = await client.PutAsync($"https://{node.Http}/types/siblings/buckets/apples/keys/k", new StringContent("[\"pears\",\"k\"]", Encoding.UTF8, "application/json"), Cancel);
        Assert.Equal(204, (int)put.StatusCode);
        var job = $"{{\"inputs\":{inputs},\"query\":[{query}]}}";
        using var answer = await client.PostAsync($"https://{node.Http}/mapred", new StringContent(job, Encoding.UTF8, "application/json"), Cancel);
        Assert.Equal(refusal.Length == 0 ? 200 : 403, (int)answer.StatusCode);
        if (refusal.Length > 0)
        {
            Assert.StartsWith(refusal, await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        }

        using var pb = await node.ConnectPbAsync();
        await pb.StartTlsAsync();
        Assert.Equal(254, (await pb.AskAsync(253, new RpbAuthReq { User = Bytes("ada"), Password = Bytes("secret") })).Code);
        var (code, message) = await pb.AskAsync(23, new RpbMapRedReq { Request = Bytes(job), ContentType = Bytes("application/json") });
        Assert.Equal(refusal.Length == 0 ? 24 : 0, code);
        Assert.StartsWith(refusal, refusal.Length == 0 ? "" : RpbErrorResp.Parser.ParseFrom(message).Errmsg.ToStringUtf8(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_IsAskedWhoItIs()
    {
        using var client = SecuredNode.NewClient();
        using var answer = await client.PostAsync($"https://{node.Http}/mapred", new StringContent("{}", Encoding.UTF8, "application/json"), Cancel);
        Assert.Equal(401, (int)answer.StatusCode);
    }

    [Fact]
    public async Task WhoMayHaveNoJobsAtAll_IsToldBeforeTheJobIsRead()
    {
        const string Refusal = "Permission denied: User 'poor' does not have 'riak_kv.mapreduce' on any";
        using var client = SecuredNode.NewClient();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Basic " + Convert.ToBase64String("poor:secret"u8));
        using var answer = await client.PostAsync($"https://{node.Http}/mapred", new StringContent("nonsense", Encoding.UTF8, "application/json"), Cancel);
        Assert.Equal((403, Refusal), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel)));
        using var pb = await node.ConnectPbAsync();
        await pb.StartTlsAsync();
        Assert.Equal(254, (await pb.AskAsync(253, new RpbAuthReq { User = Bytes("poor"), Password = Bytes("secret") })).Code);
        Assert.Equal(Refusal, await pb.FailAsync(23, new RpbMapRedReq { Request = Bytes("nonsense"), ContentType = Bytes("application/json") }));
    }

    private static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);
}
