using Xunit;

namespace Kv.EndToEnd.Local;

/// <summary>The Makefile's commands as a newcomer types them.</summary>
public sealed class MakeTests
{
    /// <summary>What a shell has for a program that Ctrl-C ended: `make` ends itself by the same signal once its program has ended.</summary>
    private const int Interrupted = 130;

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

    /// <summary>All but the build, which whoever runs this has just done. What it prints and what the README says next is typed as it stands there; Ctrl-C ends it.</summary>
    [Fact]
    public async Task MakeRun_StartsTheExamples_SaysWhatToTry_AndItsNodesEndWithIt()
    {
        await using var run = await LocalRun.StartByMakeAsync(Cancel);
        await Eventually.AsyncTrue(() => Task.FromResult(run.Output.Contains("Ctrl-C stops the nodes", StringComparison.Ordinal)), TimeSpan.FromSeconds(120), () => run.Output, Cancel);
        Assert.Contains("example is ready: 5 nodes", run.Output, StringComparison.Ordinal);
        var nodes = run.Pids();
        Assert.Equal(5, nodes.Count);
        AssertFilesAreAsTold(Path.Combine(run.WorkingDirectory, ".kv"));

        var printed = PrintedCommands.OfOutput(run.Output, "Try it:");
        Assert.Equal(["curl", "curl", "bin/kv", "bin/kv"], printed.Select(line => line.Split(' ')[0]));
        Assert.Equal(["", "hello, ring", "", "hello again"], await TypeAsync(printed, SourceTree.Root));
        await TypeReadmeAsync(run);

        Assert.Equal(Interrupted, await run.InterruptAsync(group: true));
        Assert.Contains("stopped; the data stays in ", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(nodes.Values, pid => Directory.Exists($"/proc/{pid}"));
        Assert.DoesNotContain("Error", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CtrlC_EndsALocalRunCleanly_WithExitCode0()
    {
        await using var run = await LocalRun.StartAsync(1, Cancel);
        var nodes = run.Pids();
        Assert.Equal(0, await run.InterruptAsync(group: false));
        Assert.Single(nodes);
        Assert.DoesNotContain(nodes.Values, pid => Directory.Exists($"/proc/{pid}"));
    }

    /// <summary>Scripts read them: `NODE PROTOCOL ADDRESS` and `NODE PID`, a line each and nothing else.</summary>
    private static void AssertFilesAreAsTold(string data)
    {
        string[] names = ["example-0", "example-1", "example-2", "example-3", "example-4"];
        string[] protocols = ["admin", "grpc", "metrics", "peer", "riak-http", "riak-pb"];
        var endpoints = File.ReadAllLines(Path.Combine(data, "endpoints"));
        Assert.All(endpoints, line => Assert.Matches("^[^ ]+ [^ ]+ 127\\.0\\.0\\.1:[0-9]+$", line));
        Assert.Equal(names.SelectMany(node => protocols.Select(protocol => $"{node} {protocol}")), endpoints.Select(line => line[..line.LastIndexOf(' ')]).Order(StringComparer.Ordinal));
        var pids = File.ReadAllLines(Path.Combine(data, "pids"));
        Assert.All(pids, line => Assert.Matches("^[^ ]+ [0-9]+$", line));
        Assert.Equal(names, pids.Select(line => line.Split(' ')[0]).Order(StringComparer.Ordinal));
    }

    /// <summary>The README's lines for another terminal, where `.kv` is.</summary>
    private static async Task TypeReadmeAsync(LocalRun run)
    {
        var blocks = PrintedCommands.OfMarkdown(await File.ReadAllTextAsync(SourceTree.Path("README.md"), Cancel), "Five minutes");
        Assert.Equal(["make run", "make test"], Lines(blocks[0]).Select(line => line.Split('#')[0].Trim()));
        File.CreateSymbolicLink(Path.Combine(run.WorkingDirectory, "bin"), SourceTree.Path("bin"));
        var said = await TypeAsync(Lines(blocks[1]), run.WorkingDirectory);
        Assert.Equal(["", "hello"], said[..2]);
        Assert.Contains("5 of 5 members up", said[2], StringComparison.Ordinal);
        Assert.DoesNotContain("[critical]", said[3], StringComparison.Ordinal);
        Assert.Equal(4, said.Count);
    }

    private static string[] Lines(string block) => block.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>What each line prints, without the line end.</summary>
    private static async Task<List<string>> TypeAsync(IEnumerable<string> lines, string directory)
    {
        var said = new List<string>();
        foreach (var line in lines)
        {
            var typed = await PrintedCommands.RunAsync(line, directory, new Dictionary<string, string>(), TimeSpan.FromSeconds(60), Cancel);
            Assert.True(typed.Succeeded, typed.ToString());
            said.Add(typed.Output.TrimEnd('\n'));
        }

        return said;
    }
}
