using Xunit;

namespace Kv.EndToEnd.Local;

/// <summary>The benchmark runs, each of its own targets with a row to each operation. What the figures are is not looked at.</summary>
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

    private static Task<string> RunAsync(params string[] arguments)
    {
        // Built beside this program, in the same configuration.
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var program = SourceTree.Path(".artifacts", "bin", "Kv.Benchmarks", configuration, "Kv.Benchmarks");
        return Command.ReadAsync(program, ["--node", SourceTree.Path("bin", "kv-node"), .. arguments], TimeSpan.FromMinutes(2), cancel: Cancel);
    }
}
