using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Kv.Node;

/// <summary>
/// One protocol's server: each port has its own, with its own limits and routes, so that nothing of one protocol is reachable by another's port
/// and a flood of one does not take the others' connections.
/// </summary>
public sealed class PortServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly BoundPort port;

    private PortServer(WebApplication app, BoundPort port) => (this.app, this.port) = (app, port);

    /// <summary>Makes a server of HTTP, with TLS as <paramref name="secure"/> adds it; it listens once started.</summary>
    public static PortServer Create(
        BoundPort port,
        HttpProtocols protocols,
        ILoggerFactory loggers,
        Action<KestrelServerLimits> limit,
        Action<IServiceCollection> addServices,
        Action<WebApplication> map,
        Action<ListenOptions>? secure = null)
    {
        return Create(port, loggers, limit, Configure, addServices, map);

        void Configure(ListenOptions listen)
        {
            listen.Protocols = protocols;
            secure?.Invoke(listen);
        }
    }

    /// <summary>Makes a server of a protocol of its own, which serves each connection whole; it listens once started.</summary>
    public static PortServer CreateRaw(BoundPort port, ILoggerFactory loggers, Action<KestrelServerLimits> limit, Func<ConnectionContext, Task> serve) =>
        Create(port, loggers, limit, listen => listen.Run(serve), static _ => { }, static _ => { });

    private static PortServer Create(
        BoundPort port,
        ILoggerFactory loggers,
        Action<KestrelServerLimits> limit,
        Action<ListenOptions> configure,
        Action<IServiceCollection> addServices,
        Action<WebApplication> map)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "kv-node" });
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            limit(kestrel.Limits);
            kestrel.Listen(port.EndPoint, configure);
        });
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = _ => port.Socket);
        builder.Services.AddRoutingCore();
        builder.Services.Replace(ServiceDescriptor.Singleton(loggers));
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime, QuietLifetime>());
        addServices(builder.Services);
        var app = builder.Build();
        map(app);
        return new PortServer(app, port);
    }

    public Task StartAsync(CancellationToken cancel) => app.StartAsync(cancel);

    /// <summary>Takes no more connections and lets calls end until <paramref name="cancel"/>.</summary>
    public async Task StopAsync(CancellationToken cancel)
    {
        try
        {
            await app.StopAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            // What has not ended in time is cut off by the disposal that follows.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        port.Dispose();
    }

    /// <summary>Signals are the program's, not each server's.</summary>
    private sealed class QuietLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
