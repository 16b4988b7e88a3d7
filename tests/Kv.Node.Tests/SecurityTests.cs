using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Kv.Client;
using Kv.Core.Objects;
using Kv.Protos.Admin.V1;
using Kv.Wire.Tests.Access;
using Xunit;

namespace Kv.Node.Tests;

/// <summary>Rings whose nodes speak TLS to each other and to clients, and ask clients who they are.</summary>
public sealed class SecurityTests : IDisposable
{
    private readonly TestAuthority authority = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public SecurityTests() => authority.IssueServer();

    public void Dispose() => authority.Dispose();

    private static NodeOptions With(TestAuthority authority, string name, PeerTls peerTls) => TestNode.Options(name) with
    {
        TlsCertificateFile = authority.Files.Certificate,
        TlsKeyFile = authority.Files.Key,
        TlsPeerAuthoritiesFile = authority.AuthorityFile,
        PeerTls = peerTls,
    };

    private static KvClientOptions ClientOf(TestNode node, KvCredentials? credentials) => new()
    {
        Seeds = [node.Endpoint("grpc")],
        Tls = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, shown, _, _) => shown is not null },
        Credentials = credentials,
    };

    [Fact]
    public async Task ARingWithTlsBetweenItsNodes_TakesAUserOnEachOfThem_AndNobodyElse()
    {
        await using var first = await TestNode.StartAsync(With(authority, "node1", PeerTls.Required), Cancel);
        await using var second = await TestNode.StartAsync(With(authority, "node2", PeerTls.Required), Cancel);
        await using var third = await TestNode.StartAsync(With(authority, "node3", PeerTls.On), Cancel);
        await TestCluster.FormAsync(first.Admin, [second.Endpoint("peer"), third.Endpoint("peer")], Cancel);
        var key = new ObjectKey("default", "greetings", "first");
        await using var early = await KvClusterClient.ConnectAsync(ClientOf(second, new KvCredentials("ada", "secret")), Cancel);
        await early.PutAsync(key, new KvValue("before"u8.ToArray()), cancel: Cancel);
        foreach (var change in new[]
                 {
                     new ChangeSecurityRequest { AddUser = new RoleChange { Name = "ada", Password = "secret" } },
                     new ChangeSecurityRequest { AddSource = new SourceChange { Users = { "all" }, Network = "127.0.0.0/8", Kind = "password" } },
                     new ChangeSecurityRequest { Grant = new GrantChange { Permissions = { "riak_kv.get", "riak_kv.put" }, BucketType = "default", Roles = { "ada" } } },
                     new ChangeSecurityRequest { Enable = true },
                 })
        {
            await second.Admin.ChangeSecurityAsync(change, cancellationToken: Cancel);
        }

        foreach (var node in new[] { first, second, third })
        {
            await TestCluster.UntilAsync(async () => (await node.Admin.GetSecurityAsync(new GetSecurityRequest(), cancellationToken: Cancel)).Enabled, Cancel);
            await using var client = await KvClusterClient.ConnectAsync(ClientOf(node, new KvCredentials("ada", "secret")), Cancel);
            await client.PutAsync(key, new KvValue("hello"u8.ToArray()), cancel: Cancel);
            Assert.IsType<GetResult.Found>(await client.GetAsync(key, cancel: Cancel));
            var denied = await Assert.ThrowsAsync<KvException>(async () => await client.DeleteAsync(key, cancel: Cancel));
            Assert.Equal((KvErrorCode.PermissionDenied, "Permission denied: User 'ada' does not have 'riak_kv.delete' on default/greetings"), (denied.Code, denied.Message));
        }

        // Its sessions are from before security was on: they end, and those that it begins in their place say who it is.
        await TestCluster.UntilAsync(
            async () =>
            {
                try
                {
                    return await early.GetAsync(key, cancel: Cancel) is GetResult.Found;
                }
                catch (KvException e) when (e.Code == KvErrorCode.Unavailable)
                {
                    return false;
                }
            },
            Cancel);

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var refused = await Assert.ThrowsAsync<KvException>(() => KvClusterClient.ConnectAsync(ClientOf(first, new KvCredentials("ada", "guess")) with { Timeout = TimeSpan.FromSeconds(2) }, limit.Token));
        Assert.Contains("Authentication failed", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ANode_TellsUntilWhenItsCertificateIsGood_WhereItHasOne()
    {
        await using var with = await TestNode.StartAsync(With(authority, "node1", PeerTls.On), Cancel);
        await using var without = await TestNode.StartAsync(TestNode.Options("node2"), Cancel);
        var told = await with.Admin.GetNodeAsync(new GetNodeRequest(), cancellationToken: Cancel);
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(authority.Files.Certificate);
        Assert.Equal(
            (new DateTimeOffset(certificate.NotBefore).ToUnixTimeSeconds(), new DateTimeOffset(certificate.NotAfter).ToUnixTimeSeconds()),
            (told.CertificateNotBefore, told.CertificateNotAfter));
        var nothing = await without.Admin.GetNodeAsync(new GetNodeRequest(), cancellationToken: Cancel);
        Assert.Equal((0, 0), (nothing.CertificateNotBefore, nothing.CertificateNotAfter));
    }

    /// <summary>The steps of a roll from open connections to TLS alone, each beside the next: null has no certificates yet.</summary>
    public static TheoryData<PeerTls?, PeerTls?> StepsOfARoll => new()
    {
        { null, PeerTls.Off }, { PeerTls.Off, null }, { PeerTls.Off, PeerTls.On }, { PeerTls.On, PeerTls.Off }, { PeerTls.On, PeerTls.Required }, { PeerTls.Required, PeerTls.On },
    };

    [Theory]
    [MemberData(nameof(StepsOfARoll))]
    public async Task NodesOfAdjacentStepsOfARoll_AreOneRing(PeerTls? asked, PeerTls? joining)
    {
        await using var first = await TestNode.StartAsync(asked is { } a ? With(authority, "node1", a) : TestNode.Options("node1"), Cancel);
        await using var second = await TestNode.StartAsync(joining is { } b ? With(authority, "node2", b) : TestNode.Options("node2"), Cancel);
        await TestCluster.FormAsync(first.Admin, [second.Endpoint("peer")], Cancel);
        await TestCluster.UntilAsync(
            async () => (await second.Admin.GetClusterAsync(new GetClusterRequest(), cancellationToken: Cancel)).Members.All(member => member.Up), Cancel);
    }

    [Fact]
    public async Task WhereTlsIsRequired_ANodeOfAnotherAuthority_OrInTheOpen_IsNoPeer()
    {
        using var elsewhere = new TestAuthority("elsewhere");
        elsewhere.IssueServer();
        await using var node = await TestNode.StartAsync(With(authority, "node1", PeerTls.Required), Cancel);
        await using var stranger = await TestNode.StartAsync(With(elsewhere, "node2", PeerTls.Required), Cancel);
        await using var plain = await TestNode.StartAsync("node3", Cancel);
        await node.Admin.CreateClusterAsync(new CreateClusterRequest { ClusterName = "test", RingSize = 8 }, cancellationToken: Cancel);
        await plain.Admin.CreateClusterAsync(new CreateClusterRequest { ClusterName = "other", RingSize = 8 }, cancellationToken: Cancel);
        foreach (var (asked, address) in new[] { (node, stranger.Endpoint("peer")), (node, plain.Endpoint("peer")), (plain, stranger.Endpoint("peer")) })
        {
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await asked.Admin.StageJoinAsync(new StageJoinRequest { PeerAddresses = { address } }, cancellationToken: Cancel));
            Assert.StartsWith("not_reachable", refused.Status.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ANodeWithoutACertificate_DoesNotTurnSecurityOn()
    {
        await using var node = await TestNode.StartAsync("node1", Cancel);
        await node.Admin.CreateClusterAsync(new CreateClusterRequest { ClusterName = "test", RingSize = 8 }, cancellationToken: Cancel);
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await node.Admin.ChangeSecurityAsync(new ChangeSecurityRequest { Enable = true }, cancellationToken: Cancel));
        Assert.StartsWith("no_certificate", refused.Status.Detail, StringComparison.Ordinal);
    }

    /// <summary>Requests, and the beginning of the refusal.</summary>
    public static TheoryData<string, StatusCode, string> BadChanges => new()
    {
        { "{}", StatusCode.InvalidArgument, "no_change" },
        { """{"addUser":{"name":""}}""", StatusCode.InvalidArgument, "illegal_name_char: Illegal character(s) in name" },
        { """{"addUser":{"name":"all"}}""", StatusCode.InvalidArgument, "reserved_name: This name is reserved for system use" },
        { """{"addUser":{"name":"ada","password":""}}""", StatusCode.InvalidArgument, "invalid_option: a password has 1 to 1024 bytes" },
        { """{"addUser":{"name":"ada","groups":{"names":["staff"]}}}""", StatusCode.NotFound, "unknown_groups: Group(s) not recognized: staff" },
        { """{"alterUser":{"name":"eve"}}""", StatusCode.NotFound, "unknown_user: User not recognized: eve" },
        { """{"deleteUser":"eve"}""", StatusCode.NotFound, "unknown_user: User not recognized: eve" },
        { """{"addGroup":{"name":"staff","password":"x"}}""", StatusCode.InvalidArgument, "invalid_option: a group has no password" },
        { """{"deleteGroup":"staff"}""", StatusCode.NotFound, "unknown_group: Group not recognized: staff" },
        { """{"addSource":{"users":["all"],"network":"10.0.0.0","kind":"trust"}}""", StatusCode.InvalidArgument, "invalid_source" },
        { """{"addSource":{"users":["all"],"network":"10.0.0.0/8","kind":"pam"}}""", StatusCode.InvalidArgument, "invalid_source: a source is trust, password or certificate" },
        { """{"addSource":{"users":["eve"],"network":"10.0.0.0/8","kind":"trust"}}""", StatusCode.NotFound, "unknown_users: User(s) not recognized: eve" },
        { """{"grant":{"permissions":["riak_kv.fly"],"roles":["all"]}}""", StatusCode.InvalidArgument, "unknown_permission: Permission not recognized: riak_kv.fly" },
        { """{"grant":{"roles":["all"]}}""", StatusCode.InvalidArgument, "unknown_permission" },
        { """{"grant":{"permissions":["riak_kv.get"],"bucket":"YQ==","roles":["all"]}}""", StatusCode.InvalidArgument, "invalid_scope" },
        { """{"grant":{"permissions":["riak_kv.get"],"roles":["eve"]}}""", StatusCode.NotFound, "unknown_roles: Name(s) not recognized: eve" },
        { """{"revoke":{"permissions":["riak_kv.get"]}}""", StatusCode.NotFound, "unknown_roles" },
    };

    [Fact]
    public async Task BadChanges_AreRefused_InRiaksWords()
    {
        await using var node = await TestNode.StartAsync("node1", Cancel);
        await node.Admin.CreateClusterAsync(new CreateClusterRequest { ClusterName = "test", RingSize = 8 }, cancellationToken: Cancel);
        foreach (var row in BadChanges)
        {
            var (json, status, detail) = row.Data;
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await node.Admin.ChangeSecurityAsync(ChangeSecurityRequest.Parser.ParseJson(json), cancellationToken: Cancel));
            Assert.Equal(status, refused.StatusCode);
            Assert.StartsWith(detail, refused.Status.Detail, StringComparison.Ordinal);
        }
    }
}
