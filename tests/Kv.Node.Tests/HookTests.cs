using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Kv.Protos.Kv.V1;
using Kv.Protos.Riak;
using Kv.Wire.Hooks;
using Kv.Wire.Tests.Hooks;
using Kv.Wire.Tests.Riak.Pb;
using Xunit;

namespace Kv.Node.Tests;

/// <summary>Commit hooks of a whole node, over every protocol: bucket `hooked` of the default type asks `check` and `lenient`, and tells `tell`.</summary>
public sealed class HookTests : IAsyncLifetime
{
    private const string Props = """{"props":{"precommit":[{"name":"check"},{"name":"lenient"}],"postcommit":[{"name":"tell"}]}}""";

    private readonly HttpClient http = new();
    private HookServer hook = null!;
    private TestNode node = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        hook = await HookServer.StartAsync();
        Assert.True(HookEndpoint.TryParse($"check={hook.Address}check,lenient:ignore={hook.Address}lenient,tell={hook.Address}tell", out var endpoints, out _));
        var options = new HookOptions { Endpoints = endpoints, Timeout = TimeSpan.FromSeconds(1) };
        node = await TestNode.StartAsync(TestNode.Options("one") with { Hooks = options }, Cancel);
        await TestCluster.FormAsync(node.Admin, [], Cancel);
        Assert.Equal((204, ""), await SendAsync(HttpMethod.Put, "/buckets/hooked/props", Props, "application/json"));
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        await hook.DisposeAsync();
        http.Dispose();
    }

    [Fact]
    public async Task Refusal_HasTheHooksWords_InEachTongue()
    {
        hook.Answer = static (http, body) => HookServer.Send(http, 403, body.Contains("quiet", StringComparison.Ordinal) ? "" : "say \"please\"");
        Assert.Equal((403, "say \"please\""), await SendAsync(HttpMethod.Put, "/buckets/hooked/keys/k", "v"));
        Assert.Equal((403, "PUT aborted by pre-commit hook."), await SendAsync(HttpMethod.Put, "/buckets/hooked/keys/k", "quiet"));
        Assert.Equal((403, "POST aborted by pre-commit hook."), await SendAsync(HttpMethod.Post, "/buckets/hooked/keys", "quiet"));

        using var pb = await PbAsync();
        Assert.Equal("{precommit_fail,<<\"say \\\"please\\\"\">>}", await pb.FailAsync(11, PbPut("v")));
        Assert.Equal("precommit_fail", await pb.FailAsync(11, PbPut("quiet")));

        var put = new PutRequest { Key = Key, Content = new Content { Value = ByteString.CopyFromUtf8("v") } };
        var error = (await node.Kv.PutAsync(put, cancellationToken: Cancel)).Error;
        Assert.Equal((Error.Types.Code.PrecommitFailed, "say \"please\"", false, false), (error.Code, error.Message, error.Retryable, error.Indeterminate));
        Assert.Equal((404, "not found\n"), await SendAsync(HttpMethod.Get, "/buckets/hooked/keys/k"));
    }

    [Fact]
    public async Task Delete_CanBeRefused_InEachTongue()
    {
        Assert.Equal((204, ""), await SendAsync(HttpMethod.Put, "/buckets/hooked/keys/k", "v"));
        hook.Answer = static (http, body) => HookServer.Send(http, body.Contains("\"X-Riak-Deleted\":\"true\"", StringComparison.Ordinal) ? 403 : 204);
        Assert.Equal((403, "DELETE aborted by pre-commit hook."), await SendAsync(HttpMethod.Delete, "/buckets/hooked/keys/k"));
        using var pb = await PbAsync();
        Assert.Equal("precommit_fail", await pb.FailAsync(13, new RpbDelReq { Bucket = ByteString.CopyFromUtf8("hooked"), Key = ByteString.CopyFromUtf8("k") }));
        var error = (await node.Kv.DeleteAsync(new DeleteRequest { Key = Key }, cancellationToken: Cancel)).Error;
        Assert.Equal((Error.Types.Code.PrecommitFailed, "refused by a precommit hook"), (error.Code, error.Message));
        Assert.Equal((200, "v"), await SendAsync(HttpMethod.Get, "/buckets/hooked/keys/k"));
    }

    /// <summary>A hook that changes what it was shown and sends it back, as Riak's hooks in JavaScript did.</summary>
    [Fact]
    public async Task Hook_MayReplaceValueAndMetadata()
    {
        hook.Answer = static (http, body) =>
        {
            if (!http.Request.Path.StartsWithSegments("/check"))
            {
                return HookServer.Send(http, 204);
            }

            var shown = JsonNode.Parse(body)!;
            shown["values"]![0]!["data"] = shown["values"]![0]!["data"]!.GetValue<string>().ToUpperInvariant();
            shown["values"]![0]!["metadata"]!["X-Riak-Meta"]!["checked"] = "yes";
            return HookServer.Send(http, 200, shown.ToJsonString());
        };
        Assert.Equal((200, "HELLO"), await SendAsync(HttpMethod.Put, "/buckets/hooked/keys/k?returnbody=true", "hello"));
        using var response = await http.GetAsync(At("/buckets/hooked/keys/k"), Cancel);
        Assert.Equal("yes", response.Headers.GetValues("X-Riak-Meta-checked").Single());
        Assert.Equal("text/plain", response.Content.Headers.ContentType!.MediaType);
        using var pb = await PbAsync();
        await pb.AskAsync(11, PbPut("again"), 12, RpbPutResp.Parser);
        Assert.Equal((200, "AGAIN"), await SendAsync(HttpMethod.Get, "/buckets/hooked/keys/k"));
    }

    [Fact]
    public async Task Hook_ThatFails_IsFollowedByItsPolicy()
    {
        hook.Answer = static (http, _) => http.Request.Path.StartsWithSegments("/lenient") ? HookServer.Send(http, 500) : HookServer.Send(http, 204);
        Assert.Equal((204, ""), await SendAsync(HttpMethod.Put, "/buckets/hooked/keys/k", "v"));

        hook.Answer = static (http, _) => http.Request.Path.StartsWithSegments("/check") ? Task.Delay(Timeout.InfiniteTimeSpan, http.RequestAborted) : HookServer.Send(http, 204);
        Assert.Equal((403, "the precommit hook check did not answer in 1000 ms"), await SendAsync(HttpMethod.Put, "/buckets/hooked/keys/k", "w"));
        using var pb = await PbAsync();
        Assert.Equal("{precommit_fail,<<\"the precommit hook check did not answer in 1000 ms\">>}", await pb.FailAsync(11, PbPut("w")));
        var put = new PutRequest { Key = Key, Content = new Content { Value = ByteString.CopyFromUtf8("w") } };
        Assert.True((await node.Kv.PutAsync(put, cancellationToken: Cancel)).Error is { Code: Error.Types.Code.PrecommitFailed, Retryable: true });
        Assert.Equal((200, "v"), await SendAsync(HttpMethod.Get, "/buckets/hooked/keys/k"));
        Assert.Equal((204, ""), await SendAsync(HttpMethod.Put, "/buckets/hooked/props", """{"props":{"precommit":[{"name":"nosuch"}]}}""", "application/json"));
        Assert.Equal(
            (403, "there is no hook named nosuch: the node's setting `hooks` does not give it an address"), await SendAsync(HttpMethod.Put, "/buckets/hooked/keys/k", "w"));
        Assert.Equal((204, ""), await SendAsync(HttpMethod.Delete, "/buckets/hooked/props"));
        Assert.Equal((204, ""), await SendAsync(HttpMethod.Put, "/buckets/hooked/keys/k", "w"));
    }

    [Fact]
    public async Task Postcommit_IsToldOfWritesAndDeletes_AsTheyAreStored_AndFailuresAreCounted()
    {
        Assert.Equal((204, ""), await SendAsync(HttpMethod.Put, "/buckets/hooked/keys/k", "v"));
        var put = await ToldAsync(1);
        Assert.Equal(("default", "hooked", "k", "v"), ((string?)put["bucket_type"], (string?)put["bucket"], (string?)put["key"], (string?)put["values"]![0]!["data"]));
        using (var stored = await http.GetAsync(At("/buckets/hooked/keys/k"), Cancel))
        {
            Assert.Equal(stored.Headers.GetValues("X-Riak-Vclock").Single(), (string?)put["vclock"]);
            Assert.Equal(stored.Headers.ETag!.Tag.Trim('"'), (string?)put["values"]![0]!["metadata"]!["X-Riak-VTag"]);
        }

        Assert.Equal((204, ""), await SendAsync(HttpMethod.Delete, "/buckets/hooked/keys/k"));
        Assert.Equal("true", (string?)(await ToldAsync(2))["values"]![0]!["metadata"]!["X-Riak-Deleted"]);

        hook.Answer = static (http, _) => HookServer.Send(http, http.Request.Path.StartsWithSegments("/tell") ? 400 : 204);
        Assert.Equal((204, ""), await SendAsync(HttpMethod.Put, "/buckets/hooked/keys/k", "w"));
        await TestCluster.UntilAsync(async () => (long)(await StatsAsync())["postcommit_fail"]! == 1, Cancel);
        hook.Answer = static (http, _) => HookServer.Send(http, 403);
        Assert.Equal(403, (await SendAsync(HttpMethod.Put, "/buckets/hooked/keys/k", "x")).Status);
        Assert.Equal(1, (long)(await StatsAsync())["precommit_fail"]!);
    }

    [Fact]
    public async Task Props_OverProtocolBuffers_NameHooks()
    {
        using var pb = await PbAsync();
        var bucket = ByteString.CopyFromUtf8("hooked");
        var props = (await pb.AskAsync(19, new RpbGetBucketReq { Bucket = bucket }, 20, RpbGetBucketResp.Parser)).Props;
        Assert.Equal(["check", "lenient"], props.Precommit.Select(named => named.Name.ToStringUtf8()));
        Assert.Equal("tell", Assert.Single(props.Postcommit).Name.ToStringUtf8());
        var change = new RpbBucketProps { HasPrecommit = true, HasPostcommit = true };
        change.Postcommit.Add(new RpbCommitHook { Name = ByteString.CopyFromUtf8("check") });
        await pb.AskAsync(21, new RpbSetBucketReq { Bucket = bucket, Props = change });
        props = (await pb.AskAsync(19, new RpbGetBucketReq { Bucket = bucket }, 20, RpbGetBucketResp.Parser)).Props;
        Assert.Empty(props.Precommit);
        Assert.Equal("check", Assert.Single(props.Postcommit).Name.ToStringUtf8());
    }

    private static Key Key => new() { Bucket = ByteString.CopyFromUtf8("hooked"), Key_ = ByteString.CopyFromUtf8("k") };

    private static RpbPutReq PbPut(string value) => new()
    {
        Bucket = ByteString.CopyFromUtf8("hooked"),
        Key = ByteString.CopyFromUtf8("k"),
        Content = new RpbContent { Value = ByteString.CopyFromUtf8(value) },
    };

    private Uri At(string path) => new($"http://{node.Endpoint("riak-http")}{path}");

    private Task<PbClient> PbAsync() => PbClient.ConnectAsync(IPEndPoint.Parse(node.Endpoint("riak-pb")));

    private async Task<(int Status, string Text)> SendAsync(HttpMethod method, string path, string? body = null, string mediaType = "text/plain")
    {
        using var request = new HttpRequestMessage(method, At(path));
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, mediaType);
        using var response = await http.SendAsync(request, Cancel);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(Cancel));
    }

    private async Task<JsonNode> ToldAsync(int count)
    {
        IEnumerable<string> Told() => hook.Seen.Where(seen => seen.Path == "/tell").Select(seen => seen.Body);
        await TestCluster.UntilAsync(() => Task.FromResult(Told().Count() == count), Cancel);
        return JsonNode.Parse(Told().Last())!;
    }

    private async Task<JsonNode> StatsAsync() => JsonNode.Parse(await http.GetStringAsync(At("/stats"), Cancel))!;
}
