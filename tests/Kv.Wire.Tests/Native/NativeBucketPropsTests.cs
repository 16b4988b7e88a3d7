using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Kv.Protos.Kv.V1;
using Kv.Wire.Tests.Access;
using Xunit;
using static Kv.Core.Security.SecurityChange;

namespace Kv.Wire.Tests.Native;

/// <summary>Properties of buckets in `kv.v1`: what is in force, what a change makes of it, and what is refused.</summary>
public sealed class NativeBucketPropsTests(SecuredNode node) : IClassFixture<SecuredNode>, IAsyncLifetime
{
    private GrpcChannel channel = null!;
    private Protos.Kv.V1.Kv.KvClient client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await node.ChangeAsync(new Enable(false));
        channel = GrpcChannel.ForAddress($"http://{node.Grpc}");
        client = new Protos.Kv.V1.Kv.KvClient(channel);
    }

    public ValueTask DisposeAsync()
    {
        channel.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("", "untyped")]
    [InlineData("siblings", "typed")]
    public async Task Change_IsInForce_ForItsBucketAlone(string type, string bucket)
    {
        Assert.NotEqual("all", (string?)(await GetAsync(type, bucket))["w"]);
        var set = new SetBucketPropsRequest { BucketType = type, Bucket = ByteString.CopyFromUtf8(bucket), PropsJson = """{"w":"all","allow_mult":true}""" };
        var answered = JsonNode.Parse((await client.SetBucketPropsAsync(set, cancellationToken: Cancel)).PropsJson)!;
        var read = await GetAsync(type, bucket);
        Assert.True(JsonNode.DeepEquals(answered, read));
        Assert.Equal(("all", true), ((string?)read["w"], (bool?)read["allow_mult"]));
        Assert.NotEqual("all", (string?)(await GetAsync(type, "another"))["w"]);
    }

    [Fact]
    public async Task Refusal_SaysWhy()
    {
        Assert.Equal((StatusCode.NotFound, "undefined: there is no active bucket type named nowhere"), await FailAsync("nowhere", "b", "{}"));
        Assert.Equal(StatusCode.NotFound, (await FailAsync("sleeping", "b", "{}")).Code);
        Assert.Equal((StatusCode.InvalidArgument, "the bucket must have 1 to 65535 bytes"), await FailAsync("siblings", "", "{}"));
        var (code, text) = await FailAsync("siblings", "b", """{"n_val":5}""");
        Assert.Equal(StatusCode.InvalidArgument, code);
        Assert.Contains("n_val", text, StringComparison.Ordinal);
        Assert.Equal(StatusCode.InvalidArgument, (await FailAsync("siblings", "b", "no json")).Code);
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => GetAsync("nowhere", "b"))).StatusCode);
    }

    private async Task<JsonNode> GetAsync(string type, string bucket)
    {
        var request = new GetBucketPropsRequest { BucketType = type, Bucket = ByteString.CopyFromUtf8(bucket) };
        return JsonNode.Parse((await client.GetBucketPropsAsync(request, cancellationToken: Cancel)).PropsJson)!;
    }

    private async Task<(StatusCode Code, string Text)> FailAsync(string type, string bucket, string props)
    {
        var request = new SetBucketPropsRequest { BucketType = type, Bucket = ByteString.CopyFromUtf8(bucket), PropsJson = props };
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.SetBucketPropsAsync(request, cancellationToken: Cancel));
        return (failure.StatusCode, failure.Status.Detail);
    }
}
