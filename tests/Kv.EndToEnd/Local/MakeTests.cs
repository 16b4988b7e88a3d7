using Xunit;

namespace Kv.EndToEnd.Local;

/// <summary>The Makefile's commands as a newcomer types them.</summary>
public sealed class MakeTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("build")]
    [InlineData("test")]
    [InlineData("run")]
    public async Task Make_WithoutTheSdk_SaysInOneLineWhatIsMissing(string target)
    {
        var path = Directory.CreateTempSubdirectory("kv-path-");
        try
        {
            File.CreateSymbolicLink(Path.Combine(path.FullName, "sed"), "/usr/bin/sed");
            // Not as a part of the make that runs this test, which would have it tell its directory.
            var environment = new Dictionary<string, string> { ["PATH"] = path.FullName, ["MAKELEVEL"] = "0", ["MAKEFLAGS"] = "" };
            var made = await Command.RunAsync("make", [target], TimeSpan.FromSeconds(30), environment, cancel: Cancel);
            Assert.False(made.Succeeded);
            Assert.Equal("", made.Output);
            var lines = made.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("make", StringComparison.Ordinal));
            Assert.Matches(@"^The \.NET SDK [0-9]+\.[0-9]+ is missing: install it from https://\S+$", Assert.Single(lines));
        }
        finally
        {
            path.Delete(recursive: true);
        }
    }

    /// <summary>All but the build, which whoever runs this has just done.</summary>
    [Fact]
    public async Task MakeRun_StartsTheExamples_SaysWhatToTry_AndItsNodesEndWithIt()
    {
        await using var run = await LocalRun.StartByMakeAsync(Cancel);
        await Eventually.AsyncTrue(() => Task.FromResult(run.Output.Contains("example is ready: 5 nodes", StringComparison.Ordinal)), TimeSpan.FromSeconds(120), () => run.Output, Cancel);
        Assert.Matches(@"kv(-\S+)? .*get greetings second", run.Output);
        var nodes = run.Pids();
        Assert.Equal(5, nodes.Count);
        await run.StopAsync();
        Assert.DoesNotContain(nodes.Values, pid => Directory.Exists($"/proc/{pid}"));
    }
}
