using System.Globalization;
using System.Net;
using Kv.Cluster.Peers;
using Kv.Core.Rings;
using Kv.Wire.Peer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kv.Wire.Tests.Peer;

/// <summary>A peer on a real loopback socket.</summary>
internal sealed class PeerServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly PeerService service;

    private PeerServer(WebApplication app, PeerService service) => (this.app, this.service) = (app, service);

    public string Address { get; private set; } = "";

    public static async Task<PeerServer> StartAsync(NodeId id, Guid? cluster, IPeerHandler handler, PeerTransportOptions? options = null, int port = 0, RequestMemory? memory = null)
    {
        options ??= new PeerTransportOptions();
        var service = new PeerService(new PeerIdentity(id, () => cluster), handler, options, memory ?? RequestMemory.Unbounded(), TimeProvider.System, NullLogger<PeerService>.Instance);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.ApplyPeerLimits(options);
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddPeerService(service, options);
        var app = builder.Build();
        app.MapPeerService();
        await app.StartAsync();
        var url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new PeerServer(app, service) { Address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{new Uri(url).Port}") };
    }

    public async ValueTask DisposeAsync()
    {
        service.Stop();
        await app.StopAsync();
        await app.DisposeAsync();
        service.Dispose();
    }
}
