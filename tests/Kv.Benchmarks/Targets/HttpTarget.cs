using System.Net;
using System.Net.Http.Headers;
using Kv.Benchmarks.Load;

namespace Kv.Benchmarks.Targets;

/// <summary>The ring by Riak's HTTP: a connection a caller, spread over the nodes.</summary>
internal sealed class HttpTarget(LocalRing ring) : ILoadTarget
{
    private static readonly MediaTypeHeaderValue Octets = new("application/octet-stream");

    public string Name => "http";

    public IReadOnlyList<int> ServerPids => ring.Pids;

    public ValueTask<ILoadConnection> ConnectAsync(int caller) =>
        ValueTask.FromResult<ILoadConnection>(new Connection(ring.HttpEndpoints[caller % ring.HttpEndpoints.Count]));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Connection(string endpoint) : ILoadConnection
    {
        private readonly HttpClient _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 1, UseProxy = false, UseCookies = false });

        public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> value)
        {
            using var content = new ReadOnlyMemoryContent(value);
            content.Headers.ContentType = Octets;
            using var response = await _http.PutAsync(Address(key), content);
            Expect(response, HttpStatusCode.NoContent);
        }

        public async ValueTask GetAsync(string key)
        {
            using var response = await _http.GetAsync(Address(key));
            Expect(response, HttpStatusCode.OK);
            await response.Content.ReadAsByteArrayAsync();
        }

        public ValueTask DisposeAsync()
        {
            _http.Dispose();
            return ValueTask.CompletedTask;
        }

        private Uri Address(string key) => new($"http://{endpoint}/buckets/bench/keys/{key}");

        private static void Expect(HttpResponseMessage response, HttpStatusCode status)
        {
            if (response.StatusCode != status)
            {
                throw new InvalidOperationException($"{response.RequestMessage?.Method} answered {(int)response.StatusCode}");
            }
        }
    }
}
