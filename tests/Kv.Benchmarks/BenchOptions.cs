using System.Globalization;

namespace Kv.Benchmarks;

/// <summary>What to measure, from `--name value` arguments.</summary>
internal sealed record BenchOptions
{
    public const string Help = """
        kv-bench: closed-loop load on three local nodes with real fsync, beside a Redis and an etcd where they are installed
          --node PATH       the kv-node executable (bin/kv-node)
          --seconds N       of each measurement (10)
          --warm-up N       seconds of load before the first measurement of each target: programs compile what is hot while it runs (30)
          --settle N        seconds of load at most that follow the warm-up until the nodes compile no more (180; 0: not)
          --keys N          distinct keys (100000)
          --value-bytes N   bytes of a value (1024)
          --callers LIST    callers at once, each with one operation under way (16,64)
          --targets LIST    of client,pb,http,redis,etcd (all)
          --operations LIST of put,get,mixed: mixed is 80 gets to 20 puts (all)
          --nodes N         nodes of the ring (3)
          --memory-limit SIZE  of each node, with `Ki`, `Mi` or `Gi` (2Gi)
          --restart N       instead: load N keys, stop cleanly, and time until a restarted ring serves (0: not)
          --aae N           instead: what anti-entropy costs and takes, with N keys in a vnode and a tenth of that (0: not); three nodes
          --rounds N        of --aae: pairs of measurements, with hash trees and without (25)
          --data-types N    instead: what a set of N members and a map of a tenth as many fields cost to read, write, merge and update (0: not); no node
          --data DIRECTORY  for the nodes' data; removed at the end (a new one under the temporary directory)
        """;

    public string NodeBinary { get; init; } = "bin/kv-node";

    public int Seconds { get; init; } = 10;

    public int WarmUpSeconds { get; init; } = 30;

    public int SettleSeconds { get; init; } = 180;

    public int Keys { get; init; } = 100_000;

    public int ValueBytes { get; init; } = 1024;

    public IReadOnlyList<int> Callers { get; init; } = [16, 64];

    public IReadOnlyList<string> Targets { get; init; } = ["client", "pb", "http", "redis", "etcd"];

    public IReadOnlyList<string> Operations { get; init; } = ["put", "get", "mixed"];

    public int Nodes { get; init; } = 3;

    /// <summary>As a node takes it.</summary>
    public string MemoryLimit { get; init; } = "2Gi";

    public int RestartKeys { get; init; }

    public int AntiEntropyKeys { get; init; }

    public int Rounds { get; init; } = 25;

    public int DataTypeMembers { get; init; }

    public int RingSize { get; init; } = 64;

    /// <summary>Of every node, beside its name, its directory and its ports.</summary>
    public IReadOnlyList<string> NodeArguments { get; init; } = [];

    public string DataDirectory { get; init; } = Path.Combine(Path.GetTempPath(), $"kv-bench-{Environment.ProcessId}");

    /// <exception cref="ArgumentException">An argument is unknown or out of range; the message names it.</exception>
    public static BenchOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new BenchOptions();
        for (var i = 0; i < arguments.Count; i += 2)
        {
            if (i + 1 == arguments.Count)
            {
                throw new ArgumentException($"{arguments[i]} needs a value");
            }

            var value = arguments[i + 1];
            options = arguments[i] switch
            {
                "--node" => options with { NodeBinary = value },
                "--seconds" => options with { Seconds = Number(arguments[i], value, 1, 3600) },
                "--warm-up" => options with { WarmUpSeconds = Number(arguments[i], value, 1, 3600) },
                "--settle" => options with { SettleSeconds = Number(arguments[i], value, 0, 3600) },
                "--keys" => options with { Keys = Number(arguments[i], value, 1, 100_000_000) },
                "--value-bytes" => options with { ValueBytes = Number(arguments[i], value, 1, 16 * 1024 * 1024) },
                "--callers" => options with { Callers = [.. value.Split(',').Select(text => Number("--callers", text, 1, 4096))] },
                "--targets" => options with { Targets = Words(arguments[i], value, "client", "pb", "http", "redis", "etcd") },
                "--operations" => options with { Operations = Words(arguments[i], value, "put", "get", "mixed") },
                "--nodes" => options with { Nodes = Number(arguments[i], value, 1, 16) },
                "--memory-limit" => options with { MemoryLimit = value },
                "--restart" => options with { RestartKeys = Number(arguments[i], value, 0, 100_000_000) },
                "--aae" => options with { AntiEntropyKeys = Number(arguments[i], value, 0, 10_000_000) },
                "--rounds" => options with { Rounds = Number(arguments[i], value, 1, 1000) },
                "--data-types" => options with { DataTypeMembers = Number(arguments[i], value, 0, 10_000_000) },
                "--data" => options with { DataDirectory = value },
                _ => throw new ArgumentException($"{arguments[i]} is not an argument"),
            };
        }

        return options;
    }

    private static int Number(string name, string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new ArgumentException($"{name} takes a number from {least} to {most}, not `{text}`");

    private static string[] Words(string name, string text, params string[] known)
    {
        var words = text.Split(',');
        return words.All(known.Contains) ? words : throw new ArgumentException($"{name} takes some of {string.Join(',', known)}, not `{text}`");
    }
}
