using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Kv.Client;

namespace Kv.EndToEnd.Local;

/// <summary>`kv-operator local` on a directory of its own: real processes on loopback, with the manifests a newcomer has.</summary>
internal sealed partial class LocalRun : IAsyncDisposable
{
    private const int SigInt = 2;
    private const int SigTerm = 15;
    private const int SigKill = 9;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly string _root;
    private readonly StringWriter _output = new();
    private readonly Dictionary<string, NodeCommand> _killed = [];
    private readonly List<Process> _restarted = [];
    private Process? _process;

    private LocalRun(string root) => _root = root;

    /// <summary>Where a person would stand: `.kv` is in it.</summary>
    public string WorkingDirectory => _root;

    public string Manifests => Path.Combine(_root, "manifests");

    /// <summary>What the run has printed so far: for a test's failure.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    private string Data => Path.Combine(_root, ".kv");

    /// <summary>The directories of a node's stores.</summary>
    public string StoresOf(string node) => Path.Combine(Data, node, "stores");

    /// <summary>What a node has logged so far.</summary>
    public string LogOf(string node) => File.ReadAllText(Path.Combine(Data, "logs", node + ".log"));

    /// <summary>Starts a run of the examples in an empty directory and waits until every node serves and every bucket type is active.</summary>
    public static async Task<LocalRun> StartAsync(int nodes, CancellationToken cancel)
    {
        var run = new LocalRun(Path.Combine(Path.GetTempPath(), $"kv-local-{Guid.NewGuid():n}"));
        Directory.CreateDirectory(run.Manifests);
        foreach (var example in Directory.GetFiles(SourceTree.Path("crds", "examples")))
        {
            File.Copy(example, Path.Combine(run.Manifests, Path.GetFileName(example)));
        }

        await run.SetNodesAsync(nodes, cancel);
        run.Start();
        try
        {
            await run.WaitForNodesAsync(nodes, cancel);
            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the examples by `make run`, without its build, and waits until all five nodes are ready.</summary>
    public static async Task<LocalRun> StartByMakeAsync(CancellationToken cancel)
    {
        var run = new LocalRun(Path.Combine(Path.GetTempPath(), $"kv-local-{Guid.NewGuid():n}"));
        Directory.CreateDirectory(run._root);
        run.Start("make", ["-s", "-C", SourceTree.Root, "-o", "build", "run", $"DATA={run.Data}"], asGroup: true);
        try
        {
            await run.WaitForNodesAsync(5, cancel);
            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>Edits the manifest, as a person would.</summary>
    public Task SetNodesAsync(int nodes, CancellationToken cancel) =>
        EditAsync(line => line.StartsWith("  nodes:", StringComparison.Ordinal) ? [$"  nodes: {nodes}"] : [line], cancel);

    /// <summary>Asks for a restart of every node, one after another, each as soon as the one before it is back.</summary>
    public Task RestartAllAsync(string reason, CancellationToken cancel) => EditAsync(
        line => line switch
        {
            "spec:" => [line, "  rollout: { settleSeconds: 3 }", $"  restartReason: {reason}"],
            _ => [line],
        },
        cancel);

    /// <summary>Starts it anew on the same data.</summary>
    public void Start()
    {
        var binary = SourceTree.Path("bin", "kv-operator");
        if (!File.Exists(binary))
        {
            throw new InvalidOperationException($"{binary} is not there: `make build` makes it");
        }

        Start(binary, ["local", Manifests, "--data", Data, "--node-binary", SourceTree.Path("bin", "kv-node"), "--restart-after", "never"], asGroup: false);
    }

    /// <param name="program">On the path, or where it is.</param>
    /// <param name="arguments">Of it.</param>
    /// <param name="asGroup">In a process group of its own, as a shell at a terminal has it; its id is the process's. Ctrl-C reaches it whatever whoever runs the tests does with that.</param>
    private void Start(string program, IReadOnlyList<string> arguments, bool asGroup)
    {
        string[] setup = ["--default-signal=INT", .. asGroup ? (string[])["setsid"] : []];
        _process = Process.Start(new ProcessStartInfo("env", [.. setup, program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>As a service manager stops it, and the wait for a clean end.</summary>
    /// <returns>Its exit code.</returns>
    public Task<int> StopAsync()
    {
        var process = _process ?? throw new InvalidOperationException("it does not run");
        return EndAsync(process, () => Kill(process.Id, SigTerm));
    }

    /// <summary>Ctrl-C, and the wait for a clean end.</summary>
    /// <param name="group">Whether it was started as a group, all of which a terminal tells.</param>
    /// <returns>Its exit code.</returns>
    public Task<int> InterruptAsync(bool group)
    {
        var process = _process ?? throw new InvalidOperationException("it does not run");
        return EndAsync(process, () => Kill(group ? -process.Id : process.Id, SigInt));
    }

    private async Task<int> EndAsync(Process process, Func<int> signal)
    {
        if (!process.HasExited)
        {
            _ = signal();
        }

        foreach (var one in _restarted.Where(one => !one.HasExited))
        {
            _ = Kill(one.Id, SigTerm);
        }

        using var limit = new CancellationTokenSource(Patience);
        foreach (var one in _restarted.Append(process))
        {
            await one.WaitForExitAsync(limit.Token);
        }

        _restarted.Clear();
        _process = null;
        return process.ExitCode;
    }

    /// <summary>A client of the ring, which asks at most <paramref name="attempts"/> nodes for each operation.</summary>
    public async Task<KvClusterClient> ConnectAsync(CancellationToken cancel, int attempts = 3) =>
        await KvClusterClient.ConnectAsync(new KvClientOptions { Seeds = Endpoints("grpc"), Timeout = TimeSpan.FromSeconds(20), MaxAttempts = attempts }, cancel);

    /// <summary>Addresses of all nodes for one protocol, as the run tells them to the world.</summary>
    public IReadOnlyList<string> Endpoints(string protocol) =>
    [
        .. ReadLines("endpoints").Select(line => line.Split(' ')).Where(fields => fields.Length == 3 && fields[1] == protocol).Select(fields => fields[2]),
    ];

    /// <summary>The address of one node for one protocol.</summary>
    public string Endpoint(string node, string protocol) => ReadLines("endpoints").Select(line => line.Split(' ')).Single(fields => fields.Length == 3 && fields[0] == node && fields[1] == protocol)[2];

    public IReadOnlyDictionary<string, int> Pids() =>
        ReadLines("pids").Select(line => line.Split(' ')).Where(fields => fields.Length == 2)
            .ToDictionary(fields => fields[0], fields => int.Parse(fields[1], CultureInfo.InvariantCulture));

    /// <summary>kill -9. The run leaves it at that.</summary>
    public void KillNode(string name)
    {
        var pid = Pids()[name];
        _killed[name] = NodeCommand.Of(pid);
        _ = Kill(pid, SigKill);
    }

    /// <summary>Starts a killed node as the run had started it, while the others go on.</summary>
    public void StartKilledNode(string name) => _restarted.Add(_killed[name].Start());

    /// <summary>Waits until so many nodes answer that they are ready.</summary>
    public async Task WaitForNodesAsync(int nodes, CancellationToken cancel)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        await Eventually.AsyncTrue(
            async () =>
            {
                if (_process is { HasExited: true })
                {
                    throw new InvalidOperationException($"kv-operator ended with {_process.ExitCode}:\n{Output}");
                }

                var ready = 0;
                foreach (var endpoint in Endpoints("metrics"))
                {
                    ready += await IsReadyAsync(http, endpoint, cancel) ? 1 : 0;
                }

                return ready >= nodes;
            },
            Patience,
            () => $"{nodes} nodes were not ready:\n{Output}",
            cancel);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_process is { HasExited: false })
            {
                await StopAsync();
            }
        }
        finally
        {
            EndAll();
        }
    }

    private void EndAll()
    {
        if (_process is { HasExited: false } stuck)
        {
            stuck.Kill();
        }

        foreach (var pid in Pids().Values.Concat(_restarted.Where(one => !one.HasExited).Select(one => one.Id)))
        {
            _ = Kill(pid, SigKill);
        }

        Directory.Delete(_root, recursive: true);
    }

    private async Task EditAsync(Func<string, IEnumerable<string>> edit, CancellationToken cancel)
    {
        var manifest = Path.Combine(Manifests, "cluster.yaml");
        var lines = await File.ReadAllLinesAsync(manifest, cancel);
        await File.WriteAllLinesAsync(manifest + ".new", lines.SelectMany(edit), cancel);
        File.Move(manifest + ".new", manifest, overwrite: true);
    }

    private static async Task<bool> IsReadyAsync(HttpClient http, string endpoint, CancellationToken cancel)
    {
        try
        {
            using var response = await http.GetAsync(new Uri($"http://{endpoint}/readyz"), cancel);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    private string[] ReadLines(string file)
    {
        var path = Path.Combine(Data, file);
        return File.Exists(path) ? File.ReadAllLines(path) : [];
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_output)
        {
            _output.WriteLine(line.Data);
        }
    }
}
