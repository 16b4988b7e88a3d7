using System.Net;
using Kv.TestKit;
using Kv.Wire;
using Kv.Wire.Riak.Http;
using Kv.Wire.Riak.Pb;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kv.Fuzz.Doors;

/// <summary>A node in memory behind both of Riak's interfaces, which are the real ones up to the connection.</summary>
internal sealed class RiakNode : IAsyncDisposable
{
    private const int MaxObjectBytes = 64 * 1024;
    private const long MemoryBytes = 256 * 1024 * 1024;

    private readonly LoneNode alone;
    private readonly WebApplication app;
    private readonly RiakStatistics statistics;
    private readonly MemoryListener listener;
    private readonly RiakPbConnections pb;
    private readonly FailureLog failures;

    private RiakNode(LoneNode alone, WebApplication app, MemoryListener listener, FailureLog failures)
    {
        (this.alone, this.app, this.listener, this.failures) = (alone, app, listener, failures);
        var (node, memory, loggers) = (alone.Node, new RequestMemory(MemoryBytes, TimeProvider.System), app.Services.GetRequiredService<ILoggerFactory>());
        statistics = new RiakStatistics(node.Statistics, node.State, "node1", TimeProvider.System);
        app.MapRiakHttp(new RiakHttpDoors(node.Client, node.Admin, node.State, statistics, TimeProvider.System), memory, Options);
        pb = new RiakPbConnections(new RiakPbDoors(node.Client, node.Admin, node.State, "node1"), new RiakPbOptions { MaxObjectBytes = MaxObjectBytes }, memory, loggers);
    }

    private static RiakHttpOptions Options => new() { MaxObjectBytes = MaxObjectBytes };

    public static async Task<RiakNode> StartAsync()
    {
        var (failures, listener) = (new FailureLog(), new MemoryListener());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(failures);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.ApplyRiakHttpLimits(Options);
            kestrel.Listen(IPAddress.Loopback, 8098);
        });
        builder.Services.AddRiakHttp(Options).AddSingleton<IConnectionListenerFactory>(listener);
        var app = builder.Build();
        var node = new RiakNode(await LoneNode.StartAsync(app.Services.GetRequiredService<ILoggerFactory>()), app, listener, failures);
        await app.StartAsync();
        return node;
    }

    /// <summary>All answers to the bytes of one connection. A <see cref="Running.FuzzFailure"/> where the front end had a bug to log.</summary>
    public async Task<byte[]> AskPbAsync(ReadOnlyMemory<byte> bytes)
    {
        await using var connection = MemoryConnection.Open();
        var served = pb.ServeAsync(connection);
        await connection.SendAsync(bytes);
        await served;
        await connection.Transport.Output.CompleteAsync();
        var answer = await connection.ReadToEndAsync();
        failures.ThrowIfAny();
        return answer;
    }

    /// <summary>The same by HTTP.</summary>
    public async Task<byte[]> AskHttpAsync(ReadOnlyMemory<byte> bytes)
    {
        var connection = MemoryConnection.Open();
        listener.Connect(connection);
        await connection.SendAsync(bytes);
        var answer = await connection.ReadToEndAsync();
        failures.ThrowIfAny();
        return answer;
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        statistics.Dispose();
        await alone.DisposeAsync();
    }
}
