using System.Diagnostics;

namespace Kv.Benchmarks.Load;

/// <summary>Callers that each wait for one operation before the next, for a while.</summary>
internal sealed class ClosedLoop(ILoadTarget target, BenchOptions options)
{
    /// <summary>Puts every key once, with many callers and no measurement.</summary>
    public async Task FillAsync(IReadOnlyList<string> keys)
    {
        const int callers = 128;
        var value = Value(seed: 1);
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            await using var connection = await target.ConnectAsync(caller);
            for (var key = Interlocked.Increment(ref next); key < keys.Count; key = Interlocked.Increment(ref next))
            {
                await PutWithRetriesAsync(connection, keys[key], value);
            }
        })));
    }

    public async Task<LoadResult> RunAsync(string operation, int callers, int seconds)
    {
        var connections = new ILoadConnection[callers];
        for (var i = 0; i < callers; i++)
        {
            connections[i] = await target.ConnectAsync(i);
        }

        var failures = 0L;
        string? firstFailure = null;
        var serverCpu = ServerCpu();
        var clientCpu = ProcessMeter.CpuSeconds(Environment.ProcessId);
        var watch = Stopwatch.StartNew();
        var end = TimeSpan.FromSeconds(seconds);
        var histograms = await Task.WhenAll(connections.Select((connection, caller) => Task.Run(async () =>
        {
            var latencies = new LatencyHistogram();
            var random = new Random(caller);
            var value = Value(caller);
            while (watch.Elapsed < end)
            {
                var key = Key(random.Next(options.Keys));
                var isPut = operation == "put" || (operation == "mixed" && random.Next(100) < 20);
                var begun = Stopwatch.GetTimestamp();
                try
                {
                    await (isPut ? connection.PutAsync(key, value) : connection.GetAsync(key));
                    latencies.Record((long)Stopwatch.GetElapsedTime(begun).TotalMicroseconds);
                }
                catch (Exception failure)
                {
                    Interlocked.Increment(ref failures);
                    Interlocked.CompareExchange(ref firstFailure, failure.Message, null);
                }
            }

            return latencies;
        })));
        var elapsed = watch.Elapsed.TotalSeconds;
        serverCpu = ServerCpu() - serverCpu;
        clientCpu = ProcessMeter.CpuSeconds(Environment.ProcessId) - clientCpu;
        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }

        var all = new LatencyHistogram();
        foreach (var histogram in histograms)
        {
            all.Add(histogram);
        }

        var count = Math.Max(all.Count, 1);
        return new LoadResult(
            target.Name,
            operation,
            callers,
            all.Count / elapsed,
            all.Percentile(0.50) / 1000.0,
            all.Percentile(0.95) / 1000.0,
            all.Percentile(0.99) / 1000.0,
            serverCpu * 1e6 / count,
            clientCpu * 1e6 / count,
            failures,
            firstFailure);
    }

    public static IReadOnlyList<string> Keys(int count) => [.. Enumerable.Range(0, count).Select(Key)];

    public static string Key(int number) => $"key-{number:d9}";

    private static async Task PutWithRetriesAsync(ILoadConnection connection, string key, ReadOnlyMemory<byte> value)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await connection.PutAsync(key, value);
                return;
            }
            catch (Exception) when (attempt < 10)
            {
                await Task.Delay(50 * attempt);
            }
        }
    }

    // Random bytes: nothing on the way can compress them.
    private byte[] Value(int seed)
    {
        var value = new byte[options.ValueBytes];
        new Random(seed).NextBytes(value);
        return value;
    }

    private double ServerCpu() => target.ServerPids.Sum(ProcessMeter.CpuSeconds);
}
