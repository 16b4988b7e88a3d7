using System.Globalization;
using Kv.Benchmarks.Load;
using Kv.Benchmarks.Targets;
using Kv.Protos.Admin.V1;

namespace Kv.Benchmarks.AntiEntropy;

/// <summary>What the upkeep of hash trees takes of puts: two bucket types that differ in nothing but `aae`, in turns on one ring, so that the machine's moods meet both.</summary>
internal sealed class UpkeepRun(BenchOptions options)
{
    private const string With = "trees";
    private const string Without = "no-trees";

    public async Task RunAsync()
    {
        var callers = options.Callers.Max();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"puts to bucket types with `aae` true and false in turns, {options.Rounds} rounds of {options.Seconds} s each, {callers} callers, {options.Keys} keys of {options.ValueBytes} bytes; medians, with the quartiles"));
        // Each pair compares once at the start, and then no more: that is not the trees' upkeep.
        await using var ring = await LocalRing.StartAsync(
            options with { DataDirectory = Path.Combine(options.DataDirectory, "upkeep"), NodeArguments = ["--exchange-interval-seconds", "86400"] });
        await AddTypeAsync(ring, With, isOn: true);
        await AddTypeAsync(ring, Without, isOn: false);
        await using var with = await ClientTarget.ConnectAsync(ring, With);
        await using var without = await ClientTarget.ConnectAsync(ring, Without);
        ClosedLoop[] loops = [new(with, options), new(without, options)];
        foreach (var loop in loops)
        {
            await loop.FillAsync(ClosedLoop.Keys(options.Keys));
            await loop.RunAsync("put", callers, options.WarmUpSeconds);
        }

        var results = new[] { new List<LoadResult>(), new List<LoadResult>() };
        for (var round = 0; round < options.Rounds; round++)
        {
            int[] order = round % 2 == 0 ? [0, 1] : [1, 0];
            foreach (var which in order)
            {
                results[which].Add(await loops[which].RunAsync("put", callers, options.Seconds));
            }
        }

        Print(results[0], results[1]);
    }

    private static async Task AddTypeAsync(LocalRing ring, string name, bool isOn)
    {
        using var channel = LocalRing.AdminChannel(0);
        var admin = new Admin.AdminClient(channel);
        var props = isOn ? """{"allow_mult": false}""" : """{"allow_mult": false, "aae": false}""";
        await admin.CreateBucketTypeAsync(new CreateBucketTypeRequest { Name = name, PropsJson = props });
        await ring.PatientlyAsync(async () => await admin.ActivateBucketTypeAsync(new ActivateBucketTypeRequest { Name = name }));
    }

    private static void Print(List<LoadResult> with, List<LoadResult> without)
    {
        Console.WriteLine("| bucket type | puts/s | server CPU us/op | p99 ms | failures |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var results in new[] { with, without })
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {results[0].Target} | {Spread(results, result => result.OperationsPerSecond, "f0")} | {Spread(results, result => result.ServerCpu, "f1")} | {Spread(results, result => result.P99, "f1")} | {results.Sum(result => result.Failures)} |"));
        }

        // Each round's two are neighbours in time: their ratio is steadier than that of the medians.
        var slower = with.Zip(without, (a, b) => 100 * (1 - (a.OperationsPerSecond / b.OperationsPerSecond))).ToList();
        var dearer = with.Zip(without, (a, b) => 100 * ((a.ServerCpu / b.ServerCpu) - 1)).ToList();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"upkeep, by rounds: {Spread(slower, share => share, "f1")} % of put throughput; {Spread(dearer, share => share, "f1")} % of the servers' CPU for a put"));
    }

    private static string Spread<T>(IEnumerable<T> results, Func<T, double> figure, string format)
    {
        var sorted = results.Select(figure).Order().ToArray();
        string Text(double value) => value.ToString(format, CultureInfo.InvariantCulture);
        return $"{Text(sorted[sorted.Length / 2])} ({Text(sorted[sorted.Length / 4])} to {Text(sorted[sorted.Length * 3 / 4])})";
    }
}
