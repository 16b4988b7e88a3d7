using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Kv.Operator.BucketTypes;
using Kv.Operator.Clusters;
using Kv.Operator.Local;
using Kv.Operator.NodeAdmin;

namespace Kv.Operator.Commands;

/// <summary><c>kv-operator local DIRECTORY</c>: runs the clusters of a directory of manifests as processes on this machine.</summary>
internal static class LocalCommand
{
    public static Command Create()
    {
        var manifests = new Argument<string>("directory") { Description = "Manifests of Clusters and BucketTypes; read again when they change." };
        var data = new Option<string>("--data") { Description = "Where the nodes keep their data.", DefaultValueFactory = _ => ".kv" };
        var binary = new Option<string?>("--node-binary") { Description = "The kv-node to run; else the one beside this program, or in the PATH." };
        var restart = new Option<string>("--restart-after")
        {
            Description = "Seconds that a node that was killed stays down (doubled while it keeps ending), or `never`.",
            DefaultValueFactory = _ => "10",
        };
        var command = new Command("local", "Run clusters as processes on this machine, without Kubernetes.") { manifests, data, binary, restart };
        command.SetAction(parsed => RunAsync(parsed.GetValue(manifests)!, parsed.GetValue(data)!, parsed.GetValue(binary), parsed.GetValue(restart)!));
        return command;
    }

    private static async Task<int> RunAsync(string manifests, string data, string? binary, string restart)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                throw new WorldException("local mode runs on Linux and macOS; on Windows use WSL");
            }

            if (!Directory.Exists(manifests))
            {
                throw new WorldException($"{manifests} is not a directory");
            }

            var options = new LocalOptions
            {
                ManifestDirectory = manifests,
                DataDirectory = data,
                NodeBinary = binary is not null ? Existing(binary) : FindNodeBinary(),
                RestartAfter = ParseRestart(restart),
            };
            using var stop = new StopSignal();
            return await RunAsync(options, stop.Token);
        }
        catch (WorldException e)
        {
            await Console.Error.WriteLineAsync($"kv-operator: {e.Message}");
            return 1;
        }
    }

    /// <summary>Composes local mode and runs it.</summary>
    internal static async Task<int> RunAsync(LocalOptions options, CancellationToken cancel, TextWriter? output = null)
    {
        var time = TimeProvider.System;
        var files = new LocalFiles(options.DataDirectory);
        using var supervisor = new NodeSupervisor(options, files, time);
        using var reservations = new PortReservations();
        using var world = new LocalWorld(files, supervisor, reservations);
        using var admin = new GrpcNodeAdmin();
        var observer = new ClusterObserver(world, admin);
        var clusters = new ClusterReconciler(observer, new ClusterApplier(world, admin), time, PassIntervals.Local);
        var types = new BucketTypeReconciler(observer, admin, time, PassIntervals.Local);
        return await new LocalRunner(options, files, world, supervisor, clusters, types, time, output ?? Console.Out).RunAsync(cancel);
    }

    private static TimeSpan? ParseRestart(string text) => text switch
    {
        "never" => null,
        _ when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= 3600 => TimeSpan.FromSeconds(seconds),
        _ => throw new WorldException($"--restart-after must be `never` or 0 to 3600 seconds, not {text}"),
    };

    private static string FindNodeBinary()
    {
        const string name = "kv-node";
        var own = AppContext.BaseDirectory;
        var beside = Path.GetDirectoryName(Environment.ProcessPath) ?? own;
        var configuration = new DirectoryInfo(own.TrimEnd(Path.DirectorySeparatorChar)).Name;
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        // The third is where a build leaves it.
        string[] places = [beside, own, Path.Combine(own, "..", "..", "Kv.Node", configuration), .. path];
        return places.Select(place => Path.GetFullPath(Path.Combine(place, name))).FirstOrDefault(File.Exists)
            ?? throw new WorldException($"{name} is neither in {beside} nor in the PATH; build it (make build), or name it with --node-binary");
    }

    private static string Existing(string path) => File.Exists(path) ? Path.GetFullPath(path) : throw new WorldException($"{path} is not a file");

    /// <summary>Ctrl-C or SIGTERM asks for a clean end; a second one ends at once, and the nodes are ended by their guard.</summary>
    private sealed class StopSignal : IDisposable
    {
        private readonly CancellationTokenSource source = new();
        private readonly List<PosixSignalRegistration> registrations = [];

        public StopSignal()
        {
            foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM })
            {
                registrations.Add(PosixSignalRegistration.Create(signal, context =>
                {
                    context.Cancel = !source.IsCancellationRequested;
                    source.Cancel();
                }));
            }
        }

        public CancellationToken Token => source.Token;

        public void Dispose()
        {
            registrations.ForEach(one => one.Dispose());
            source.Dispose();
        }
    }
}
