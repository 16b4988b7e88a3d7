using Xunit;

namespace Kv.EndToEnd.Local;

/// <summary>The benchmark runs by `make bench`, each of its own targets with a row to each operation. What the figures are is not looked at.</summary>
public sealed class BenchmarkTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Load_HasARowForEachTargetAndOperation_AndTellsTheMemoryOfEachNode()
    {
        var output = await RunAsync("--seconds", "1", "--warm-up", "1", "--settle", "1", "--keys", "500", "--callers", "4", "--targets", "client,pb,http", "--operations", "put,get", "--memory-limit", "2Gi");
        foreach (var target in new[] { "client", "pb", "http" })
        {
            Assert.All(["put", "get"], operation => Assert.Matches($@"(?m)^\| {target} \| {operation} \| 4 \|( [0-9.]+ \|){{7}}$", output));
        }

        Assert.All(["node1", "node2", "node3"], node => Assert.Matches($@"{node} resident [0-9]+ MiB \(peak [0-9]+ MiB\) of limit 2Gi", output));
    }

    /// <summary>Without the build of the programs, which whoever runs this has just done, and in the same configuration.</summary>
    private static Task<string> RunAsync(params string[] arguments)
    {
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)) == "release" ? "Release" : "Debug";
        return Command.ReadAsync(
            "make", ["-s", "-o", "build", "bench", $"CONFIGURATION={configuration}", $"ARGS={string.Join(' ', arguments)}"], TimeSpan.FromMinutes(5), cancel: Cancel);
    }
}
