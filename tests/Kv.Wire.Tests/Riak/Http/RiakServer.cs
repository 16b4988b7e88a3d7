using System.Net;
using System.Text;
using Kv.Cluster;
using Kv.TestKit;
using Kv.Wire.Riak.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>
/// A real node in memory behind Riak's HTTP on a loopback port, with what the tests read: objects by name in bucket `seed`, of the types default, `siblings`
/// (allow_mult) and `keeps` (allow_mult, tombstones kept).
/// </summary>
public sealed class RiakServer : IAsyncLifetime
{
    public const int MaxObjectBytes = 64 * 1024;

    public RiakHttpOptions Options { get; init; } = new() { MaxObjectBytes = MaxObjectBytes, MaxPropsBytes = 4096, ListingHoldBytes = 4096 };

    /// <summary>The front end's; the node has the machine's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public RequestMemory Memory { get; init; } = RequestMemory.Unbounded();

    public KvClient Door => alone.Node.Client;

    private readonly Dictionary<string, string> seeded = [];
    private LoneNode alone = null!;
    private WebApplication app = null!;
    private RiakStatistics statistics = null!;

    public HttpClient Client { get; private set; } = null!;

    public IPEndPoint EndPoint { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        alone = await LoneNode.StartAsync();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.ApplyRiakHttpLimits(Options);
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        builder.Services.AddRiakHttp(Options);
        app = builder.Build();
        var node = alone.Node;
        statistics = new RiakStatistics(node.Statistics, node.State, "node1", Time);
        app.MapRiakHttp(new RiakHttpDoors(node.Client, node.Admin, node.State, statistics, Time), Memory, Options);
        await app.StartAsync();
        EndPoint = new IPEndPoint(IPAddress.Loopback, new Uri(app.Urls.Single()).Port);
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(30) };
        await SeedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.DisposeAsync();
        statistics.Dispose();
        await alone.DisposeAsync();
    }

    /// <summary>Sends a request whose path goes out as it is written.</summary>
    public async Task<HttpResponseMessage> SendAsync(string method, string path, string headers = "", byte[]? body = null)
    {
        var uri = new Uri($"http://{EndPoint}{Fill(path)}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(new HttpMethod(method), uri);
        request.Content = body is null ? null : new ByteArrayContent(body);
        foreach (var line in Fill(headers).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var (name, value) = (line[..colon], line[(colon + 1)..].Trim());
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                (request.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(name, value);
            }
        }

        return await Client.SendAsync(request);
    }

    public Task<HttpResponseMessage> SendAsync(string method, string path, string headers, string body) =>
        SendAsync(method, path, headers, Encoding.UTF8.GetBytes(body));

    /// <summary>Puts what the seeds' answers had in place of `{vclock:plain}`, `{etag:plain}`, `{modified:plain}`.</summary>
    public string Fill(string text)
    {
        foreach (var (name, value) in seeded)
        {
            text = text.Replace($"{{{name}}}", value, StringComparison.Ordinal);
        }

        return text;
    }

    private async Task SeedAsync()
    {
        await PutAsync("/buckets/seed/keys/plain", "Content-Type: text/plain", "hello");
        await PutAsync("/buckets/seed/keys/json", "Content-Type: application/json; charset=utf-8", "{}");
        await PutAsync("/buckets/seed/keys/empty", "Content-Type: text/plain", "");
        await PutAsync("/types/siblings/buckets/seed/keys/one", "Content-Type: text/plain", "single");
        await PutAsync(
            "/buckets/seed/keys/meta",
            "Content-Type: text/plain\nContent-Encoding: gzip\nX-Riak-Meta-Color: blue\nX-Riak-Index-age_int: 7, 8\nX-Riak-Index-Name_bin: ada\nLink: </buckets/b2/keys/k%202>; riaktag=\"friend\"",
            "meta");
        await PutAsync("/types/siblings/buckets/seed/keys/two", "Content-Type: text/plain\nX-Riak-Meta-Who: a", "first");
        await PutAsync("/types/siblings/buckets/seed/keys/two", "Content-Type: application/json", "\"second\"");
        await PutAsync("/types/keeps/buckets/seed/keys/gone", "Content-Type: text/plain", "was");
        await SendAsync("DELETE", "/types/keeps/buckets/seed/keys/gone");
        var first = await PutAsync("/types/keeps/buckets/seed/keys/half?returnbody=true", "Content-Type: text/plain", "old");
        var vclock = first.Headers.GetValues("X-Riak-Vclock").Single();
        await PutAsync("/types/keeps/buckets/seed/keys/half", $"Content-Type: text/plain\nX-Riak-Vclock: {vclock}", "live");
        await SendAsync("DELETE", "/types/keeps/buckets/seed/keys/half", $"X-Riak-Vclock: {vclock}");
        await RememberAsync("plain", "/buckets/seed/keys/plain");
        await RememberAsync("two", "/types/siblings/buckets/seed/keys/two");
        await RememberAsync("one", "/types/siblings/buckets/seed/keys/one");
    }

    private async Task<HttpResponseMessage> PutAsync(string path, string headers, string body)
    {
        var answer = await SendAsync("PUT", path, headers, body);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        return answer;
    }

    private async Task RememberAsync(string name, string path)
    {
        var answer = await SendAsync("GET", path);
        seeded[$"vclock:{name}"] = answer.Headers.GetValues("X-Riak-Vclock").Single();
        seeded[$"etag:{name}"] = answer.Headers.ETag!.Tag;
        seeded[$"vtag:{name}"] = answer.Headers.ETag!.Tag.Trim('"');
        seeded[$"modified:{name}"] = answer.Content.Headers.LastModified!.Value.ToString("R");
    }
}
