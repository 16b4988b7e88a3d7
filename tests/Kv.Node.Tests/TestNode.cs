using Grpc.Net.Client;
using Kv.Protos.Admin.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kv.Node.Tests;

/// <summary>A whole node in this process, on loopback ports that were free, its data in memory.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private readonly GrpcChannel adminChannel;
    private readonly GrpcChannel kvChannel;
    private int isDisposed;

    private TestNode(NodeComposition composition)
    {
        Composition = composition;
        adminChannel = GrpcChannel.ForAddress("http://" + Endpoint("admin"));
        kvChannel = GrpcChannel.ForAddress("http://" + Endpoint("grpc"));
        Admin = new Admin.AdminClient(adminChannel);
        Kv = new Protos.Kv.V1.Kv.KvClient(kvChannel);
    }

    public NodeComposition Composition { get; }

    public Admin.AdminClient Admin { get; }

    public Protos.Kv.V1.Kv.KvClient Kv { get; }

    public static NodeOptions Options(string name, string zone = "") => new()
    {
        Name = name,
        Zone = zone,
        DataDirectory = "",
        GrpcPort = ListenPort.Any,
        PeerPort = ListenPort.Any,
        AdminPort = ListenPort.Any,
        RiakPbPort = ListenPort.Any,
        RiakHttpPort = ListenPort.Any,
        MetricsPort = ListenPort.Any,
    };

    public static Task<TestNode> StartAsync(string name, CancellationToken cancel, NodeStorage? storage = null) => StartAsync(Options(name), cancel, storage);

    public static async Task<TestNode> StartAsync(NodeOptions options, CancellationToken cancel, NodeStorage? storage = null, TimeProvider? clock = null)
    {
        var composition = new NodeComposition(options, NullLoggerFactory.Instance, (_, _, _) => storage ?? NodeStorages.InMemory(), clock);
        await composition.StartAsync(cancel);
        return new TestNode(composition);
    }

    public string Endpoint(string protocol) => Composition.Endpoints[protocol];

    public async ValueTask DisposeAsync()
    {
        // A test may end a node before its cluster does.
        if (Interlocked.Exchange(ref isDisposed, 1) == 1)
        {
            return;
        }

        adminChannel.Dispose();
        kvChannel.Dispose();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await Composition.StopAsync(limit.Token);
        await Composition.DisposeAsync();
    }
}
