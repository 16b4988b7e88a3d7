using System.Buffers.Binary;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kv.Operator.Tests.Kubectl;

/// <summary>What `kv` needs of a Kubernetes API server: a list of pods, and port-forwards to them as the real one frames them.</summary>
internal sealed class StubApiServer : IAsyncDisposable
{
    private const byte DataChannel = 0;
    private const byte ErrorChannel = 1;
    private readonly WebApplication app;
    private readonly string kubeconfig = Path.GetTempFileName();

    private StubApiServer(WebApplication app) => this.app = app;

    /// <summary>Pods as they are listed.</summary>
    public List<JsonObject> Pods { get; } = [];

    /// <summary>Where a pod's ports lead; a pod that is not here refuses connections.</summary>
    public Dictionary<string, string> Targets { get; } = [];

    /// <summary>The options that lead `kv` here.</summary>
    public string[] Options => ["--kubeconfig", kubeconfig];

    public static async Task<StubApiServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        // Connections that a client has left open are not waited for.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(100));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        var app = builder.Build();
        var server = new StubApiServer(app);
        app.UseWebSockets();
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        await File.WriteAllTextAsync(server.kubeconfig, $$$"""
            apiVersion: v1
            kind: Config
            current-context: here
            contexts: [{name: here, context: {cluster: stub, user: me, namespace: shop}}]
            clusters: [{name: stub, cluster: {server: "{{{address}}}" }}]
            users: [{name: me, user: {token: abc}}]
            """);
        return server;
    }

    public void AddPod(string name, string cluster, bool ready, string? target)
    {
        Pods.Add(new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { ["kv.dev/cluster"] = cluster } },
            ["spec"] = new JsonObject
            {
                ["containers"] = new JsonArray(new JsonObject { ["name"] = "node", ["ports"] = new JsonArray(new JsonObject { ["name"] = "grpc", ["containerPort"] = 9080 }) }),
            },
            ["status"] = new JsonObject
            {
                ["phase"] = "Running",
                ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = ready ? "True" : "False" }),
            },
        });
        if (target is not null)
        {
            Targets[name] = target;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        File.Delete(kubeconfig);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        switch (context.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            case ["api", "v1", "namespaces", "shop", "pods"]:
                var wanted = context.Request.Query["labelSelector"].ToString().Split('=') is [_, var name] ? name : null;
                var found = Pods.Where(pod => wanted is null || pod["metadata"]!["labels"]!["kv.dev/cluster"]!.GetValue<string>() == wanted).Select(pod => pod.DeepClone());
                await context.Response.WriteAsync(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "PodList", ["items"] = new JsonArray([.. found]) }.ToJsonString());
                break;
            case ["api", "v1", "namespaces", "shop", "pods", var pod, "portforward"] when context.WebSockets.IsWebSocketRequest:
                using (var socket = await context.WebSockets.AcceptWebSocketAsync("v4.channel.k8s.io"))
                {
                    await ForwardAsync(socket, pod, ushort.Parse(context.Request.Query["ports"]!, System.Globalization.CultureInfo.InvariantCulture), context.RequestAborted);
                }

                break;
            default:
                context.Response.StatusCode = StatusCodes.Status403Forbidden;
                await context.Response.WriteAsync("""{"kind":"Status","status":"Failure","message":"pods is forbidden: no right to list pods"}""");
                break;
        }
    }

    private async Task ForwardAsync(WebSocket socket, string pod, ushort port, CancellationToken cancel)
    {
        foreach (var channel in new[] { DataChannel, ErrorChannel })
        {
            var opening = new byte[3];
            opening[0] = channel;
            BinaryPrimitives.WriteUInt16LittleEndian(opening.AsSpan(1), port);
            await socket.SendAsync(opening, WebSocketMessageType.Binary, endOfMessage: true, cancel);
        }

        if (!Targets.TryGetValue(pod, out var target))
        {
            await socket.SendAsync((byte[])[ErrorChannel, .. "nothing listens"u8], WebSocketMessageType.Binary, endOfMessage: true, cancel);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancel);
            return;
        }

        using var client = new TcpClient();
        await client.ConnectAsync(System.Net.IPEndPoint.Parse(target), cancel);
        await Task.WhenAny(FromPodAsync(client.GetStream(), socket, cancel), ToPodAsync(socket, client.GetStream(), cancel));
    }

    private static async Task FromPodAsync(NetworkStream pod, WebSocket socket, CancellationToken cancel)
    {
        var frame = new byte[16 * 1024];
        frame[0] = DataChannel;
        int read;
        while ((read = await pod.ReadAsync(frame.AsMemory(1), cancel)) > 0)
        {
            await socket.SendAsync(frame.AsMemory(0, read + 1), WebSocketMessageType.Binary, endOfMessage: true, cancel);
        }
    }

    private static async Task ToPodAsync(WebSocket socket, NetworkStream pod, CancellationToken cancel)
    {
        var buffer = new byte[64 * 1024];
        var isFirst = true;
        while (await socket.ReceiveAsync(buffer.AsMemory(), cancel) is { MessageType: WebSocketMessageType.Binary } received)
        {
            await pod.WriteAsync(buffer.AsMemory(isFirst ? 1 : 0, received.Count - (isFirst ? 1 : 0)), cancel);
            isFirst = received.EndOfMessage;
        }
    }
}
