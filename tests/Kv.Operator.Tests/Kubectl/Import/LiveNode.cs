using System.Collections.Immutable;
using System.Net;
using Google.Protobuf;
using Kv.Core.Security;
using Kv.Protos;
using Kv.Protos.Riak;
using Kv.TestKit;
using Kv.Wire;
using Kv.Wire.Access;
using Kv.Wire.Native;
using Kv.Wire.Riak.Pb;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Kv.Operator.Tests.Kubectl.Import;

/// <summary>A real node in memory (<see cref="LoneNode"/>) with its Protocol Buffers and grpc ports: an import's source, or its target. Tests fill and read both by Riak's messages.</summary>
internal sealed class LiveNode : IAsyncDisposable
{
    private readonly List<WebApplication> apps = [];
    private readonly SemaphoreSlim turn = new(1);
    private KvService service = null!;
    private AccessControl access = null!;
    private RiakConnection connection = null!;

    public LoneNode Alone { get; private set; } = null!;

    public string Pb { get; private set; } = "";

    public string Grpc { get; private set; } = "";

    /// <summary>Told of each call of the grpc port before it is served, by its method; where it says no, the call is not.</summary>
    public Func<string, bool> OnCall { get; set; } = _ => true;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<LiveNode> StartAsync(NodeTls? tls = null)
    {
        var node = new LiveNode { Alone = await LoneNode.StartAsync() };
        await node.ListenAsync(tls);
        node.connection = await RiakConnection.ConnectAsync(node.Pb, Cancel);
        return node;
    }

    /// <summary>An import from this node into another, with its JSON.</summary>
    public async Task<KvRun> ImportAsync(LiveNode target, StateDirectory state, params string[] arguments) =>
        await KvRun.OfAsync(["import", Pb, "--endpoint", target.Grpc, "--state", state.Path, "-o", "json", .. arguments]);

    public async Task<T> AskAsync<T>(byte code, IMessage message, MessageParser<T> parser)
        where T : IMessage<T>
    {
        await turn.WaitAsync(Cancel);
        try
        {
            var (got, body) = await connection.AskAsync(code, message, Cancel);
            return got == 0 ? throw new InvalidOperationException(RpbErrorResp.Parser.ParseFrom(body).Errmsg.ToStringUtf8()) : parser.ParseFrom(body);
        }
        finally
        {
            turn.Release();
        }
    }

    public Task PutAsync(string type, string bucket, string key, RpbContent content, ByteString? vclock = null)
    {
        var put = new RpbPutReq { Type = Bytes(type), Bucket = Bytes(bucket), Key = Bytes(key), Content = content };
        if (vclock is not null)
        {
            put.Vclock = vclock;
        }

        return AskAsync(11, put, RpbPutResp.Parser);
    }

    public Task PutAsync(string type, string bucket, string key, string value) => PutAsync(type, bucket, key, new RpbContent { Value = Bytes(value), ContentType = Bytes("text/plain") });

    public Task<RpbGetResp> GetAsync(string type, string bucket, string key) =>
        AskAsync(9, new RpbGetReq { Type = Bytes(type), Bucket = Bytes(bucket), Key = Bytes(key) }, RpbGetResp.Parser);

    public Task DeleteAsync(string type, string bucket, string key, ByteString? vclock = null)
    {
        var delete = new RpbDelReq { Type = Bytes(type), Bucket = Bytes(bucket), Key = Bytes(key) };
        if (vclock is not null)
        {
            delete.Vclock = vclock;
        }

        return AskAsync(13, delete, RpbPutResp.Parser);
    }

    /// <summary>The values' texts, in order.</summary>
    public async Task<string[]> ValuesAsync(string type, string bucket, string key) =>
        [.. (await GetAsync(type, bucket, key)).Content.Where(content => !content.Deleted).Select(content => content.Value.ToStringUtf8()).Order(StringComparer.Ordinal)];

    public Task UpdateAsync(string type, string bucket, string key, DtOp operation) =>
        AskAsync(82, new DtUpdateReq { Type = Bytes(type), Bucket = Bytes(bucket), Key = Bytes(key), Op = operation }, DtUpdateResp.Parser);

    public async Task<DtValue?> FetchAsync(string type, string bucket, string key) =>
        (await AskAsync(80, new DtFetchReq { Type = Bytes(type), Bucket = Bytes(bucket), Key = Bytes(key) }, DtFetchResp.Parser)).Value;

    public async Task<RpbBucketProps> PropsAsync(string type, string bucket) =>
        (await AskAsync(19, new RpbGetBucketReq { Type = Bytes(type), Bucket = Bytes(bucket) }, RpbGetBucketResp.Parser)).Props;

    public Task SetPropsAsync(string type, string bucket, RpbBucketProps props) =>
        AskAsync(21, new RpbSetBucketReq { Type = Bytes(type), Bucket = Bytes(bucket), Props = props }, RpbPutResp.Parser);

    /// <summary>Turns security on, with a user who may read everything.</summary>
    public async Task SecureAsync(string user, string password)
    {
        var hash = PasswordHash.Derive(password, new byte[PasswordHash.SaltBytes], iterations: 10);
        Assert.True(CidrBlock.TryParse("127.0.0.0/8", out var here));
        foreach (SecurityChange change in new SecurityChange[]
        {
            new SecurityChange.AddUser(user, new RoleSettings { Password = hash }),
            new SecurityChange.AddSource(["all"], here, SourceKind.Password, ImmutableSortedDictionary<string, string>.Empty),
            new SecurityChange.Grant(Permissions.Get | Permissions.ListKeys | Permissions.GetBucket, GrantScope.Any, [user]),
            new SecurityChange.Enable(true),
        })
        {
            Assert.True((await Alone.Node.Admin.ChangeSecurityAsync(change, Cancel)).IsOk);
        }
    }

    public static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);

    public async ValueTask DisposeAsync()
    {
        connection.Dispose();
        turn.Dispose();
        service.Stop();
        foreach (var app in apps)
        {
            await app.DisposeAsync();
        }

        service.Dispose();
        access.Dispose();
        await Alone.DisposeAsync();
    }

    private async Task ListenAsync(NodeTls? tls)
    {
        var node = Alone.Node;
        access = new AccessControl(node.State, [], NullLogger<AccessControl>.Instance);
        var doors = new RiakPbDoors(node.Client, node.Admin, node.State, "node1") { Access = access, Tls = tls };
        var pb = new RiakPbConnections(doors, new RiakPbOptions { FailedAuthenticationDelay = TimeSpan.Zero }, RequestMemory.Unbounded(), NullLoggerFactory.Instance);
        Pb = await StartAsync(listen => listen.Run(pb.ServeAsync), _ => { }, _ => { });
        var options = NativeOptions.For(1024 * 1024);
        service = new KvService(node.Client, node.Admin, node.State, new RingView(node.State), options, RequestMemory.Unbounded(), access, TimeProvider.System, NullLogger<KvService>.Instance);
        Grpc = await StartAsync(
            listen => listen.Protocols = HttpProtocols.Http2,
            builder => builder.Services.AddKvService(service, options, access),
            app =>
            {
                app.Use(async (context, next) =>
                {
                    if (OnCall(context.Request.Path.Value!.Split('/')[^1]))
                    {
                        await next(context);
                    }
                    else
                    {
                        context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                    }
                });
                app.MapKvService(RequestMemory.Unbounded(), options);
            });
    }

    private async Task<string> StartAsync(Action<ListenOptions> configure, Action<WebApplicationBuilder> add, Action<WebApplication> map)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, configure));
        add(builder);
        var app = builder.Build();
        map(app);
        await app.StartAsync(Cancel);
        apps.Add(app);
        return new Uri(app.Urls.Single()).Authority;
    }
}
