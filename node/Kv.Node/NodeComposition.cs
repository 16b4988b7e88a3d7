using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using Kv.Cluster;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Kv.Node.Metrics;
using Kv.Wire;
using Kv.Wire.Access;
using Kv.Wire.Admin;
using Kv.Wire.Hooks;
using Kv.Wire.Native;
using Kv.Wire.Peer;
using Kv.Wire.Riak.Http;
using Kv.Wire.Riak.Pb;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Kv.Node;

/// <summary>
/// A node, wired: the only place that knows all projects. Started once; <see cref="Failed"/> completes when the process is to end; stopped once, which
/// ends front ends first, then the node, then what it stands on.
/// </summary>
public sealed partial class NodeComposition : IAsyncDisposable
{
    private readonly NodeOptions options;
    private readonly ILoggerFactory loggers;
    private readonly ILogger logger;
    private readonly Func<NodeOptions, RequestMemory, ILoggerFactory, NodeStorage> openStorage;
    private readonly NodeHealth health = new();
    private readonly RequestMemory memory;
    private readonly NodeMetrics metrics;
    private readonly DrainHook drain;
    private readonly TimeProvider time;
    private readonly List<PortServer> frontEnds = [];
    private readonly TaskCompletionSource<Exception> failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ImmutableArray<BoundPort> ports = [];
    private NodeStorage? storage;
    private ClusterNode? node;
    private GrpcPeerTransport? transport;
    private HttpCommitHooks? hooks;
    private PeerService? peerService;
    private KvService? kvService;
    private PortServer? peerServer;
    private PortServer? metricsServer;
    private RiakStatistics? riakStatistics;
    private AccessControl? access;
    private NodeTls? tls;

    /// <summary><paramref name="openStorage"/> is <see cref="NodeStorages.Open"/>, or memory in tests.</summary>
    public NodeComposition(NodeOptions options, ILoggerFactory loggers, Func<NodeOptions, RequestMemory, ILoggerFactory, NodeStorage> openStorage, TimeProvider? clock = null)
    {
        time = clock ?? TimeProvider.System;
        var budget = NodeStorages.Budget(options);
        memory = new RequestMemory(budget.RequestBytes, time);
        this.options = options with
        {
            Cluster = options.Cluster with { MaxObjectBytes = Math.Min(options.Cluster.MaxObjectBytes, memory.MaxObjectBytes), TreeBytes = budget.TreeBytes, MaxVnodes = budget.Stores },
        };
        (this.loggers, this.openStorage) = (loggers, openStorage);
        logger = loggers.CreateLogger<NodeComposition>();
        metrics = new NodeMetrics(options, Version, MemoryLimit.Bytes(options), health);
        drain = new DrainHook(() => health.Phase == NodePhase.Serving ? node?.Admin : null, time);
    }

    public static string Version { get; } =
        typeof(NodeComposition).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>Completes with the reason when the storage is beyond use.</summary>
    public Task<Exception> Failed => failed.Task;

    /// <summary>Where each protocol is listened for, as others reach it: `host:port` by protocol name.</summary>
    public ImmutableSortedDictionary<string, string> Endpoints => ports.ToImmutableSortedDictionary(
        port => port.Protocol, port => Address(options.AdvertiseHost, port.EndPoint.Port), StringComparer.Ordinal);

    /// <summary>Throws <see cref="NodeStartException"/> or a store's exception; then nothing is left open but what disposal ends.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        tls = LoadTls();
        BindPorts();
        if (Port("metrics") is { } metricsPort)
        {
            metricsServer = CreateMetricsServer(metricsPort);
            await metricsServer.StartAsync(cancel);
        }

        storage = openStorage(options, memory, loggers);
        _ = WatchAsync(storage.Failed);
        var id = await NodeIdentity.ReadOrDrawAsync(storage.State, storage.Stores, cancel);
        LogIdentity(id, options.Name, options.Zone, options.DataDirectory);
        node = CreateNode(id);
        _ = WatchAsync(node.Failed);

        // Peers are answered before the node is open, if only that it is not: that is told from being gone.
        await peerServer!.StartAsync(cancel);
        await node.StartAsync(cancel);
        metrics.Observe(node.State, node.Admin, storage);
        await StartServersAsync(cancel);
        health.Serving(node.State, () => node.Client.IsDraining);
        LogServing(options.Name, string.Join(", ", Endpoints.Select(pair => $"{pair.Key} {pair.Value}")));
    }

    /// <summary>A clean stop; what has not ended by <paramref name="cancel"/> is cut off.</summary>
    public async Task StopAsync(CancellationToken cancel)
    {
        health.Stopping();
        drain.Dispose();
        kvService?.Stop();
        await Task.WhenAll(frontEnds.Select(server => server.StopAsync(cancel)));
        if (node is not null)
        {
            await node.StopAsync(cancel);
        }

        peerService?.Stop();
        if (peerServer is not null)
        {
            await peerServer.StopAsync(cancel);
        }
    }

    /// <summary>No request is answered any more, and what is stored stays as it is: for a node that could not start, or whose storage failed. Requests would else meet what the end of the process has disposed of.</summary>
    /// <param name="cancel">When what is under way is cut off.</param>
    public Task CutOffAsync(CancellationToken cancel)
    {
        PortServer?[] servers = [.. frontEnds, peerServer, metricsServer];
        return Task.WhenAll(servers.OfType<PortServer>().Select(server => server.StopAsync(cancel)));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in frontEnds)
        {
            await server.DisposeAsync();
        }

        if (peerServer is not null)
        {
            await peerServer.DisposeAsync();
        }

        if (node is not null)
        {
            await node.DisposeAsync();
        }

        if (transport is not null)
        {
            await transport.DisposeAsync();
        }

        if (storage is not null)
        {
            await storage.CloseAsync();
        }

        // What they still wait for is nothing to be late with a clean stop for.
        if (hooks is not null)
        {
            await hooks.DisposeAsync();
        }

        if (metricsServer is not null)
        {
            await metricsServer.DisposeAsync();
        }

        foreach (var port in ports)
        {
            port.Dispose();
        }

        riakStatistics?.Dispose();
        access?.Dispose();
        tls?.Dispose();
        peerService?.Dispose();
        kvService?.Dispose();
        metrics.Dispose();
    }

    private static string Address(string host, int port) =>
        string.Create(CultureInfo.InvariantCulture, $"{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}");

    private void BindPorts()
    {
        var bound = new List<BoundPort>();
        try
        {
            foreach (var (protocol, port) in new[]
                     {
                         ("grpc", options.GrpcPort), ("peer", options.PeerPort), ("admin", options.AdminPort),
                         ("riak-pb", options.RiakPbPort), ("riak-http", options.RiakHttpPort), ("metrics", options.MetricsPort),
                     })
            {
                if (BoundPort.Bind(protocol, options.ListenHost, port) is { } socket)
                {
                    bound.Add(socket);
                }
            }
        }
        finally
        {
            ports = [.. bound];
        }
    }

    private BoundPort? Port(string protocol) => ports.FirstOrDefault(port => port.Protocol == protocol);

    private ClusterNode CreateNode(NodeId id)
    {
        // The transport asks for the cluster's id at each handshake, long after the node is made.
        ClusterNode? made = null;
        var identity = new PeerIdentity(id, () => made?.State.Current.Document?.ClusterId);
        var peerOptions = PeerTransportOptions.For(memory);
        transport = new GrpcPeerTransport(identity, peerOptions, memory, time, SeededRandom(), loggers.CreateLogger<GrpcPeerTransport>(), options.PeerTls == PeerTls.Off ? null : tls);
        var self = new Member(id, options.Name, options.Zone, MemberState.Joining, Endpoints);
        hooks = new HttpCommitHooks(options.Hooks, memory, time, loggers.CreateLogger<HttpCommitHooks>());
        made = new ClusterNode(options.Cluster, self, transport, storage!.Stores, storage.State, time, SeededRandom(), loggers, hooks);
        made.Statistics.PostCommitFailures = () => hooks.Dropped;
        peerService = new PeerService(identity, made.PeerHandler, peerOptions, memory, time, loggers.CreateLogger<PeerService>());
        peerServer = PortServer.Create(
            Port("peer")!,
            HttpProtocols.Http2,
            loggers,
            limits => limits.ApplyPeerLimits(peerOptions),
            services => services.AddPeerService(peerService, peerOptions),
            app => app.MapPeerService(),
            SecurePeers);
        return made;
    }

    private NodeTls? LoadTls()
    {
        if (options is not { TlsCertificateFile: { } certificate, TlsKeyFile: { } key })
        {
            return null;
        }

        try
        {
            return new NodeTls(new TlsFiles(certificate, key, options.TlsClientAuthoritiesFile, options.TlsPeerAuthoritiesFile), time, loggers.CreateLogger<NodeTls>());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new NodeStartException($"tls-certificate, tls-key, tls-client-ca or tls-peer-ca cannot be used: {e.Message}", e);
        }
    }

    private void SecureClients(ListenOptions listen)
    {
        if (tls is { } certificates)
        {
            listen.UseOptionalTls(certificates.ForClients);
        }
    }

    private void SecurePeers(ListenOptions listen)
    {
        if (options.PeerTls == PeerTls.Required)
        {
            listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(tls!.ForPeers()) });
        }
        else if (options.TlsPeerAuthoritiesFile is not null)
        {
            // Where it is off too: in a roll from off to on, those that call by TLS already call those that do not yet.
            listen.UseOptionalTls(tls!.ForPeers);
        }
    }

    private async Task StartServersAsync(CancellationToken cancel)
    {
        access = new AccessControl(node!.State, options.DisabledJobs, loggers.CreateLogger<AccessControl>());
        riakStatistics = new RiakStatistics(node.Statistics, node.State, options.Name, time);
        frontEnds.Add(CreateAdminServer(Port("admin")!));
        if (Port("grpc") is { } grpc)
        {
            frontEnds.Add(CreateNativeServer(grpc));
        }

        if (Port("riak-pb") is { } riakPb)
        {
            frontEnds.Add(CreateRiakPbServer(riakPb));
        }

        if (Port("riak-http") is { } riakHttp)
        {
            frontEnds.Add(CreateRiakHttpServer(riakHttp));
        }

        foreach (var server in frontEnds)
        {
            await server.StartAsync(cancel);
        }
    }

    private PortServer CreateAdminServer(BoundPort port)
    {
        var facts = new NodeFacts(Version, DurableFormat.Version, MemoryLimit.Bytes(options), storage!.DataBytes, storage!.FreeBytes, static () => Environment.WorkingSet)
        {
            Certificate = tls is { } held ? () => held.Life : null,
        };
        var service = new AdminService(node!.Admin, node.State, facts, riakStatistics!, time);
        return PortServer.Create(
            port,
            HttpProtocols.Http2,
            loggers,
            limits => limits.MaxConcurrentConnections = options.MaxClientConnections,
            services =>
            {
                services.AddGrpc(grpc => grpc.Interceptors.Add<CallFailures>());
                services.AddSingleton(service);
            },
            app =>
            {
                app.TakeCallDeadlines(time);
                app.MapGrpcService<AdminService>();
            },
            SecureClients);
    }

    private PortServer CreateNativeServer(BoundPort port)
    {
        var native = NativeOptions.For(options.Cluster.MaxObjectBytes);
        kvService = new KvService(node!.Client, node.Admin, node.State, new RingView(node.State), native, memory, access!, time, loggers.CreateLogger<KvService>());
        return PortServer.Create(
            port,
            HttpProtocols.Http2,
            loggers,
            limits => limits.ApplyNativeLimits(native, options.MaxClientConnections),
            services => services.AddKvService(kvService, native, access!),
            app =>
            {
                app.TakeCallDeadlines(time);
                app.MapKvService(memory, native);
            },
            SecureClients);
    }

    private PortServer CreateRiakPbServer(BoundPort port)
    {
        var doors = new RiakPbDoors(node!.Client, node.Admin, node.State, options.Name) { Access = access!, Tls = tls };
        var riak = new RiakPbConnections(doors, new RiakPbOptions { MaxObjectBytes = options.Cluster.MaxObjectBytes }, memory, loggers);
        return PortServer.CreateRaw(port, loggers, limits => limits.MaxConcurrentConnections = options.MaxClientConnections, riak.ServeAsync);
    }

    private PortServer CreateRiakHttpServer(BoundPort port)
    {
        var doors = new RiakHttpDoors(node!.Client, node.Admin, node.State, riakStatistics!, time) { Access = access! };
        var riak = new RiakHttpOptions { MaxObjectBytes = options.Cluster.MaxObjectBytes };
        return PortServer.Create(
            port,
            HttpProtocols.Http1,
            loggers,
            limits =>
            {
                limits.ApplyRiakHttpLimits(riak);
                limits.MaxConcurrentConnections = options.MaxClientConnections;
            },
            services => services.AddRiakHttp(riak),
            app => app.MapRiakHttp(doors, memory, riak),
            SecureClients);
    }

    private PortServer CreateMetricsServer(BoundPort port) => PortServer.Create(
        port,
        HttpProtocols.Http1,
        loggers,
        limits => limits.MaxConcurrentConnections = 100,
        services => services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.Clear().AddService("kv-node", serviceNamespace: "kv", serviceVersion: Version, serviceInstanceId: options.Name))
            .WithMetrics(meters => meters
            .AddMeter(MetricNames.NodeMeter, MetricNames.ClusterMeter, MetricNames.RuntimeMeter)
            .AddPrometheusExporter(exporter => exporter.ScopeInfoEnabled = false)),
        app =>
        {
            app.MapHealth(health);
            drain.Map(app);
            app.MapPrometheusScrapingEndpoint();
        },
        SecureClients);

    private static Random SeededRandom() => new(RandomNumberGenerator.GetInt32(int.MaxValue));

    private async Task WatchAsync(Task<Exception> ends)
    {
        var reason = await ends;
        health.Failed(reason.Message);
        failed.TrySetResult(reason);
    }

    [LoggerMessage(1001, LogLevel.Information, "node {Id}, name {Name}, zone '{Zone}', data in {Directory}")]
    private partial void LogIdentity(NodeId id, string name, string zone, string directory);

    [LoggerMessage(1002, LogLevel.Information, "node {Name} serves: {Endpoints}")]
    private partial void LogServing(string name, string endpoints);
}
