using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>A Cluster of small pods with two BucketTypes in a namespace of its own, as a person makes it, and what kubectl tells of it.</summary>
internal sealed class StorageCluster : IAsyncDisposable
{
    public const string Name = "small";
    public const int RingSize = 16;

    // A store takes about 15 MiB of a node's memory: twenty of them leave room for the stand-ins of a ring of sixteen.
    private const string Manifest = """
        apiVersion: kv.dev/v1alpha1
        kind: Cluster
        metadata: { name: small }
        spec:
          nodes: 3
          ringSize: 16
          storage: { size: 1Gi }
          resources: { requests: { cpu: 50m, memory: 256Mi }, limits: { memory: 768Mi } }
          config: { stores: "20" }
          rollout: { settleSeconds: 5 }
        ---
        apiVersion: kv.dev/v1alpha1
        kind: BucketType
        metadata: { name: siblings }
        spec: { clusterRef: { name: small }, allowMult: true }
        ---
        apiVersion: kv.dev/v1alpha1
        kind: BucketType
        metadata: { name: plain }
        spec: { clusterRef: { name: small }, allowMult: false, dvvEnabled: false }

        """;

    private readonly KubernetesCluster cluster;
    private ApplicationPod? application;

    private StorageCluster(KubernetesCluster cluster, string space) => (this.cluster, Space) = (cluster, space);

    /// <summary>The namespace.</summary>
    public string Space { get; }

    /// <summary>
    /// Applies the manifest, with the operator's own image for nodes or another, and waits until it is ready, two minutes at most for its three nodes; each further node may take another minute, since all start at once on what the machine has.
    /// </summary>
    /// <param name="cluster">Where.</param>
    /// <param name="nodes">How many, one for each zone at least.</param>
    /// <param name="image">Of the nodes; the operator's own where null.</param>
    /// <param name="zones">Their names; none for a cluster without zones. Any machine will do for each.</param>
    public static async Task<StorageCluster> CreateAsync(KubernetesCluster cluster, int nodes = 3, string? image = null, params string[] zones)
    {
        var spec = $"nodes: {nodes}{(image is null ? "" : $"\n  image: {image}")}{(zones.Length == 0 ? "" : $"\n  zones: [{string.Join(", ", zones.Select(zone => $"{{ name: {zone} }}"))}]")}";
        var manifest = Manifest.Replace("nodes: 3", spec, StringComparison.Ordinal);
        var made = new StorageCluster(cluster, $"kv-data-{Guid.NewGuid():N}"[..16]);
        await cluster.KubectlAsync("create", "namespace", made.Space);
        try
        {
            var applied = await cluster.TryKubectlAsync(manifest, "-n", made.Space, "apply", "--validate=false", "-f", "-");
            Assert.True(applied.Succeeded, applied.ToString());
            await made.ShowAsync("just applied");
            await made.KubectlAsync("wait", "--for=condition=Ready", $"kvc/{Name}", $"--timeout={120 + (60 * (nodes - 3))}s");
            await made.KubectlAsync("wait", "--for=condition=Active", "kvbt/siblings", "kvbt/plain", "--timeout=60s");
            return made;
        }
        catch
        {
            await made.ExplainAsync("it did not become ready");
            await made.DisposeAsync();
            throw;
        }
    }

    /// <summary>Nodes that drain and end in their own time would take the next test's share of the machine: they are ended, and waited for.</summary>
    public async ValueTask DisposeAsync()
    {
        await cluster.TryKubectlAsync(null, "delete", "namespace", Space, "--wait=false");
        await cluster.TryKubectlAsync(null, "-n", Space, "delete", "pods", "--all", "--grace-period=1", "--timeout=60s");
    }

    public Task<string> KubectlAsync(params string[] arguments) => cluster.KubectlAsync(["-n", Space, .. arguments]);

    public Task UntilAsync(Func<Task<bool>> holds, TimeSpan limit, string what) => cluster.UntilAsync(holds, limit, what);

    /// <summary>What a person sees, also written to the test's output.</summary>
    public async Task<string> ShowAsync(string stage)
    {
        var table = await KubectlAsync("get", "kvc,kvbt");
        TestContext.Current.TestOutputHelper?.WriteLine($"--- {stage}\n{table}");
        return table;
    }

    /// <summary>A pod beside its nodes, made when it is first asked for.</summary>
    public async Task<ApplicationPod> ApplicationAsync() => application ??= await ApplicationPod.StartAsync(cluster, Space);

    /// <summary>Runs the command line as kubectl's plug-in.</summary>
    public async Task<Command> KubectlKvAsync(params string[] arguments)
    {
        var environment = cluster.KubectlEnvironment();
        environment["PATH"] = $"{SourceTree.Path("bin")}:{Environment.GetEnvironmentVariable("PATH")}";
        return await Command.RunAsync("kubectl", ["kv", "-n", Space, .. arguments], TimeSpan.FromMinutes(1), environment, cancel: TestContext.Current.CancellationToken);
    }

    /// <summary>One line from the status, by JSON path.</summary>
    public Task<string> StatusAsync(string path) => KubectlAsync("get", "kvc", Name, "-o", $"jsonpath={{.status.{path}}}");

    /// <summary>The addresses of the pods that are ready. Where they cannot be reached from here the test ends, as without a cluster.</summary>
    public async Task<IReadOnlyList<string>> ReadyPodsAsync()
    {
        var pods = JsonDocument.Parse(await KubectlAsync("get", "pods", "-l", $"kv.dev/cluster={Name}", "-o", "json")).RootElement.GetProperty("items");
        return [.. pods.EnumerateArray().Where(IsReady).Select(pod => pod.GetProperty("status").GetProperty("podIP").GetString()!)];
    }

    /// <summary>Merges a change into the Cluster's spec, as JSON.</summary>
    public Task<string> PatchAsync(string spec) => KubectlAsync("patch", "kvc", Name, "--type=merge", "-p", $$"""{"spec":{{spec}}}""");

    /// <summary>Waits until the operator has answered to the newest spec and says that nothing is left to do.</summary>
    public async Task SettledAsync(TimeSpan limit, string what)
    {
        await UntilAsync(
            async () =>
            {
                var cluster = JsonDocument.Parse(await KubectlAsync("get", "kvc", Name, "-o", "json")).RootElement;
                var status = cluster.GetProperty("status");
                return status.GetProperty("observedGeneration").GetInt64() == cluster.GetProperty("metadata").GetProperty("generation").GetInt64()
                    && status.GetProperty("conditions").EnumerateArray().Any(one => one.GetProperty("type").GetString() == "Ready" && one.GetProperty("status").GetString() == "True");
            },
            limit, what);
    }

    /// <summary>Waits until nobody has written the Cluster, its BucketTypes or its objects for so long: an operator that has nothing to do writes nothing.</summary>
    public async Task QuietAsync(TimeSpan forSoLong, TimeSpan limit)
    {
        var (before, since) = ("", Stopwatch.GetTimestamp());
        await UntilAsync(
            async () =>
            {
                var now = await KubectlAsync(
                    "get", "kvc,kvbt,statefulset,service,configmap,serviceaccount,poddisruptionbudget", "-o", "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{\"\\n\"}{end}");
                if (now != before)
                {
                    TestContext.Current.TestOutputHelper?.WriteLine($"written: {string.Join(", ", now.Split('\n').Except(before.Split('\n')))}");
                    (before, since) = (now, Stopwatch.GetTimestamp());
                }

                return Stopwatch.GetElapsedTime(since) >= forSoLong;
            },
            limit, $"nothing is written for {forSoLong.TotalSeconds} s");
    }

    /// <summary>The UID of each pod by its name.</summary>
    public async Task<IReadOnlyDictionary<string, string>> PodUidsAsync() =>
        (await KubectlAsync("get", "pods", "-l", $"kv.dev/cluster={Name}", "-o", "jsonpath={range .items[*]}{.metadata.name} {.metadata.uid}{\"\\n\"}{end}"))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).ToDictionary(pair => pair[0], pair => pair[1]);

    /// <summary>So many nodes share all partitions, to within one.</summary>
    public async Task AssertBalancedAsync(int nodes)
    {
        var partitions = (await StatusAsync("nodeStatuses[*].partitions")).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(count => int.Parse(count, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal((nodes, RingSize), (partitions.Count, partitions.Sum()));
        Assert.InRange(partitions.Max() - partitions.Min(), 0, 1);
    }

    /// <summary>What a person would look at next where something went wrong: pods, events, and the last lines of each pod.</summary>
    private async Task ExplainAsync(string stage)
    {
        await ShowAsync(stage);
        string[][] questions = [["get", "pods", "-o", "wide"], ["get", "events", "--sort-by=.lastTimestamp"], ["logs", "-l", $"kv.dev/cluster={Name}", "--tail=20", "--prefix"]];
        foreach (var question in questions)
        {
            var answer = await cluster.TryKubectlAsync(null, ["-n", Space, .. question]);
            TestContext.Current.TestOutputHelper?.WriteLine($"--- kubectl {string.Join(' ', question)}\n{answer.Output}{answer.Error}");
        }
    }

    private static bool IsReady(JsonElement pod) =>
        !pod.GetProperty("metadata").TryGetProperty("deletionTimestamp", out _)
        && pod.GetProperty("status").TryGetProperty("conditions", out var conditions)
        && conditions.EnumerateArray().Any(condition => condition.GetProperty("type").GetString() == "Ready" && condition.GetProperty("status").GetString() == "True");
}
