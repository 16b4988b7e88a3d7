using System.Security.Cryptography.X509Certificates;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Kv.Core.Security;
using Kv.Protos.Kv.V1;
using Kv.Wire.Native;
using Xunit;
using static Kv.Core.Security.SecurityChange;

namespace Kv.Wire.Tests.Access;

/// <summary>TLS, authentication and grants over gRPC.</summary>
public sealed class NativeSecurityTests(SecuredNode node) : IClassFixture<SecuredNode>
{
    private GrpcChannel Channel(string scheme = "https", X509Certificate2? certificate = null) =>
        GrpcChannel.ForAddress($"{scheme}://{node.Grpc}", new GrpcChannelOptions { HttpClient = SecuredNode.NewClient(certificate), DisposeHttpClient = true });

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static CallOptions Nobody => new(cancellationToken: Cancel);

    private static CallOptions As(string user) =>
        new(new Metadata { { "authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(user)) } }, cancellationToken: Cancel);

    private static Key KeyOf(string bucket) => new() { BucketType = "siblings", Bucket = ByteString.CopyFromUtf8(bucket), Key_ = ByteString.CopyFromUtf8("k") };

    private static async Task<Status> FailAsync<T>(AsyncUnaryCall<T> call) => (await Assert.ThrowsAsync<RpcException>(async () => await call)).Status;

    [Fact]
    public async Task WithoutTls_OrCredentials_ACallIsUnauthenticated()
    {
        using var plain = Channel("http");
        var status = await FailAsync(new Protos.Kv.V1.Kv.KvClient(plain).GetAsync(new GetRequest { Key = KeyOf("apples") }, As("ada:secret")));
        Assert.Equal((StatusCode.Unauthenticated, "security is enabled: connect by TLS"), (status.StatusCode, status.Detail));
        using var channel = Channel();
        var client = new Protos.Kv.V1.Kv.KvClient(channel);
        Assert.Equal(StatusCode.Unauthenticated, (await FailAsync(client.GetAsync(new GetRequest { Key = KeyOf("apples") }, Nobody))).StatusCode);
        Assert.Equal("Authentication failed", (await FailAsync(client.GetRingAsync(new GetRingRequest(), As("ada:wrong")))).Detail);
        using var session = client.Session(Nobody);
        Assert.Equal(StatusCode.Unauthenticated, (await Assert.ThrowsAsync<RpcException>(async () => await session.ResponseStream.MoveNext(Cancel))).StatusCode);
    }

    [Fact]
    public async Task AUser_DoesWhatItWasGranted_AndIsToldWhatNot()
    {
        using var channel = Channel();
        var client = new Protos.Kv.V1.Kv.KvClient(channel);
        var put = await client.PutAsync(new PutRequest { Key = KeyOf("apples"), Content = new Content { Value = ByteString.CopyFromUtf8("red") } }, As("ada:secret"));
        Assert.Null(put.Error);
        Assert.Equal("red", (await client.GetAsync(new GetRequest { Key = KeyOf("apples") }, As("ada:secret"))).Object.Siblings[0].Value.ToStringUtf8());
        var denied = await FailAsync(client.PutAsync(new PutRequest { Key = KeyOf("pears") }, As("ada:secret")));
        Assert.Equal((StatusCode.PermissionDenied, "Permission denied: User 'ada' does not have 'riak_kv.put' on siblings/pears"), (denied.StatusCode, denied.Detail));
        Assert.Equal(StatusCode.PermissionDenied, (await FailAsync(client.DeleteAsync(new DeleteRequest { Key = KeyOf("pears") }, As("ada:secret")))).StatusCode);
        Assert.Equal(StatusCode.PermissionDenied, (await FailAsync(client.FetchDataTypeAsync(new FetchDataTypeRequest { Key = KeyOf("pears") }, As("ada:secret")))).StatusCode);
        Assert.Equal(StatusCode.PermissionDenied, (await FailAsync(client.UpdateDataTypeAsync(new UpdateDataTypeRequest { Key = KeyOf("pears") }, As("ada:secret")))).StatusCode);
        var gets = new MultiGetRequest { Gets = { new GetRequest { Key = KeyOf("apples") }, new GetRequest { Key = KeyOf("pears") } } };
        Assert.Equal(StatusCode.PermissionDenied, (await FailAsync(client.MultiGetAsync(gets, As("ada:secret")))).StatusCode);
        Assert.Equal(StatusCode.PermissionDenied, (await FailAsync(client.ListBucketTypesAsync(new ListBucketTypesRequest(), As("ada:secret")))).StatusCode);
        var (apples, pears) = (ByteString.CopyFromUtf8("apples"), ByteString.CopyFromUtf8("pears"));
        Assert.NotEmpty((await client.GetBucketPropsAsync(new GetBucketPropsRequest { BucketType = "siblings", Bucket = apples }, As("ada:secret"))).PropsJson);
        Assert.Equal(StatusCode.PermissionDenied, (await FailAsync(client.GetBucketPropsAsync(new GetBucketPropsRequest { BucketType = "siblings", Bucket = pears }, As("ada:secret")))).StatusCode);
        var set = new SetBucketPropsRequest { BucketType = "siblings", Bucket = apples, PropsJson = "{}" };
        Assert.Equal("Permission denied: User 'ada' does not have 'riak_core.set_bucket' on siblings/apples", (await FailAsync(client.SetBucketPropsAsync(set, As("ada:secret")))).Detail);
        Assert.NotEmpty((await client.GetRingAsync(new GetRingRequest(), As("ada:secret"))).Nodes);
        using var keys = client.ListKeys(new ListKeysRequest { BucketType = "siblings", Bucket = ByteString.CopyFromUtf8("pears") }, As("ada:secret"));
        Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(async () => await keys.ResponseStream.MoveNext(Cancel))).StatusCode);
    }

    [Fact]
    public async Task ASessionsRequests_AreCheckedOneByOne()
    {
        using var channel = Channel();
        using var session = new Protos.Kv.V1.Kv.KvClient(channel).Session(As("ada:secret"));
        Assert.Null((await AskAsync(session, 1, KeyOf("apples"))).Get.Error);
        var denied = (await AskAsync(session, 2, KeyOf("pears"))).Get.Error;
        Assert.Equal((Error.Types.Code.PermissionDenied, "Permission denied: User 'ada' does not have 'riak_kv.get' on siblings/pears"), (denied.Code, denied.Message));
        await node.ChangeAsync(new Grant(Permissions.Get, GrantScope.OfType("siblings"), ["ada"]));
        Assert.Null((await AskAsync(session, 3, KeyOf("pears"))).Get.Error);
        await node.ChangeAsync(new Revoke(Permissions.Get, GrantScope.OfType("siblings"), ["ada"]));
        Assert.NotNull((await AskAsync(session, 4, KeyOf("pears"))).Get.Error);
        await session.RequestStream.CompleteAsync();
    }

    [Fact]
    public async Task ASessionFromBeforeSecurity_IsEnded_SoThatItsClientBeginsAnother()
    {
        await using var own = new SecuredNode();
        await own.InitializeAsync();
        await own.ChangeAsync(new Enable(false));
        using var channel = GrpcChannel.ForAddress($"http://{own.Grpc}");
        using var session = new Protos.Kv.V1.Kv.KvClient(channel).Session(Nobody);
        Assert.Null((await AskAsync(session, 1, KeyOf("apples"))).Get.Error);
        await own.ChangeAsync(new Enable(true));
        await session.RequestStream.WriteAsync(new SessionRequests { Requests = { new SessionRequest { Id = 2, Get = new GetRequest { Key = KeyOf("apples") } } } }, Cancel);
        Assert.Equal(StatusCode.Unauthenticated, (await Assert.ThrowsAsync<RpcException>(async () => await session.ResponseStream.MoveNext(Cancel))).StatusCode);
    }

    [Fact]
    public void EveryMethodsRequest_HasAPermission()
    {
        var methods = Protos.Kv.V1.Kv.Descriptor.Methods;
        Assert.NotEmpty(methods);
        Assert.All(methods.Where(method => method.InputType != MultiGetRequest.Descriptor && method.InputType != SessionRequests.Descriptor), method =>
        {
            Assert.False(method.IsClientStreaming);
            NativeAccess.Needed(method.InputType.Parser.ParseFrom(ByteString.Empty));
        });
    }

    [Fact]
    public async Task AClientCertificate_ShowsWhoItIs()
    {
        using var certificate = node.IssueClient("cert");
        using var channel = Channel(certificate: certificate);
        Assert.Null((await new Protos.Kv.V1.Kv.KvClient(channel).GetAsync(new GetRequest { Key = KeyOf("anything") }, Nobody)).Error);
    }

    private static async Task<SessionResponse> AskAsync(AsyncDuplexStreamingCall<SessionRequests, SessionResponses> session, ulong id, Key key)
    {
        await session.RequestStream.WriteAsync(new SessionRequests { Requests = { new SessionRequest { Id = id, Get = new GetRequest { Key = key } } } }, Cancel);
        Assert.True(await session.ResponseStream.MoveNext(Cancel));
        var answer = Assert.Single(session.ResponseStream.Current.Responses);
        Assert.Equal(id, answer.Id);
        return answer;
    }
}
