using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kv.Operator.Tests.Kubectl;

/// <summary>A node's grpc and admin services on one port of loopback, with the answers that a test gives.</summary>
internal sealed class StubNode : IAsyncDisposable
{
    private WebApplication? app;

    /// <summary>Requests as they came.</summary>
    public ConcurrentQueue<IMessage> Requests { get; } = new();

    /// <summary>Answers a request; null: that the node does not know the call.</summary>
    public Func<IMessage, IMessage?> Answer { get; set; } = _ => null;

    public string Address { get; private set; } = "";

    public static async Task<StubNode> StartAsync(Func<IMessage, IMessage?>? answer = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        // Connections that a client has left open are not waited for.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(100));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        var node = new StubNode { Answer = answer ?? (_ => null) };
        builder.Services.AddSingleton(node);
        var app = builder.Build();
        node.app = app;

        app.MapGrpcService<StubData>();
        app.MapGrpcService<StubAdmin>();
        await app.StartAsync();
        node.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Authority;
        return node;
    }

    public async ValueTask DisposeAsync() => await app!.DisposeAsync();

    /// <summary>The answer to a request, or the status that the test throws.</summary>
    public T Reply<T>(IMessage request)
        where T : class, IMessage
    {
        Requests.Enqueue(request);
        return Answer(request) as T ?? throw new RpcException(new Status(StatusCode.Unimplemented, "not of this test"));
    }
}
