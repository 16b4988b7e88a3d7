using System.Diagnostics;
using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>What the README has people type once the chart is installed, and what the chart's notes say then, typed as it stands there.</summary>
[Collection(KubernetesCollection.Name)]
public sealed class FirstStepsTests(KubernetesCluster cluster, OperatorRelease release) : IAsyncLifetime
{
    private readonly string space = $"kv-first-{Guid.NewGuid():N}"[..16];

    // For this user's eyes only, as what is in it.
    private readonly string directory = Directory.CreateTempSubdirectory("kv-first-").FullName;

    private string Kubeconfig => Path.Combine(directory, "kubeconfig");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await release.RequireAsync();
        await cluster.KubectlAsync("create", "namespace", space);
        // Readers have a namespace of their own too, as the context's.
        await File.WriteAllTextAsync(Kubeconfig, await cluster.KubectlAsync("config", "view", "--raw", "--flatten"), Cancel);
        await Command.ReadAsync("kubectl", ["config", "set-context", "--current", "--namespace", space], TimeSpan.FromMinutes(1), Environment(), cancel: Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await cluster.TryKubectlAsync(null, "delete", "namespace", space, "--wait=false");
        await cluster.TryKubectlAsync(null, "-n", space, "delete", "pods", "--all", "--grace-period=1", "--timeout=60s");
        Directory.Delete(directory, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>By the chart's own account: a right that is missing shows here, as a child that does not appear or a refusal in the log.</summary>
    [Fact]
    public async Task ReadmeAndNotes_TypedAsTheyStand_MakeTheExamples_AndWriteAndReadInThem()
    {
        var readme = PrintedCommands.OfMarkdown(await File.ReadAllTextAsync(SourceTree.Path("README.md"), Cancel), "The same on Kubernetes");
        var typed = await ShellAsync(readme[^1], TimeSpan.FromMinutes(7));
        Assert.True(typed.Succeeded, $"{typed}\n{(await cluster.TryKubectlAsync(null, "-n", space, "describe", "pods")).Output}");
        Assert.EndsWith("\nhello", typed.Output.TrimEnd('\n'), StringComparison.Ordinal);
        Assert.Matches(@"cluster\.kv\.dev/example +True +5 +5 ", typed.Output);

        Assert.Equal("5", await cluster.KubectlAsync("-n", space, "get", "statefulset", "example", "-o", "jsonpath={.spec.replicas}"));
        var children = await cluster.KubectlAsync("-n", space, "get", "service,configmap,serviceaccount,poddisruptionbudget", "-o", "name");
        foreach (var child in new[] { "service/example-headless", "service/example", "configmap/example-config", "serviceaccount/example-node", "poddisruptionbudget.policy/example" })
        {
            Assert.Contains(child, children.Split('\n'));
        }

        await cluster.UntilAsync(
            async () => (await cluster.KubectlAsync("-n", space, "get", "kvc,kvbt", "-o", "jsonpath={.items[*].status.observedGeneration}")) == "1 1 1",
            TimeSpan.FromMinutes(1), "every object has the status of its first generation");
        await PluginPassesALocalRunByAsync();

        // Its nodes would share the machine with those of the notes.
        await cluster.KubectlAsync("-n", space, "delete", "kvc/example", "--timeout=2m");
        await FollowNotesAsync();
        var log = await release.LogAsync();
        Assert.DoesNotContain(log.Split('\n'), line => line.Contains("forbidden", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>In this namespace instead of the one that they name.</summary>
    private async Task FollowNotesAsync()
    {
        var notes = await cluster.HelmAsync("get", "notes", OperatorRelease.Name, "--namespace", OperatorRelease.Namespace);
        Assert.True(notes.Succeeded, notes.ToString());
        var paragraphs = PrintedCommands.OfText(notes.Output.Replace("-n default ", $"-n {space} ", StringComparison.Ordinal));
        Process? forwarding = null;
        try
        {
            foreach (var paragraph in paragraphs)
            {
                if (paragraph.Contains(" port-forward ", StringComparison.Ordinal))
                {
                    forwarding = await ForwardAsync(paragraph);
                    continue;
                }

                var typed = await ShellAsync($"export PATH=\"$PWD/bin:$PATH\"\n{paragraph}", TimeSpan.FromMinutes(7));
                Assert.True(typed.Succeeded, typed.ToString());
                var expected = paragraph.StartsWith("curl ", StringComparison.Ordinal) ? "hello" : paragraph.StartsWith("kubectl kv ", StringComparison.Ordinal) ? "hello again" : "";
                Assert.EndsWith(expected, typed.Output.TrimEnd('\n'), StringComparison.Ordinal);
            }
        }
        finally
        {
            forwarding?.Kill(entireProcessTree: true);
            forwarding?.Dispose();
        }
    }

    /// <summary>A local run that has left its addresses here is not what `kubectl kv` is for.</summary>
    private async Task PluginPassesALocalRunByAsync()
    {
        var elsewhere = Directory.CreateTempSubdirectory("kv-plugin-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(elsewhere, ".kv"));
            await File.WriteAllTextAsync(Path.Combine(elsewhere, ".kv", "endpoints"), "example-0 grpc 127.0.0.1:1\nexample-0 admin 127.0.0.1:1\n", Cancel);
            var got = await PrintedCommands.RunAsync($"PATH={SourceTree.Path("bin")}:$PATH kubectl kv get siblings greetings en", elsewhere, Environment(), TimeSpan.FromMinutes(1), Cancel);
            Assert.True(got.Succeeded, got.ToString());
            Assert.Equal("hello", got.Output.TrimEnd('\n'));
        }
        finally
        {
            Directory.Delete(elsewhere, recursive: true);
        }
    }

    /// <summary>The other terminal: says so when it can be used.</summary>
    private async Task<Process> ForwardAsync(string lines)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", lines]) { RedirectStandardOutput = true };
        start.Environment["KUBECONFIG"] = Kubeconfig;
        var process = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        try
        {
            Assert.StartsWith("Forwarding from ", await process.StandardOutput.ReadLineAsync(limit.Token), StringComparison.Ordinal);
            return process;
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            process.Dispose();
            throw;
        }
    }

    private Task<Command> ShellAsync(string lines, TimeSpan timeout) => PrintedCommands.RunAsync(lines, SourceTree.Root, Environment(), timeout, Cancel);

    private Dictionary<string, string> Environment() => new() { ["KUBECONFIG"] = Kubeconfig };
}
