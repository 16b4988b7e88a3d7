using System.Collections.Immutable;
using System.Security.Authentication;
using Google.Protobuf;
using Kv.Core.Security;
using Kv.Protos.Riak;
using Kv.Wire.Tests.Riak.Pb;
using Xunit;
using static Kv.Core.Security.SecurityChange;

namespace Kv.Wire.Tests.Access;

/// <summary>TLS, authentication and grants over Riak's Protocol Buffers.</summary>
public sealed class PbSecurityTests(SecuredNode node) : IClassFixture<SecuredNode>
{
    private const int Ping = 1;
    private const int Get = 9;
    private const int Put = 11;
    private const int Auth = 253;

    private static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);

    private static RpbGetReq GetOf(string bucket, string key = "k") => new() { Type = Bytes("siblings"), Bucket = Bytes(bucket), Key = Bytes(key) };

    private static RpbAuthReq As(string user, string password = "") => new() { User = Bytes(user), Password = Bytes(password) };

    private async Task<PbClient> ConnectAsAsync(string user, string password = "")
    {
        var client = await node.ConnectPbAsync();
        await client.StartTlsAsync();
        Assert.Equal(254, (await client.AskAsync(Auth, As(user, password))).Code);
        return client;
    }

    [Fact]
    public async Task APlainConnection_IsToldToStartTls_AndGoesOn()
    {
        using var client = await node.ConnectPbAsync();
        Assert.Equal("Security is enabled, please STARTTLS first", await client.FailAsync(Ping));
        Assert.Equal("Security is enabled, please STARTTLS first", await client.FailAsync(Auth, As("ada", "secret")));
        await client.StartTlsAsync();
        Assert.Equal("Security is enabled, please authenticate first", await client.FailAsync(Ping));
        Assert.Equal("STARTTLS is done already", await client.FailAsync(255));
    }

    [Fact]
    public async Task ALongFrame_OfAClientThatIsNobody_TakesNoMemory_AndEndsTheConnection()
    {
        using var plain = await node.ConnectPbAsync();
        await plain.SendAsync([0, 0, 0x20, 0, Put]);
        Assert.NotNull(await plain.ReadAsync());
        Assert.Null(await plain.ReadAsync());
        using var secured = await node.ConnectPbAsync();
        await secured.StartTlsAsync();
        await secured.SendAsync([0, 0, 0x20, 0, Put]);
        Assert.NotNull(await secured.ReadAsync());
        Assert.Null(await secured.ReadAsync());
    }

    [Fact]
    public async Task AUser_DoesWhatItWasGranted_AndIsToldWhatNot()
    {
        using var client = await ConnectAsAsync("Ada", "secret");
        var put = new RpbPutReq { Type = Bytes("siblings"), Bucket = Bytes("apples"), Key = Bytes("k"), Content = new RpbContent { Value = Bytes("red") } };
        Assert.Equal(12, (await client.AskAsync(Put, put)).Code);
        Assert.Equal("red", (await client.AskAsync(Get, GetOf("apples"), 10, RpbGetResp.Parser)).Content[0].Value.ToStringUtf8());
        Assert.Equal("Permission denied: User 'ada' does not have 'riak_kv.get' on siblings/pears", await client.FailAsync(Get, GetOf("pears")));
        put.Bucket = Bytes("pears");
        Assert.Equal("Permission denied: User 'ada' does not have 'riak_kv.put' on siblings/pears", await client.FailAsync(Put, put));
        Assert.Equal("Permission denied: User 'ada' does not have 'riak_kv.get' on default/apples", await client.FailAsync(Get, new RpbGetReq { Bucket = Bytes("apples"), Key = Bytes("k") }));
        Assert.Equal(2, (await client.AskAsync(Ping)).Code);
    }

    /// <summary>Every message that names a bucket or a type is refused to one who was granted nothing; what names none is not.</summary>
    [Fact]
    public async Task EachMessage_NeedsItsPermission()
    {
        using var client = await ConnectAsAsync("poor", "secret");
        var (bucket, type, key) = (Bytes("b"), Bytes("siblings"), Bytes("k"));
        foreach (var (code, message, permission, scope) in new (int, IMessage, string, string)[]
                 {
                     (9, new RpbGetReq { Bucket = bucket, Key = key }, "riak_kv.get", "default/b"),
                     (11, new RpbPutReq { Type = type, Bucket = bucket, Key = key, Content = new RpbContent { Value = key } }, "riak_kv.put", "siblings/b"),
                     (13, new RpbDelReq { Type = type, Bucket = bucket, Key = key }, "riak_kv.delete", "siblings/b"),
                     (15, new RpbListBucketsReq { Type = type }, "riak_kv.list_buckets", "siblings"),
                     (15, new RpbListBucketsReq(), "riak_kv.list_buckets", "default"),
                     (25, new RpbIndexReq { Type = type, Bucket = bucket, Index = Bytes("$bucket"), Qtype = RpbIndexReq.Types.IndexQueryType.Eq }, "riak_kv.index", "siblings/b"),
                     (17, new RpbListKeysReq { Type = type, Bucket = bucket }, "riak_kv.list_keys", "siblings/b"),
                     (19, new RpbGetBucketReq { Bucket = bucket }, "riak_core.get_bucket", "default/b"),
                     (21, new RpbSetBucketReq { Bucket = bucket, Props = new RpbBucketProps() }, "riak_core.set_bucket", "default/b"),
                     (29, new RpbResetBucketReq { Bucket = bucket }, "riak_core.set_bucket", "default/b"),
                     (31, new RpbGetBucketTypeReq { Type = type }, "riak_core.get_bucket_type", "siblings"),
                     (32, new RpbSetBucketTypeReq { Type = type, Props = new RpbBucketProps() }, "riak_core.set_bucket_type", "siblings"),
                     (33, new RpbGetBucketKeyPreflistReq { Type = type, Bucket = bucket, Key = key }, "riak_kv.get_preflist", "siblings/b"),
                     (50, new RpbCounterUpdateReq { Bucket = bucket, Key = key, Amount = 1 }, "riak_kv.put", "default/b"),
                     (52, new RpbCounterGetReq { Bucket = bucket, Key = key }, "riak_kv.get", "default/b"),
                     (80, new DtFetchReq { Type = Bytes("sets"), Bucket = bucket, Key = key }, "riak_kv.get", "sets/b"),
                     (82, new DtUpdateReq { Type = Bytes("sets"), Bucket = bucket, Key = key, Op = new DtOp() }, "riak_kv.put", "sets/b"),
                 })
        {
            Assert.Equal($"Permission denied: User 'poor' does not have '{permission}' on {scope}", await client.FailAsync(code, message));
        }

        Assert.Equal(2, (await client.AskAsync(Ping)).Code);
        Assert.Equal(8, (await client.AskAsync(7)).Code);
        Assert.Equal("Unknown message code: 90", await client.FailAsync(90));
    }

    [Fact]
    public async Task AfterThreeWrongPasswords_TheConnectionEnds()
    {
        using var client = await node.ConnectPbAsync();
        await client.StartTlsAsync();
        Assert.Equal("Authentication failed", await client.FailAsync(Auth, As("ada", "guess")));
        Assert.Equal("Authentication failed", await client.FailAsync(Auth, As("nobody", "guess")));
        Assert.Equal("Authentication failed", await client.FailAsync(Auth, As("ada")));
        Assert.Null(await client.ReadAsync());
    }

    [Fact]
    public async Task AClientCertificate_ShowsWhoItIs_ByItsCommonName()
    {
        using var certificate = node.IssueClient("cert");
        using var client = await node.ConnectPbAsync();
        await client.StartTlsAsync(certificate);
        Assert.Equal("Authentication failed", await client.FailAsync(Auth, As("ada", "wrong")));
        Assert.Equal(254, (await client.AskAsync(Auth, As("cert"))).Code);
        Assert.Equal(10, (await client.AskAsync(Get, GetOf("anything"))).Code);
        using var other = node.IssueClient("somebody");
        using var stranger = await node.ConnectPbAsync();
        await stranger.StartTlsAsync(other);
        Assert.Equal("Authentication failed", await stranger.FailAsync(Auth, As("cert")));
    }

    [Fact]
    public async Task ACertificateOfAnotherAuthority_IsNotTaken()
    {
        using var elsewhere = new TestAuthority("elsewhere");
        using var certificate = elsewhere.IssueClient("cert");
        using var client = await node.ConnectPbAsync();
        var failed = await Record.ExceptionAsync(async () =>
        {
            await client.StartTlsAsync(certificate);
            Assert.Null(await client.ReadAsync());
        });
        Assert.True(failed is null or AuthenticationException or IOException, failed?.ToString());
    }

    [Fact]
    public async Task BytesSentInTheOpenAfterStartTls_AreNoRequest()
    {
        using var client = await node.ConnectPbAsync();
        await client.SendAsync([.. PbClient.Frame(255), .. PbClient.Frame(Ping)]);
        Assert.Equal(255, (await client.ReadAsync())!.Value.Code);
        Assert.Null(await client.ReadAsync());
    }

    [Fact]
    public async Task ARevokedGrant_AndADeletedUser_HoldAtOnce()
    {
        await node.ChangeAsync(new AddUser("eve", new RoleSettings()), new Grant(Permissions.Get, SecuredNode.Apples, ["eve"]), new AddSource(["eve"], Loopback, SourceKind.Trust, ImmutableSortedDictionary<string, string>.Empty));
        using var client = await ConnectAsAsync("eve");
        Assert.Equal(10, (await client.AskAsync(Get, GetOf("apples"))).Code);
        await node.ChangeAsync(new Revoke(Permissions.Get, SecuredNode.Apples, ["eve"]));
        Assert.Contains("riak_kv.get", await client.FailAsync(Get, GetOf("apples")), StringComparison.Ordinal);
        await node.ChangeAsync(new Grant(Permissions.Get, SecuredNode.Apples, ["eve"]));
        Assert.Equal(10, (await client.AskAsync(Get, GetOf("apples"))).Code);
        await node.ChangeAsync(new DeleteUser("eve"));
        Assert.Equal("Security is enabled, please authenticate first", await client.FailAsync(Get, GetOf("apples")));
    }

    [Fact]
    public async Task ALogin_HoldsForAsLongAsItsMeans()
    {
        await using var own = new SecuredNode();
        await own.InitializeAsync();
        using var client = await own.ConnectPbAsync();
        await client.StartTlsAsync();
        Assert.Equal(254, (await client.AskAsync(Auth, As("ada", "secret"))).Code);
        Assert.Equal(10, (await client.AskAsync(Get, GetOf("apples"))).Code);
        await own.ChangeAsync(new AlterUser("ada", new RoleSettings { Password = PasswordHash.Derive("another", new byte[PasswordHash.SaltBytes], iterations: 10) }));
        Assert.Equal("Security is enabled, please authenticate first", await client.FailAsync(Get, GetOf("apples")));
        Assert.Equal(254, (await client.AskAsync(Auth, As("ada", "another"))).Code);
        Assert.Equal(10, (await client.AskAsync(Get, GetOf("apples"))).Code);
        await own.ChangeAsync(new AddSource(["ada"], Loopback, SourceKind.Certificate, ImmutableSortedDictionary<string, string>.Empty));
        Assert.Equal("Security is enabled, please authenticate first", await client.FailAsync(Get, GetOf("apples")));
    }

    private static CidrBlock Loopback => CidrBlock.TryParse("127.0.0.0/8", out var block) ? block : default;
}
