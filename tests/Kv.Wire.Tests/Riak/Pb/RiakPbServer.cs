using System.Net;
using Kv.TestKit;
using Kv.Wire.Riak.Pb;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Kv.Wire.Tests.Riak.Pb;

/// <summary>A real node in memory behind Riak's Protocol Buffers interface on a loopback port.</summary>
public sealed class RiakPbServer : IAsyncLifetime
{
    public const int MaxObjectBytes = 256 * 1024;

    private LoneNode alone = null!;
    private WebApplication app = null!;

    public RiakPbOptions Options { get; init; } = new() { MaxObjectBytes = MaxObjectBytes };

    public RequestMemory Memory { get; init; } = RequestMemory.Unbounded();

    public IPEndPoint EndPoint { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        alone = await LoneNode.StartAsync();
        var node = alone.Node;
        var riak = new RiakPbConnections(new RiakPbDoors(node.Client, node.Admin, node.State, "node1"), Options, Memory, NullLoggerFactory.Instance);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Run(riak.ServeAsync)));
        app = builder.Build();
        await app.StartAsync();
        EndPoint = new IPEndPoint(IPAddress.Loopback, new Uri(app.Urls.Single()).Port);
    }

    public Task<PbClient> ConnectAsync() => PbClient.ConnectAsync(EndPoint);

    public Task StopAsync() => app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        await alone.DisposeAsync();
    }
}
