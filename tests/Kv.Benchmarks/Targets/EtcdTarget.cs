using System.Text;
using System.Text.Json;
using Kv.Benchmarks.Load;

namespace Kv.Benchmarks.Targets;

/// <summary>One etcd, which syncs each write, by its JSON gateway.</summary>
internal sealed class EtcdTarget : ILoadTarget
{
    private const string ClientUrl = "http://127.0.0.1:19479";
    private const string PeerUrl = "http://127.0.0.1:19480";

    private readonly ServerProcess _server;

    private EtcdTarget(ServerProcess server) => _server = server;

    public string Name => "etcd (1 node, JSON gateway)";

    public IReadOnlyList<int> ServerPids => [_server.Pid];

    public static EtcdTarget Start(string program, string directory)
    {
        string[] arguments =
        [
            "--data-dir", directory, "--listen-client-urls", ClientUrl, "--advertise-client-urls", ClientUrl,
            "--listen-peer-urls", PeerUrl, "--initial-advertise-peer-urls", PeerUrl, "--initial-cluster", $"default={PeerUrl}",
            "--quota-backend-bytes", "8589934592",
        ];
        return new EtcdTarget(ServerProcess.Start(program, arguments, directory + ".log"));
    }

    public async ValueTask<ILoadConnection> ConnectAsync(int caller)
    {
        var connection = new Connection();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await connection.PutAsync("probe", new byte[1]);
                return connection;
            }
            catch (HttpRequestException) when (attempt < 200)
            {
                await Task.Delay(50);
            }
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private sealed class Connection : ILoadConnection
    {
        private readonly HttpClient _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 1, UseProxy = false });

        public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> value) =>
            await PostAsync("/v3/kv/put", $$"""{"key":"{{Base64(key)}}","value":"{{Convert.ToBase64String(value.Span)}}"}""");

        public async ValueTask GetAsync(string key)
        {
            var answer = await PostAsync("/v3/kv/range", $$"""{"key":"{{Base64(key)}}"}""");
            using var json = JsonDocument.Parse(answer);
            if (!json.RootElement.TryGetProperty("count", out _))
            {
                throw new InvalidOperationException($"{key} is missing");
            }
        }

        public ValueTask DisposeAsync()
        {
            _http.Dispose();
            return ValueTask.CompletedTask;
        }

        private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

        private async Task<byte[]> PostAsync(string path, string body)
        {
            using var content = new StringContent(body);
            using var response = await _http.PostAsync(new Uri(ClientUrl + path), content);
            response.EnsureSuccessStatusCode();
            return await response.Content.ReadAsByteArrayAsync();
        }
    }
}
