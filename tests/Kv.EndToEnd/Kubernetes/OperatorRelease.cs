using System.Diagnostics;
using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>The chart, installed once for all tests that need the operator, and taken out at the end of the run.</summary>
public sealed class OperatorRelease(KubernetesCluster cluster) : IAsyncDisposable
{
    public const string Name = "kv";
    public const string Namespace = "kv-system";
    public const string Deployment = "kv-operator";

    private const int LogAttempts = 30;

    private static readonly string[] Crds = ["crd/clusters.kv.dev", "crd/buckettypes.kv.dev"];

    private Task? installed;

    /// <summary>Installs the chart with the images of this tree and waits for the operator; without a cluster or images the test ends here.</summary>
    public async Task RequireAsync()
    {
        await cluster.RequireImagesAsync();
        await (installed ??= InstallAsync());
    }

    /// <summary>Installs or upgrades the release and waits until its pods are ready.</summary>
    internal Task<Command> UpgradeAsync(params string[] values) => UpgradeToAsync(Helm.Chart, values);

    /// <summary>As <see cref="UpgradeAsync"/>, to a chart that is not this tree's.</summary>
    internal async Task<Command> UpgradeToAsync(string chart, params string[] values)
    {
        string[] checks = await cluster.KnowsRulesAsync() ? [] : ["--disable-openapi-validation"];

        // Where it is given no values Helm takes those of the release before.
        return await cluster.HelmAsync([
            "upgrade", "--install", Name, chart, "--namespace", Namespace, "--create-namespace", "--wait", "--timeout", "3m", "--reset-values", .. checks,
            .. Images(), .. values]);
    }

    /// <summary>The pod that holds the lease.</summary>
    internal async Task<string> LeaderAsync() =>
        (await cluster.KubectlAsync("-n", Namespace, "get", "lease", Deployment, "-o", "jsonpath={.spec.holderIdentity}")).Split('_')[0];

    /// <summary>Deletes the pod of the operator that leads, as a person or a drain would: it may hand over what it does.</summary>
    internal async Task DeleteLeaderAsync() => await cluster.KubectlAsync("-n", Namespace, "delete", "pod", await LeaderAsync(), "--wait=false");

    /// <summary>
    /// Ends the leading operator by force, so that it hands nothing over: SIGKILL of its process where the pods' processes are on this machine, or else its pod deleted without a grace period. The lease is
    /// left to run out.
    /// </summary>
    internal async Task KillLeaderAsync()
    {
        var leader = await LeaderAsync();
        var pod = await cluster.KubectlAsync("-n", Namespace, "get", "pod", leader, "-o", "jsonpath={.metadata.uid}");
        var processes = ProcessesOf(pod);
        processes.ForEach(process => process.Kill());
        if (processes.Count == 0)
        {
            await cluster.KubectlAsync("-n", Namespace, "delete", "pod", leader, "--grace-period=0", "--force", "--wait=false");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (installed is not null)
        {
            await cluster.HelmAsync("uninstall", Name, "--namespace", Namespace, "--wait");
        }
    }

    /// <summary>All that the release's pods have written. A pod of the release before may end, or go, between the list and the read of its log, which then begin anew.</summary>
    public async Task<string> LogAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            var logs = await cluster.TryKubectlAsync(null, "-n", Namespace, "logs", "-l", "app.kubernetes.io/instance=" + Name, "--tail=-1");
            if (logs.Succeeded)
            {
                return logs.Output;
            }

            var isOfOneThatGoes = logs.Error.Contains("NotFound", StringComparison.Ordinal) || logs.Error.Contains(" is terminated", StringComparison.Ordinal);
            Assert.True(attempt < LogAttempts && isOfOneThatGoes, logs.ToString());
            await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        }
    }

    private async Task InstallAsync()
    {
        // Kinds that something else applied are taken over, as an administrator would who moves to the chart.
        if ((await cluster.TryKubectlAsync(null, ["get", .. Crds])).Succeeded)
        {
            await cluster.KubectlAsync(["label", "--overwrite", .. Crds, "app.kubernetes.io/managed-by=Helm"]);
            await cluster.KubectlAsync(["annotate", "--overwrite", .. Crds, $"meta.helm.sh/release-name={Name}", $"meta.helm.sh/release-namespace={Namespace}"]);
        }
        var upgraded = await UpgradeAsync();
        if (!upgraded.Succeeded)
        {
            var pods = await cluster.TryKubectlAsync(null, "-n", Namespace, "describe", "pods");
            var logs = await cluster.TryKubectlAsync(null, "-n", Namespace, "logs", "-l", "app.kubernetes.io/instance=" + Name, "--tail=50");
            Assert.Fail($"{upgraded}\n{pods.Output}\n{logs.Output}");
        }
    }

    /// <summary>The operators in a pod, by the control groups that carry its uid (with one cgroup driver with underscores).</summary>
    private static List<Process> ProcessesOf(string pod) =>
    [
        .. Process.GetProcessesByName(Deployment)
            .Where(process => File.Exists($"/proc/{process.Id}/cgroup") && File.ReadAllText($"/proc/{process.Id}/cgroup").Replace('_', '-').Contains(pod, StringComparison.Ordinal)),
    ];

    /// <summary>The chart's own where archives of them were taken in, as a reader of the README has it.</summary>
    private static IEnumerable<string> Images() => KubernetesCluster.OperatorImage is { } image ? [.. Named("image", image), .. Named("nodeImage", KubernetesCluster.NodeImage)] : [];

    private static string[] Named(string value, string image)
    {
        var colon = image.LastIndexOf(':');
        return ["--set", $"{value}.repository={image[..colon]}", "--set-string", $"{value}.tag={image[(colon + 1)..]}"];
    }
}
