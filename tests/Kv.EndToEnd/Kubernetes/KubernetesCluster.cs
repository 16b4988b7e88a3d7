using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>
/// The cluster that the tests run on, one for the whole run: the one that <c>KUBECONFIG</c> names; else one that <c>tests/kube</c> starts here,
/// which needs root on Debian; else none, and then a test that asks for it is skipped with the reason, or fails where <c>CI</c> is set.
/// </summary>
public sealed class KubernetesCluster : IAsyncDisposable
{
    // Longer than the longest that a test has kubectl wait, which then says itself what it waited for.
    private static readonly TimeSpan KubectlLimit = TimeSpan.FromMinutes(6);

    private readonly Lazy<Task> found;
    private string? missing;
    private string? kubeconfig;
    private bool startedHere;
    private Task? images;
    private Task<Command>? previousImage;

    /// <summary>Nothing is looked for or started before the first test asks.</summary>
    public KubernetesCluster() => found = new(FindAsync);

    /// <summary>What a cluster of one's own is to pull, by environment; null for what the chart itself names, which is what image archives are called in a cluster that took them in.</summary>
    public static string? OperatorImage => Environment.GetEnvironmentVariable("KV_OPERATOR_IMAGE");

    /// <summary>A node's image, in full.</summary>
    public static string NodeImage => Environment.GetEnvironmentVariable("KV_NODE_IMAGE") ?? "docker.io/library/kv-node:0.1.0";

    /// <summary>Another tag of a node's image, to upgrade to.</summary>
    public static string NextNodeImage => Environment.GetEnvironmentVariable("KV_NEXT_NODE_IMAGE") ?? "docker.io/library/kv-node:next";

    /// <summary>A node's image as it was at the commit before, to upgrade from.</summary>
    public static string PreviousNodeImage => Environment.GetEnvironmentVariable("KV_PREVIOUS_NODE_IMAGE") ?? "docker.io/library/kv-node:previous";

    /// <summary>By <c>tests/kube</c>, for this run.</summary>
    internal bool IsStartedHere => startedHere;

    public async ValueTask DisposeAsync()
    {
        await ((Task?)previousImage ?? Task.CompletedTask);
        if (startedHere)
        {
            await Command.RunAsync(SourceTree.Path("tests", "kube", "down"), [], TimeSpan.FromMinutes(2));
        }
    }

    /// <summary>Ends the test here where there is no cluster: skipped with the reason, or failed on CI.</summary>
    public async Task RequireAsync()
    {
        await found.Value;
        Missing.Require(missing);
    }

    /// <summary>Runs kubectl against the cluster and answers what it printed; an error of kubectl is an exception.</summary>
    public async Task<string> KubectlAsync(params string[] arguments) =>
        await Command.ReadAsync("kubectl", arguments, KubectlLimit, KubectlEnvironment(), cancel: TestContext.Current.CancellationToken);

    /// <summary>Runs kubectl against the cluster, with what it reads from standard input, and answers all that came of it.</summary>
    internal async Task<Command> TryKubectlAsync(string? input, params string[] arguments) =>
        await Command.RunAsync("kubectl", arguments, KubectlLimit, KubectlEnvironment(), input, TestContext.Current.CancellationToken);

    /// <summary>Runs the real Helm against the cluster.</summary>
    internal async Task<Command> HelmAsync(params string[] arguments) =>
        await Command.RunAsync(await Helm.PathAsync(), arguments, TimeSpan.FromMinutes(5), KubectlEnvironment(), cancel: TestContext.Current.CancellationToken);

    /// <summary>
    /// Puts the images of operator and nodes where the cluster finds them. On a cluster that this run did not start, they are there already,
    /// named by <c>KV_OPERATOR_IMAGE</c>, <c>KV_NODE_IMAGE</c> and <c>KV_NEXT_NODE_IMAGE</c>, or the test ends as without a cluster.
    /// </summary>
    public async Task RequireImagesAsync()
    {
        await RequireAsync();
        if (startedHere)
        {
            await (images ??= LoadImagesAsync());

            if (Missing.IsOnCi)
            {
                // All tests run, and the one that wants it comes. It takes minutes, in which the tests before that mostly wait.
                previousImage ??= BuildPreviousImageAsync();
            }

            return;
        }
        string[] names = ["KV_OPERATOR_IMAGE", "KV_NODE_IMAGE", "KV_NEXT_NODE_IMAGE"];
        var given = names.All(name => Environment.GetEnvironmentVariable(name) is not null);
        Missing.Require(given ? null : $"the cluster is not one of tests/kube: name the images that it can pull in {string.Join(", ", names)}");
    }

    /// <summary>Puts the image of the commit before where the cluster finds it, as <see cref="RequireImagesAsync"/> does the others; named by <c>KV_PREVIOUS_NODE_IMAGE</c> it is there already.</summary>
    internal async Task RequirePreviousImageAsync()
    {
        await RequireImagesAsync();
        if (startedHere)
        {
            var archive = await (previousImage ??= BuildPreviousImageAsync());
            Missing.Require(archive.Succeeded ? null : $"the image of the commit before cannot be built: {archive}");
            await Command.ReadAsync(SourceTree.Path("tests", "kube", "load"), [archive.Output.Trim()], TimeSpan.FromMinutes(2));
            return;
        }

        Missing.Require(Environment.GetEnvironmentVariable("KV_PREVIOUS_NODE_IMAGE") is null ? "the cluster is not one of tests/kube: name the image of the commit before in KV_PREVIOUS_NODE_IMAGE" : null);
    }

    /// <summary>Whether the API server knows rules in CRDs (1.25); an older one drops them unseen.</summary>
    internal async Task<bool> KnowsRulesAsync()
    {
        var version = JsonDocument.Parse(await KubectlAsync("get", "--raw", "/version")).RootElement;
        return int.Parse(version.GetProperty("minor").GetString()!.TrimEnd('+'), CultureInfo.InvariantCulture) >= 25;
    }

    /// <summary>Applies CRDs: on the server's side where it knows all that is in them, else past kubectl's and the server's check of fields.</summary>
    internal async Task<string> ApplyCrdsAsync(params string[] files)
    {
        string[] how = await KnowsRulesAsync() ? ["--server-side", "--force-conflicts"] : ["--validate=false"];
        return await KubectlAsync(["apply", .. how, .. files.SelectMany(file => new[] { "-f", file })]);
    }

    /// <summary>Asks again each second until a condition holds (each question may be a process of its own, on the machine that runs the pods); past the limit the test fails and says what it waited for.</summary>
    internal async Task UntilAsync(Func<Task<bool>> holds, TimeSpan limit, string what)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        end.CancelAfter(limit);
        while (!await holds())
        {
            if (end.IsCancellationRequested)
            {
                Assert.Fail($"after {limit.TotalSeconds} s it does not hold that {what}");
            }
            await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Environment in which kubectl, helm and kv meet this cluster.</summary>
    internal Dictionary<string, string> KubectlEnvironment() => new() { ["KUBECONFIG"] = kubeconfig ?? "" };

    private async Task FindAsync()
    {
        var named = Environment.GetEnvironmentVariable("KUBECONFIG");
        if (!string.IsNullOrEmpty(named))
        {
            kubeconfig = named;
            var answer = await Command.RunAsync("kubectl", ["version"], TimeSpan.FromSeconds(30), KubectlEnvironment());
            missing = answer.Succeeded ? null : $"KUBECONFIG names a cluster that does not answer: {answer.Error.Trim()}";
            return;
        }
        missing = WhyNotHere();
        if (missing is not null)
        {
            return;
        }
        // Ten minutes to build the binaries from source, where no archive of them is at hand, and as much again for a slow machine.
        var up = await Command.RunAsync(SourceTree.Path("tests", "kube", "up"), [], TimeSpan.FromMinutes(25));
        startedHere = true;
        kubeconfig = up.Output.Trim().Split('\n')[^1];
        missing = up.Succeeded ? null : $"tests/kube/up failed: {up}";
    }

    private static async Task LoadImagesAsync()
    {
        string[] archives = [SourceTree.Path(".artifacts", "images", "kv-node.tar"), SourceTree.Path(".artifacts", "images", "kv-operator.tar")];
        if (archives.Any(archive => !File.Exists(archive) || File.GetLastWriteTimeUtc(archive) < NewestSource()))
        {
            await Command.ReadAsync(SourceTree.Path(".build", "image"), [], TimeSpan.FromMinutes(10), new Dictionary<string, string> { ["BASE_IMAGE"] = await BaseImageAsync() });
        }
        await Command.ReadAsync(SourceTree.Path("tests", "kube", "load"), archives, TimeSpan.FromMinutes(2));
        await Command.ReadAsync(SourceTree.Path("tests", "kube", "tag"), [NodeImage, NextNodeImage], TimeSpan.FromMinutes(1));
    }

    /// <summary>Gives way to the pods, and to all else.</summary>
    private static async Task<Command> BuildPreviousImageAsync() => await Command.RunAsync(
        "nice",
        ["-n", "19", SourceTree.Path(".build", "previous-node"), "--image"],
        TimeSpan.FromMinutes(20),
        new Dictionary<string, string> { ["BASE_IMAGE"] = await BaseImageAsync(), ["VERSION"] = "previous" });

    private static async Task<string> BaseImageAsync() => (await Command.ReadAsync(SourceTree.Path("tests", "kube", "base-image"), [], TimeSpan.FromMinutes(10))).Trim().Split('\n')[^1];

    private static DateTime NewestSource() =>
        new[] { "node", "operator" }.SelectMany(folder => Directory.EnumerateFiles(SourceTree.Path(folder), "*", SearchOption.AllDirectories))
            .Max(File.GetLastWriteTimeUtc);

    private static string? WhyNotHere()
    {
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Linux) || !File.Exists("/etc/debian_version"))
        {
            return "no Kubernetes: set KUBECONFIG; tests/kube can start one on Debian only";
        }
        return Environment.IsPrivilegedProcess ? null : "no Kubernetes: set KUBECONFIG, or run as root for tests/kube to start one";
    }
}
