using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Kv.Core.Objects;
using Kv.Core.Security;
using Kv.TestKit;
using Kv.Wire.Access;
using Kv.Wire.Native;
using Kv.Wire.Riak.Http;
using Kv.Wire.Riak.Pb;
using Kv.Wire.Tests.Riak.Pb;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static Kv.Core.Security.SecurityChange;

namespace Kv.Wire.Tests.Access;

/// <summary>
/// A real node in memory behind all front ends, with TLS beside plain connections. Users: `ada` (password `secret`), `bob` (trusted), `cert` (by certificate), and `poor`, who has a
/// password and no grants. Ada may do everything to bucket `fruits/apples` of type `siblings`; bob may get anything.
/// </summary>
public sealed class SecuredNode : IAsyncLifetime
{
    public static readonly GrantScope Apples = GrantScope.OfBucket(new BucketName("siblings", "apples"));

    private readonly TestAuthority authority = new();
    private LoneNode alone = null!;
    private NodeTls tls = null!;
    private AccessControl access = null!;
    private KvService service = null!;
    private WebApplication[] apps = [];
    private RiakStatistics statistics = null!;

    public ImmutableHashSet<JobClass> DisabledJobs { get; init; } = [];

    public IPEndPoint Pb { get; private set; } = null!;

    public IPEndPoint Http { get; private set; } = null!;

    public IPEndPoint Grpc { get; private set; } = null!;

    public AccessControl Access => access;

    public async ValueTask InitializeAsync()
    {
        authority.IssueServer();
        alone = await LoneNode.StartAsync();
        tls = new NodeTls(authority.Files, TimeProvider.System, NullLogger<NodeTls>.Instance);
        var node = alone.Node;
        access = new AccessControl(node.State, DisabledJobs, NullLogger<AccessControl>.Instance);
        await ChangeAsync(
            new AddUser("ada", new RoleSettings { Password = Hashed("secret") }),
            new AddUser("poor", new RoleSettings { Password = Hashed("secret") }),
            new AddUser("bob", RoleSettings.None),
            new AddUser("cert", RoleSettings.None),
            new AddSource(["all"], Network("127.0.0.0/8"), SourceKind.Password, ImmutableSortedDictionary<string, string>.Empty),
            new AddSource(["bob"], Network("127.0.0.1/32"), SourceKind.Trust, ImmutableSortedDictionary<string, string>.Empty),
            new AddSource(["cert"], Network("127.0.0.1/32"), SourceKind.Certificate, ImmutableSortedDictionary<string, string>.Empty),
            new Grant(Permissions.Get | Permissions.Put | Permissions.Delete | Permissions.ListKeys | Permissions.MapReduce | Permissions.GetBucket, Apples, ["ada"]),
            new Grant(Permissions.Get | Permissions.ListBuckets, GrantScope.Any, ["bob", "cert"]),
            new Enable(true));
        var doors = new RiakPbDoors(node.Client, node.Admin, node.State, "node1") { Access = access, Tls = tls };
        var pb = new RiakPbConnections(doors, new RiakPbOptions { FailedAuthenticationDelay = TimeSpan.Zero }, RequestMemory.Unbounded(), NullLoggerFactory.Instance);
        Pb = await StartAsync(listen => listen.Run(pb.ServeAsync), static _ => { }, static _ => { });
        statistics = new RiakStatistics(node.Statistics, node.State, "node1", TimeProvider.System);
        Http = await StartAsync(
            listen => Configure(listen, HttpProtocols.Http1),
            builder => builder.Services.AddRiakHttp(),
            app => app.MapRiakHttp(new RiakHttpDoors(node.Client, node.Admin, node.State, statistics, TimeProvider.System) { Access = access }, RequestMemory.Unbounded()));
        var native = NativeOptions.For(1024 * 1024);
        service = new KvService(node.Client, node.Admin, node.State, new RingView(node.State), native, RequestMemory.Unbounded(), access, TimeProvider.System, NullLogger<KvService>.Instance);
        Grpc = await StartAsync(
            listen => Configure(listen, HttpProtocols.Http2),
            builder => builder.Services.AddKvService(service, native, access),
            app => app.MapKvService(RequestMemory.Unbounded(), native));
    }

    public async Task ChangeAsync(params SecurityChange[] changes)
    {
        foreach (var change in changes)
        {
            var result = await alone.Node.Admin.ChangeSecurityAsync(change, CancellationToken.None);
            Assert.True(result.IsOk, result.Refusal?.ToString());
        }
    }

    public X509Certificate2 IssueClient(string commonName) => authority.IssueClient(commonName);

    public Task<PbClient> ConnectPbAsync() => PbClient.ConnectAsync(Pb);

    /// <summary>A client over TLS, or plain; any certificate of the server's will do.</summary>
    public static HttpClient NewClient(X509Certificate2? certificate = null)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false };
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, shown, _, _) => shown is not null;
        if (certificate is not null)
        {
            handler.SslOptions.ClientCertificates = [certificate];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }

        return new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(30) };
    }

    public async ValueTask DisposeAsync()
    {
        service.Stop();
        foreach (var app in apps)
        {
            await app.DisposeAsync();
        }

        statistics.Dispose();
        service.Dispose();
        access.Dispose();
        tls.Dispose();
        await alone.DisposeAsync();
        authority.Dispose();
    }

    private static PasswordHash Hashed(string password) => PasswordHash.Derive(password, new byte[PasswordHash.SaltBytes], iterations: 10);

    private static CidrBlock Network(string text) => CidrBlock.TryParse(text, out var block) ? block : throw new ArgumentException(text, nameof(text));

    private void Configure(ListenOptions listen, HttpProtocols protocols)
    {
        listen.Protocols = protocols;
        listen.UseOptionalTls(tls.ForClients);
    }

    private async Task<IPEndPoint> StartAsync(Action<ListenOptions> configure, Action<WebApplicationBuilder> add, Action<WebApplication> map)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, configure));
        add(builder);
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        apps = [.. apps, app];
        return new IPEndPoint(IPAddress.Loopback, new Uri(app.Urls.Single()).Port);
    }
}
