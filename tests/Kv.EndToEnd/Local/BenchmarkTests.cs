using System.Text.RegularExpressions;
using Xunit;

namespace Kv.EndToEnd.Local;

/// <summary>The benchmark runs, by `make bench` and by itself, whatever it is asked to measure, on very little. What the figures are is not looked at.</summary>
public sealed class BenchmarkTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Load_HasARowForEachTargetAndOperation_AndTellsTheMemoryOfEachNode()
    {
        var output = await MakeAsync("--seconds", "1", "--warm-up", "1", "--settle", "1", "--keys", "500", "--callers", "4", "--targets", "client,pb,http", "--operations", "put,get", "--memory-limit", "2Gi");
        foreach (var target in new[] { "client", "pb", "http" })
        {
            Assert.All(["put", "get"], operation => Assert.Matches($@"(?m)^\| {target} \| {operation} \| 4 \|( [0-9.]+ \|){{7}}$", output));
        }

        Assert.All(["node1", "node2", "node3"], node => Assert.Matches($@"{node} resident [0-9]+ MiB \(peak [0-9]+ MiB\) of limit 2Gi", output));
    }

    [Fact]
    public async Task Restart_TellsHowLongItTook_AndFindsTheKeysAgain()
    {
        var output = await RunAsync("--restart", "200", "--nodes", "1");
        Assert.Matches("(?m)^clean restart of 1 nodes with 200 keys of 1024 bytes: [0-9.]+ s until all serve$", output);
        Assert.Contains("a sample of 200 keys: 200 read\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AntiEntropy_HasARowForEachBucketTypeAndEachComparison_AndFindsAndRepairsWhatDiffers()
    {
        var output = await RunAsync("--aae", "100", "--nodes", "1", "--rounds", "1", "--seconds", "1", "--warm-up", "1", "--keys", "200", "--callers", "4");
        Assert.All(["trees", "no-trees"], type => Assert.Matches($@"(?m)^\| {type} \|( [0-9.]+ \([0-9.]+ to [0-9.]+\) \|){{3}} 0 \|$", output));
        Assert.Matches("(?m)^upkeep, by rounds: ", output);
        Assert.All(["10", "100"], keys => Assert.Matches($@"(?m)^\| {keys} \| 0 \| 0 \| 0 \| [0-9]+, at most [0-9]+, of 20 \|$", output));
        Assert.Matches(@"(?m)^\| 100 \| 100 \| 100 \| 100 \| [0-9]+ \|$", output);
    }

    [Fact]
    public async Task DataTypes_HaveARowForEachStateAndStep()
    {
        var output = await RunAsync("--data-types", "100", "--seconds", "1");
        foreach (var state in new[] { "set", "map" })
        {
            Assert.Equal(5, Regex.Count(output, $@"(?m)^\| {state} \| [0-9]+ \| [a-z:, ]+ \| [0-9]+ \| [0-9]+ \|$"));
        }
    }

    /// <summary>Without the build of the programs, which whoever runs this has just done, and in the same configuration.</summary>
    private static Task<string> MakeAsync(params string[] arguments) => Command.ReadAsync(
        "make", ["-s", "-o", "build", "bench", $"CONFIGURATION={(Configuration == "release" ? "Release" : "Debug")}", $"ARGS={string.Join(' ', arguments)}"], TimeSpan.FromMinutes(5), cancel: Cancel);

    private static Task<string> RunAsync(params string[] arguments) =>
        Command.ReadAsync(SourceTree.Path(".artifacts", "bin", "Kv.Benchmarks", Configuration, "Kv.Benchmarks"), arguments, TimeSpan.FromMinutes(5), cancel: Cancel);

    /// <summary>As in the tree's names: `release` or `debug`.</summary>
    private static string Configuration => Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
}
