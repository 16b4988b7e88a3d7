using System.Globalization;
using Kv.Benchmarks.AntiEntropy;
using Kv.Benchmarks.DataTypes;
using Kv.Benchmarks.Load;
using Kv.Benchmarks.Targets;

namespace Kv.Benchmarks;

/// <summary>The whole run: one target after the other, a row as soon as it is measured.</summary>
internal sealed class BenchRun(BenchOptions options)
{
    private const int SettleStepSeconds = 5;

    // Of one node. A settled one under load compiles a few, those of rare paths; one that is not, a hundred and more.
    private const int SettledMethodsPerSecond = 5;

    public async Task<int> RunAsync()
    {
        if (options.DataTypeMembers > 0)
        {
            return new MergeRun(options).Run();
        }

        if (!File.Exists(options.NodeBinary))
        {
            await Console.Error.WriteLineAsync($"{options.NodeBinary} is not there: `make build` makes it");
            return 2;
        }

        try
        {
            return options.AntiEntropyKeys > 0 ? await AntiEntropyAsync() : options.RestartKeys > 0 ? await RestartAsync() : await LoadAsync();
        }
        finally
        {
            if (Directory.Exists(options.DataDirectory))
            {
                Directory.Delete(options.DataDirectory, recursive: true);
            }
        }
    }

    private static string? Installed(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/bin").Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private static void Print(LoadResult row)
    {
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {row.Target} | {row.Operation} | {row.Callers} | {row.OperationsPerSecond:f0} | {row.P50:f2} | {row.P95:f2} | {row.P99:f2} | {row.ServerCpu:f0} | {row.ClientCpu:f0} | {row.Failures} |"));
        if (row.FirstFailure is { } failure)
        {
            Console.WriteLine($"  first failure: {failure}");
        }
    }

    private static async Task<ILoadTarget> ConnectAsync(string name, LocalRing ring) => name switch
    {
        "pb" => new PbTarget(ring),
        "http" => new HttpTarget(ring),
        _ => await ClientTarget.ConnectAsync(ring),
    };

    private async Task<int> LoadAsync()
    {
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{options.Nodes} nodes, n_val 3, default quorums, fsync; {options.Keys} keys of {options.ValueBytes} bytes; {Environment.ProcessorCount} cores shared by servers and load; closed loop, {options.Seconds} s each"));
        Console.WriteLine("| target | operation | callers | ops/s | p50 ms | p95 ms | p99 ms | server CPU us/op | client CPU us/op | failures |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        if (options.Targets.Any(name => name is "client" or "pb" or "http"))
        {
            await using var ring = await LocalRing.StartAsync(options);
            var filled = false;
            foreach (var name in options.Targets.Where(name => name is "client" or "pb" or "http"))
            {
                await using var target = await ConnectAsync(name, ring);
                await MeasureAsync(target, fill: !filled, ring);
                filled = true;
            }

            Console.WriteLine($"memory: {ring.Memory()}");
        }

        await MeasureOtherAsync("redis", "redis-server", program => RedisTarget.Start(program, Path.Combine(options.DataDirectory, "redis")));
        await MeasureOtherAsync("etcd", "etcd", program => EtcdTarget.Start(program, Path.Combine(options.DataDirectory, "etcd")));
        return 0;
    }

    private async Task MeasureOtherAsync(string name, string program, Func<string, ILoadTarget> start)
    {
        if (!options.Targets.Contains(name))
        {
            return;
        }

        if (Installed(program) is not { } path)
        {
            Console.WriteLine($"{name}: left out, {program} is not installed (Debian: apt-get install {program}{(name == "etcd" ? "-server" : "")})");
            return;
        }

        await using var target = start(path);
        await MeasureAsync(target, fill: true);
    }

    private async Task MeasureAsync(ILoadTarget target, bool fill, LocalRing? ring = null)
    {
        var loop = new ClosedLoop(target, options);
        if (fill)
        {
            await loop.FillAsync(ClosedLoop.Keys(options.Keys));
        }

        await loop.RunAsync("mixed", options.Callers.Max(), options.WarmUpSeconds);
        if (ring is not null && options.SettleSeconds > 0)
        {
            await SettleAsync(loop, target.Name, ring);
        }

        foreach (var callers in options.Callers)
        {
            foreach (var operation in options.Operations)
            {
                Print(await loop.RunAsync(operation, callers, options.Seconds));
            }
        }
    }

    /// <summary>
    /// Goes on with load, of each operation in turn, until the nodes' runtimes have compiled what is hot: until then code that counts its own calls runs, at more than twice the CPU, beside the thread that compiles.
    /// </summary>
    private async Task SettleAsync(ClosedLoop loop, string target, LocalRing ring)
    {
        var compiled = await ring.CompiledMethodsAsync();
        var round = SettleStepSeconds * options.Operations.Count;
        for (var waited = 0; waited < options.SettleSeconds; waited += round)
        {
            foreach (var operation in options.Operations)
            {
                await loop.RunAsync(operation, options.Callers.Max(), SettleStepSeconds);
            }

            var before = compiled;
            compiled = await ring.CompiledMethodsAsync();
            if (compiled - before <= SettledMethodsPerSecond * round * options.Nodes)
            {
                return;
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{target}: the nodes still compile after {options.WarmUpSeconds + options.SettleSeconds} s of load: the figures are those of a cold node"));
    }

    private async Task<int> AntiEntropyAsync()
    {
        await new UpkeepRun(options).RunAsync();
        await new ExchangeRun(options).RunAsync();
        return 0;
    }

    private async Task<int> RestartAsync()
    {
        await using var ring = await LocalRing.StartAsync(options);
        await using (var target = await ClientTarget.ConnectAsync(ring))
        {
            await new ClosedLoop(target, options).FillAsync(ClosedLoop.Keys(options.RestartKeys));
        }

        Console.WriteLine($"memory after the load: {ring.Memory()}");
        var took = await ring.RestartAsync();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"clean restart of {options.Nodes} nodes with {options.RestartKeys} keys of {options.ValueBytes} bytes: {took.TotalSeconds:f1} s until all serve"));
        var isWhole = await ReadSampleAsync(ring);
        Console.WriteLine($"memory after the restart: {ring.Memory()}");
        return isWhole ? 0 : 1;
    }

    /// <summary>Reads a thousand of the keys, or all where there are fewer; false where one is missing.</summary>
    private async Task<bool> ReadSampleAsync(LocalRing ring)
    {
        await using var target = await ClientTarget.ConnectAsync(ring);
        await using var connection = await target.ConnectAsync(0);
        var (asked, read) = (0, 0);
        string? firstFailure = null;
        for (var key = 0; key < options.RestartKeys; key += Math.Max(options.RestartKeys / 1000, 1))
        {
            asked++;
            try
            {
                await connection.GetAsync(ClosedLoop.Key(key));
                read++;
            }
            catch (Exception failure)
            {
                firstFailure ??= failure.Message;
            }
        }

        Console.WriteLine($"a sample of {asked} keys: {read} read{(firstFailure is null ? "" : $"; the first failure: {firstFailure}")}");
        return read == asked;
    }
}
