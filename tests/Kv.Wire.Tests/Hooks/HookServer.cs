using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Tests.Hooks;

/// <summary>A hook on a loopback port, which answers as the test says and remembers what it was shown.</summary>
public sealed class HookServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private HookServer(WebApplication app) => this.app = app;

    /// <summary>By the request, whose body is the text.</summary>
    public Func<HttpContext, string, Task> Answer { get; set; } = static (http, _) => Send(http, 204);

    /// <summary>Path, event and body.</summary>
    public ConcurrentQueue<(string Path, string Event, string Body)> Seen { get; } = new();

    public Uri Address => new(app.Urls.Single());

    public static async Task<HookServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new HookServer(app);
        app.Run(server.HandleAsync);
        await app.StartAsync();
        return server;
    }

    public static Task Send(HttpContext http, int status, string body = "")
    {
        http.Response.StatusCode = status;
        return body.Length == 0 ? Task.CompletedTask : http.Response.WriteAsync(body);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task HandleAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync(http.RequestAborted);
        Seen.Enqueue((http.Request.Path.Value!, http.Request.Headers["X-Kv-Hook"].ToString(), body));
        await Answer(http, body);
    }
}
