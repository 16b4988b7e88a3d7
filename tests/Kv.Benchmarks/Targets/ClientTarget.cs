using System.Text;
using Kv.Benchmarks.Load;
using Kv.Client;
using Kv.Core.Objects;

namespace Kv.Benchmarks.Targets;

/// <summary>The ring by the C# client: one client, as an application would have it, shared by all callers.</summary>
internal sealed class ClientTarget : ILoadTarget
{
    public static readonly byte[] Bucket = Encoding.UTF8.GetBytes("bench");

    private readonly KvClusterClient _client;
    private readonly string _bucketType;

    private ClientTarget(KvClusterClient client, string bucketType, IReadOnlyList<int> pids)
    {
        _client = client;
        _bucketType = bucketType;
        ServerPids = pids;
    }

    public string Name => _bucketType == ObjectKey.DefaultType ? "client" : _bucketType;

    public IReadOnlyList<int> ServerPids { get; }

    public static async Task<ClientTarget> ConnectAsync(LocalRing ring, string bucketType = ObjectKey.DefaultType) =>
        new(await KvClusterClient.ConnectAsync(new KvClientOptions { Seeds = ring.GrpcEndpoints }), bucketType, ring.Pids);

    public ValueTask<ILoadConnection> ConnectAsync(int caller) => ValueTask.FromResult<ILoadConnection>(new Connection(_client, _bucketType));

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private sealed class Connection(KvClusterClient client, string bucketType) : ILoadConnection
    {
        public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> value) =>
            await client.PutAsync(new ObjectKey(bucketType, Bucket, Encoding.UTF8.GetBytes(key)), new KvValue(value));

        public async ValueTask GetAsync(string key)
        {
            var result = await client.GetAsync(new ObjectKey(bucketType, Bucket, Encoding.UTF8.GetBytes(key)));
            if (result is not GetResult.Found)
            {
                throw new InvalidOperationException($"{key} is missing");
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
