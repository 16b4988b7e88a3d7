using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Kv.Operator.Api;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Api.Entities;
using Kv.Operator.BucketTypes;
using Kv.Operator.Clusters;
using Kv.Operator.Manifests;

namespace Kv.Operator.Local;

/// <summary>The operator without Kubernetes: one loop that reads the manifests, keeps the processes running, and takes each object through the same passes as on a cluster.</summary>
internal sealed class LocalRunner(
    LocalOptions options, LocalFiles files, LocalWorld world, NodeSupervisor supervisor, ClusterReconciler clusterReconciler, BucketTypeReconciler typeReconciler, TimeProvider time, TextWriter output)
{
    /// <summary>A Cluster has to be missing for so long before its nodes end: a file that is moved away and written anew is not a wish for their end.</summary>
    public static readonly TimeSpan VanishedAfter = TimeSpan.FromSeconds(5);

    private readonly ManifestWatch watch = new(options.ManifestDirectory, time);
    private readonly Dictionary<string, DateTimeOffset> due = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> lastSummary = new(StringComparer.Ordinal);
    private readonly HashSet<string> introduced = new(StringComparer.Ordinal);
    private IReadOnlyList<JsonNode> remembered = [];
    private ManifestSet manifests = new([], [], []);
    private ManifestLook? taken;
    private string lastProblems = "";
    private string lastTrouble = "";
    private string endpointsTrouble = "";
    private string statusTrouble = "";
    private string lastStatus = "";

    /// <summary>Runs until cancelled, then ends the nodes. Returns the exit code: 1 if the manifests are wrong from the start.</summary>
    public async Task<int> RunAsync(CancellationToken cancel)
    {
        using var held = files.Lock();
        remembered = files.ReadStatus();
        if (!await BeginAsync(cancel))
        {
            return cancel.IsCancellationRequested ? 0 : 1;
        }

        await supervisor.EndLeftoversAsync();
        using var guard = new OrphanGuard(files);
        try
        {
            while (!cancel.IsCancellationRequested)
            {
                Reload();
                foreach (var line in supervisor.Tick())
                {
                    Say(line);
                }

                await PassAsync(cancel);
                await Task.Delay(options.Tick, time, cancel);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The end that was asked for.
        }
        finally
        {
            Say("stopping the nodes");
            await supervisor.StopAsync();
            Say($"stopped; the data stays in {files.Root}");
        }

        return 0;
    }

    /// <summary>Takes over what the files say as soon as they stand still. Whether they are right.</summary>
    private async Task<bool> BeginAsync(CancellationToken cancel)
    {
        var (look, standing) = watch.Look();
        while (standing is null)
        {
            await Task.Delay(options.Tick, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancel.IsCancellationRequested)
            {
                return false;
            }

            (look, standing) = watch.Look();
        }

        var read = ManifestReader.Read(look, null);
        if (read.Problems.Length > 0)
        {
            Say("the manifests have problems:");
            Print(string.Join("\n", read.Problems));
            return false;
        }

        if (read.Clusters.IsEmpty)
        {
            Say($"there is no Cluster in {options.ManifestDirectory}");
            return false;
        }

        Take(read);
        taken = look;
        return true;
    }

    /// <summary>Takes over what the files say once two looks agree, if all of it is right; else what was there before goes on.</summary>
    private void Reload()
    {
        var (look, standing) = watch.Look();
        if (standing is null)
        {
            return;
        }

        if (look.Equals(taken))
        {
            TellProblems("");
            return;
        }

        var read = ManifestReader.Read(look, manifests);
        TellProblems(string.Join("\n", read.Problems));
        if (read.Problems.Length > 0 || (standing < VanishedAfter && Vanished(read).Any()))
        {
            return;
        }

        try
        {
            Take(read);
            (taken, lastTrouble) = (look, "");
        }
        catch (WorldException e)
        {
            // A full disk must not end nodes that serve: tried again at the next look, and said once.
            SayOnce(e.Message, ref lastTrouble);
        }
    }

    private void TellProblems(string problems)
    {
        if (problems == lastProblems)
        {
            return;
        }

        Say(problems.Length > 0 ? "the manifests have problems; what was there before goes on:" : "the manifests are right again");
        if (problems.Length > 0)
        {
            Print(problems);
        }

        lastProblems = problems;
    }

    private IEnumerable<Cluster> Vanished(ManifestSet read) => manifests.Clusters.Where(old => !read.Clusters.Any(cluster => cluster.Metadata.Name == old.Metadata.Name));

    private void Take(ManifestSet read)
    {
        foreach (var cluster in read.Clusters)
        {
            Inherit<Cluster, ClusterSpec, ClusterStatus>(cluster, manifests.Clusters);
            cluster.Metadata.Uid = world.Adopt(cluster);
        }

        foreach (var type in read.BucketTypes)
        {
            Inherit<BucketType, BucketTypeSpec, BucketTypeStatus>(type, manifests.BucketTypes);
        }

        // What is made anew under a name begins without what was known of the one before.
        remembered = [.. remembered.Where(node => node["kind"]?.ToString() != nameof(BucketType) || read.BucketTypes.Any(type => IsOf(node, type)))];
        foreach (var gone in Vanished(read))
        {
            Say($"{gone.Metadata.Name} is not in the manifests any more: its nodes end, its data stays");
            world.Forget(gone.Metadata.Name);
            introduced.Remove(gone.Metadata.Name);
        }

        manifests = read;
    }

    /// <summary>Status and generation go on from the object before, be it of this run or of the one before it.</summary>
    private void Inherit<TEntity, TSpec, TStatus>(TEntity entity, IEnumerable<TEntity> before)
        where TEntity : CustomKubernetesEntity<TSpec, TStatus>
        where TSpec : new()
        where TStatus : class, new()
    {
        var old = before.FirstOrDefault(one => Key(one.Kind, one.Metadata) == Key(entity.Kind, entity.Metadata)) ?? Remembered<TEntity>(entity);
        var isSame = old is not null && Json(old.Spec) == Json(entity.Spec);
        entity.Metadata.Generation = (old?.Metadata.Generation ?? 0) + (isSame ? 0 : 1);
        entity.Status = old?.Status ?? new TStatus();
        if (!isSame)
        {
            due.Remove(Key(entity.Kind, entity.Metadata));
        }
    }

    private static bool IsOf(JsonNode status, k8s.IKubernetesObject<V1ObjectMeta> entity) =>
        status["kind"]?.ToString() == entity.Kind && status["metadata"]?["name"]?.ToString() == entity.Metadata.Name && status["metadata"]?["namespace"]?.ToString() == entity.Metadata.NamespaceProperty;

    private TEntity? Remembered<TEntity>(k8s.IKubernetesObject<V1ObjectMeta> entity)
        where TEntity : class
    {
        var match = remembered.FirstOrDefault(node => IsOf(node, entity));
        try
        {
            return match?.Deserialize<TEntity>(KvJson.Options);
        }
        catch (JsonException)
        {
            // Written by another version: it is observed anew in a moment.
            return null;
        }
    }

    private async Task PassAsync(CancellationToken cancel)
    {
        foreach (var cluster in manifests.Clusters.Where(cluster => IsDue(cluster.Kind, cluster.Metadata)))
        {
            var pass = await clusterReconciler.RunAsync(cluster, cancel);
            Tell(cluster, cluster.Status.Conditions, pass.Status.Conditions);
            cluster.Status = pass.Status;
            Summarize(cluster, pass);
            Defer(cluster.Kind, cluster.Metadata, pass.RequeueAfter);
        }

        foreach (var type in manifests.BucketTypes.Where(type => IsDue(type.Kind, type.Metadata)))
        {
            var cluster = manifests.Clusters.FirstOrDefault(cluster => cluster.Metadata.Name == type.Spec.ClusterRef.Name && cluster.Metadata.NamespaceProperty == type.Metadata.NamespaceProperty);
            var pass = await typeReconciler.RunAsync(type, cluster, manifests.BucketTypes.Select(BucketTypeClaim.Of), cancel);
            Tell(type, type.Status.Conditions, pass.Status.Conditions);
            type.Status = pass.Status;
            Defer(type.Kind, type.Metadata, pass.RequeueAfter);
        }

        foreach (var cluster in manifests.Clusters.Where(cluster => Introduction.IsDue(cluster, manifests.BucketTypes, time.GetUtcNow()) && introduced.Add(cluster.Metadata.Name)))
        {
            Introduce(cluster);
        }

        SayOnce(world.EndpointsTrouble, ref endpointsTrouble);
        WriteStatus();
    }

    private void WriteStatus()
    {
        var objects = manifests.Clusters.Select(cluster => JsonSerializer.SerializeToNode(cluster, KvJson.Options)!)
            .Concat(manifests.BucketTypes.Select(type => JsonSerializer.SerializeToNode(type, KvJson.Options)!))
            .ToList();
        var text = string.Join("\n", objects.Select(node => node.ToJsonString()));
        if (text == lastStatus)
        {
            return;
        }

        try
        {
            files.WriteStatus(objects);
            (lastStatus, statusTrouble) = (text, "");
        }
        catch (WorldException e)
        {
            // The file is for people and for the next start: a full disk must not end nodes that serve. Tried again after the next pass.
            SayOnce(e.Message, ref statusTrouble);
        }
    }

    private void SayOnce(string trouble, ref string said)
    {
        if (trouble.Length > 0 && trouble != said)
        {
            Say(trouble);
        }

        said = trouble;
    }

    private bool IsDue(string kind, V1ObjectMeta metadata) => !due.TryGetValue(Key(kind, metadata), out var at) || at <= time.GetUtcNow();

    private void Defer(string kind, V1ObjectMeta metadata, TimeSpan delay) => due[Key(kind, metadata)] = time.GetUtcNow() + delay;

    private void Tell(k8s.IKubernetesObject<V1ObjectMeta> entity, IReadOnlyList<Condition>? before, IReadOnlyList<Condition>? after)
    {
        foreach (var transition in Transition.Between(before, after))
        {
            Say($"{entity.Metadata.Name}: {transition.Message}");
        }
    }

    /// <summary>A line whenever what the cluster is doing changes.</summary>
    private void Summarize(Cluster cluster, ClusterPass pass)
    {
        var name = cluster.Metadata.Name;
        var ring = pass.Observed?.Ring;
        var nodes = $"{pass.Status.ReadyNodes ?? 0} of {pass.Status.DesiredNodes} nodes ready";
        var members = ring is null ? "no ring yet" : $"{ring.Members.Length} members, document {ring.Version}" + (ring.PendingTransfers > 0 ? $", {ring.PendingTransfers} partitions to move" : "");
        var doing = pass.Error ?? (pass.Action is { IsProgress: true } action ? action.Message : "");
        var summary = $"{name}: {nodes}, {members}{(doing.Length > 0 ? $"; {doing}" : "")}";
        if (pass.Action is { IsProgress: true } or { Phase: not Conditions.Reasons.AsExpected } || pass.Error is not null)
        {
            if (lastSummary.GetValueOrDefault(name) != summary)
            {
                Say(summary);
            }

            lastSummary[name] = summary;
        }
    }

    private void Introduce(Cluster cluster)
    {
        var nodes = world.NodesOf(cluster.Metadata.Name);
        var here = Directory.GetCurrentDirectory();
        var kv = Introduction.FindCommandLine(Path.GetDirectoryName(Environment.ProcessPath) ?? here, here);
        var command = Introduction.CommandLine(kv, here, files.Root, nodes[0].AddressOf(Ports.Grpc));
        Print("");
        foreach (var line in Introduction.Lines(cluster, nodes, command))
        {
            Print(line);
        }

        Print("");
        Print($"All addresses are in {Path.Combine(files.Root, "endpoints")}, process ids in {files.Pids}.");
        Print($"Edit {options.ManifestDirectory} and see it happen. Ctrl-C stops the nodes; the data stays.");
        Print("");
    }

    private void Say(string line) => Print($"{time.GetLocalNow():HH:mm:ss} {line}");

    private void Print(string line)
    {
        try
        {
            output.WriteLine(line);
        }
        catch (IOException)
        {
            // Output that goes to a full disk must not end nodes that serve.
        }
    }

    private static string Key(string kind, V1ObjectMeta metadata) => $"{kind}/{metadata.NamespaceProperty}/{metadata.Name}";

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, KvJson.Options);
}
