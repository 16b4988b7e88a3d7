using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Grpc.Net.Client;
using Kv.Benchmarks.Load;
using Kv.Protos.Admin.V1;

namespace Kv.Benchmarks.Targets;

/// <summary>Nodes as processes on loopback, made one ring through their admin port.</summary>
internal sealed class LocalRing : IAsyncDisposable
{
    private const int FirstPort = 19080;
    private const string CompiledMethods = "dotnet_jit_compiled_methods_total";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly BenchOptions _options;
    private readonly List<ServerProcess> _nodes = [];

    private LocalRing(BenchOptions options) => _options = options;

    public IReadOnlyList<int> Pids => [.. _nodes.Select(node => node.Pid)];

    public IReadOnlyList<string> GrpcEndpoints => [.. Enumerable.Range(0, _options.Nodes).Select(node => Endpoint(node, Port.Grpc))];

    public IReadOnlyList<string> HttpEndpoints => [.. Enumerable.Range(0, _options.Nodes).Select(node => Endpoint(node, Port.RiakHttp))];

    public IReadOnlyList<string> PbEndpoints => [.. Enumerable.Range(0, _options.Nodes).Select(node => Endpoint(node, Port.RiakPb))];

    private enum Port
    {
        Grpc = 0,
        Peer = 1,
        Admin = 2,
        RiakHttp = 3,
        Metrics = 4,
        RiakPb = 5,
    }

    public static async Task<LocalRing> StartAsync(BenchOptions options)
    {
        var ring = new LocalRing(options);
        ring.StartNodes();
        await ring.FormAsync();
        return ring;
    }

    /// <summary>Stops every node cleanly, starts all again, and tells how long until each serves.</summary>
    public async Task<TimeSpan> RestartAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        _nodes.Clear();
        var watch = Stopwatch.StartNew();
        StartNodes();
        await UntilReadyAsync();
        return watch.Elapsed;
    }

    /// <summary>Stops a node cleanly, has something done to its data, and starts it again.</summary>
    public async Task WhileStoppedAsync(int node, Func<string, Task> change)
    {
        await _nodes[node].DisposeAsync();
        await change(DirectoryOf(node));
        _nodes[node] = StartNode(node);
        await UntilReadyAsync();
    }

    /// <summary>What memory each node takes now, what it took at most since it was started, and what it may take; for people.</summary>
    public string Memory() => string.Join("; ", _nodes.Select((node, at) =>
        $"{NameOf(at)} resident {MiB(ProcessMeter.ResidentBytes(node.Pid))} (peak {MiB(ProcessMeter.PeakResidentBytes(node.Pid))}) of limit {_options.MemoryLimit}"));

    /// <summary>Methods that the nodes' runtimes have compiled since their start, those compiled again counted again.</summary>
    public async Task<long> CompiledMethodsAsync()
    {
        using var http = new HttpClient();
        var compiled = 0L;
        for (var node = 0; node < _options.Nodes; node++)
        {
            var metrics = await http.GetStringAsync(new Uri($"http://{Endpoint(node, Port.Metrics)}/metrics"));
            var line = metrics.Split('\n').First(text => text.StartsWith(CompiledMethods, StringComparison.Ordinal));
            compiled += long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
        }

        return compiled;
    }

    private static string MiB(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1_048_576} MiB");

    public static string NameOf(int node) => $"node{node + 1}";

    /// <summary>A node's admin port, on a connection of the caller's own.</summary>
    public static GrpcChannel AdminChannel(int node) => GrpcChannel.ForAddress($"http://{Endpoint(node, Port.Admin)}");

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
    }

    private string DirectoryOf(int node) => Path.Combine(_options.DataDirectory, NameOf(node));

    private static string Endpoint(int node, Port port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Number(node, port)}");

    private static int Number(int node, Port port) => FirstPort + (10 * node) + (int)port;

    private void StartNodes()
    {
        for (var node = 0; node < _options.Nodes; node++)
        {
            _nodes.Add(StartNode(node));
        }
    }

    private ServerProcess StartNode(int node)
    {
        string[] arguments =
        [
            "--name", NameOf(node),
            "--data", DirectoryOf(node),
            "--memory-limit", _options.MemoryLimit,
            .. PortArgument("--grpc-port", node, Port.Grpc),
            .. PortArgument("--peer-port", node, Port.Peer),
            .. PortArgument("--admin-port", node, Port.Admin),
            .. PortArgument("--riak-http-port", node, Port.RiakHttp),
            .. PortArgument("--riak-pb-port", node, Port.RiakPb),
            .. PortArgument("--metrics-port", node, Port.Metrics),
            .. _options.NodeArguments,
        ];
        return ServerProcess.Start(_options.NodeBinary, arguments, DirectoryOf(node) + ".log");
    }

    private static string[] PortArgument(string name, int node, Port port) => [name, Number(node, port).ToString(CultureInfo.InvariantCulture)];

    private async Task FormAsync()
    {
        using var channel = AdminChannel(0);
        var admin = new Admin.AdminClient(channel);
        await PatientlyAsync(async () => await admin.CreateClusterAsync(new CreateClusterRequest { ClusterName = "bench", RingSize = _options.RingSize }));
        if (_options.Nodes > 1)
        {
            var join = new StageJoinRequest();
            join.PeerAddresses.AddRange(Enumerable.Range(1, _options.Nodes - 1).Select(node => Endpoint(node, Port.Peer)));
            await PatientlyAsync(async () =>
            {
                var plan = await admin.StageJoinAsync(join);
                await admin.CommitPlanAsync(new CommitPlanRequest { PlanId = plan.PlanId });
            });
        }

        await PatientlyAsync(async () =>
        {
            var cluster = await admin.GetClusterAsync(new GetClusterRequest());
            if (cluster.PendingTransfers > 0 || !cluster.Converged)
            {
                throw new RpcException(new Status(StatusCode.Unavailable, $"{cluster.PendingTransfers} transfers to go"));
            }
        });
        await UntilReadyAsync();
    }

    private async Task UntilReadyAsync()
    {
        using var http = new HttpClient();
        for (var node = 0; node < _options.Nodes; node++)
        {
            var ready = new Uri($"http://{Endpoint(node, Port.Metrics)}/readyz");
            await PatientlyAsync(async () =>
            {
                using var response = await http.GetAsync(ready);
                response.EnsureSuccessStatusCode();
            });
        }
    }

    /// <summary>Tries again while a node is not there or not ready.</summary>
    public async Task PatientlyAsync(Func<Task> step)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await step();
                return;
            }
            catch (Exception failure) when (failure is RpcException or HttpRequestException && watch.Elapsed < Patience)
            {
                await Task.Delay(50);
            }
            catch (Exception failure) when (failure is RpcException or HttpRequestException)
            {
                throw new InvalidOperationException($"the ring did not form: {failure.Message}; logs are {_options.DataDirectory}/*.log", failure);
            }
        }
    }
}
