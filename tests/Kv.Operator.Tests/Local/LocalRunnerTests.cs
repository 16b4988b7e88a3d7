using System.Text.Json.Nodes;
using Kv.Operator.BucketTypes;
using Kv.Operator.Clusters;
using Kv.Operator.Local;
using Kv.Operator.NodeAdmin;
using Kv.Operator.Tests.Stubs;
using Xunit;

namespace Kv.Operator.Tests.Local;

/// <summary>Local mode's loop, a turn at a time, with a shell script for a node: neither a full disk nor an editor in the middle of a save ends nodes that serve.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class LocalRunnerTests : IAsyncLifetime
{
    private const int Looks = 3;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(200);
    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("kv-local-");
    private readonly CancellationTokenSource stop = new();
    private readonly Turns turns = new(Tick);
    private readonly StringWriter output = new();
    private readonly LocalFiles files;
    private Task<int> running = Task.FromResult(0);

    public LocalRunnerTests() => files = new LocalFiles(Path.Combine(root.FullName, "data"));

    private string Manifest => Path.Combine(root.FullName, "manifests", "cluster.yaml");

    [Fact]
    public async Task Disk_ThatIsFull_EndsNoNode_NeitherWhenOneIsStartedAgainNorAtTheEnd()
    {
        await StartAsync(nodes: 2);
        var before = files.ReadPids();
        Directory.CreateDirectory(files.Pids + ".new");
        Shells.Signal(before[0].Pid, Shells.Kill);
        await UntilAsync(() => Text.Contains("pids cannot be written", StringComparison.Ordinal));
        await TakeAsync(Looks);
        Assert.Equal(2, Text.Split("pids cannot be written").Length);
        Assert.True(Shells.IsAlive(before[1].Pid));

        Directory.Delete(files.Pids + ".new");
        await UntilAsync(() => files.ReadPids() is [var first, _] && first.Pid != before[0].Pid);
        Assert.Equal(before[1], files.ReadPids()[1]);

        Directory.CreateDirectory(files.Pids + ".new");
        await stop.CancelAsync();
        await turns.EndAsync(running);
        Assert.Equal(0, await running);
        Assert.False(Shells.IsAlive(before[1].Pid));
    }

    [Fact]
    public async Task FilesForOthers_ThatADiskHasNoRoomFor_AreSaidOnce_AndWrittenWhenItHas()
    {
        string[] names = ["endpoints", "status.yaml"];
        var blocked = names.Select(name => Directory.CreateDirectory(Path.Combine(files.Root, name + ".new"))).ToList();
        await StartAsync(nodes: 1);
        await TakeAsync(Looks * 2);
        Assert.All(names, name => Assert.Equal((name, 2), (name, Text.Split($"{name} cannot be written").Length)));

        blocked.ForEach(directory => directory.Delete());
        await TakeAsync(Looks);
        Assert.All(names, name => Assert.True(File.Exists(Path.Combine(files.Root, name)), name));
    }

    [Fact]
    public async Task Cluster_ThatADiskHasNoRoomFor_IsSaidOnce_AndTheOthersGoOn()
    {
        await StartAsync(nodes: 1);
        var before = files.ReadPids();
        var blocked = Directory.CreateDirectory(Path.Combine(files.Root, "second.cluster.json.new"));
        var second = Path.Combine(root.FullName, "manifests", "second.yaml");
        await File.WriteAllTextAsync(second, Cluster("second", 1), TestContext.Current.CancellationToken);
        await TakeAsync(Looks * 2);
        Assert.Equal(2, Text.Split("second.cluster.json cannot be written").Length);
        Assert.Equal(before, files.ReadPids());

        blocked.Delete();
        await UntilAsync(() => files.ReadPids().Any(one => one.Node == "second-0"));
    }

    [Fact]
    public async Task File_ThatIsEmptyForOneLook_IsNotObeyed()
    {
        await StartAsync(nodes: 2);
        var (before, text) = (files.ReadPids(), await File.ReadAllTextAsync(Manifest, TestContext.Current.CancellationToken));
        await SaveAsync("");
        await TakeAsync(1);
        await SaveAsync(text);
        await TakeAsync(Looks);
        Assert.Equal(before, files.ReadPids());
        Assert.DoesNotContain("not in the manifests", Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_ThatIsHalfWrittenForOneLook_IsNotObeyed()
    {
        await StartAsync(nodes: 1);
        await SaveAsync(Cluster("example", 2));
        await TakeAsync(1);
        await SaveAsync(Cluster("example", 1) + "# done\n");
        await TakeAsync(Looks * 2);
        Assert.False(Directory.Exists(files.DataOf("example-1")));

        await SaveAsync(Cluster("example", 2));
        await UntilAsync(() => files.ReadPids().Count == 2);
    }

    [Fact]
    public async Task File_ThatIsMovedAwayForASecond_EndsNoNode_AndOneThatStaysAwayDoes()
    {
        await StartAsync(nodes: 2);
        var before = files.ReadPids();
        File.Move(Manifest, Manifest + "~");
        await TakeAsync((int)(TimeSpan.FromSeconds(1) / Tick));
        File.Move(Manifest + "~", Manifest);
        await TakeAsync(Looks);
        Assert.Equal(before, files.ReadPids());

        File.Delete(Manifest);
        await TakeAsync((int)(LocalRunner.VanishedAfter / Tick));
        Assert.Equal(before, files.ReadPids());
        await UntilAsync(() => files.ReadPids().Count == 0);
        Assert.Contains("example is not in the manifests any more", Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Problem_ThatStands_IsSaidOnce_AndSoIsItsEnd()
    {
        await StartAsync(nodes: 1);
        var text = await File.ReadAllTextAsync(Manifest, TestContext.Current.CancellationToken);
        await SaveAsync(text + "nodez: 1\n");
        await TakeAsync(Looks * 2);
        await SaveAsync(text);
        await TakeAsync(Looks * 2);
        Assert.Equal(2, Text.Split("what was there before goes on").Length);
        Assert.Equal(2, Text.Split("the manifests are right again").Length);
    }

    /// <summary>Types of two clusters, each in its namespace, that share their name: neither goes on from the other's status.</summary>
    [Fact]
    public async Task Type_OfANameThatAnotherNamespaceHas_KeepsItsOwnStatus()
    {
        static string Type(string @namespace, string cluster) =>
            $"---\napiVersion: kv.dev/v1alpha1\nkind: BucketType\nmetadata: {{name: t, namespace: {@namespace}}}\nspec: {{clusterRef: {{name: {cluster}}}}}\n";
        var text = Cluster("example", 1) + Type("default", "example") + "---\n" + Cluster("other", 1).Replace("name: other", "name: other, namespace: two", StringComparison.Ordinal) + Type("two", "other");
        await StartAsync(nodes: 2, text);
        await SaveAsync(text + "# looked at again\n");
        await TakeAsync(Looks * 4);
        var types = files.ReadStatus().Where(one => one["kind"]!.ToString() == "BucketType").ToList();
        Assert.Equal([("default", "1"), ("two", "1")], types.Select(one => (one["metadata"]!["namespace"]!.ToString(), one["metadata"]!["generation"]!.ToString())));
    }

    /// <summary>As on Kubernetes, where an object that was deleted leaves no status to the next of its name.</summary>
    [Fact]
    public async Task Type_TakenAwayAndMadeAnewWithAnotherName_IsNotHeldToTheOneBefore()
    {
        static string Type(string name) => $"---\napiVersion: kv.dev/v1alpha1\nkind: BucketType\nmetadata: {{name: t}}\nspec: {{name: {name}, clusterRef: {{name: example}}}}\n";
        JsonNode Status() => files.ReadStatus().Single(one => one["kind"]!.ToString() == "BucketType")["status"]!;
        Directory.CreateDirectory(files.Root);
        files.WriteStatus([JsonNode.Parse("""
            {"apiVersion":"kv.dev/v1alpha1","kind":"BucketType","metadata":{"name":"t","namespace":"default"},"spec":{"name":"first","clusterRef":{"name":"example"}},
             "status":{"state":"Active","acceptedName":"first","acceptedCluster":"example"}}
            """)!]);
        await StartAsync(nodes: 1, Cluster("example", 1) + Type("first"));
        await UntilAsync(() => files.ReadStatus().Any(one => one["kind"]!.ToString() == "BucketType"));
        Assert.Equal("first", Status()["acceptedName"]!.ToString());

        await SaveAsync(Cluster("example", 1));
        await UntilAsync(() => files.ReadStatus().All(one => one["kind"]!.ToString() != "BucketType"));
        await SaveAsync(Cluster("example", 1) + Type("second"));
        await UntilAsync(() => files.ReadStatus().Any(one => one["kind"]!.ToString() == "BucketType" && one["status"]!["conditions"] is not null));
        Assert.Null(Status()["acceptedName"]);
        Assert.DoesNotContain("ImmutableProperty", Status().ToJsonString(), StringComparison.Ordinal);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await turns.EndAsync(running).WaitAsync(TimeSpan.FromSeconds(30)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        root.Delete(recursive: true);
        stop.Dispose();
    }

    /// <summary>What it has said; read between two turns.</summary>
    private string Text => output.ToString();

    private static string Cluster(string name, int nodes) => $"apiVersion: kv.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: {name}}}\nspec: {{nodes: {nodes}}}\n";

    private Task SaveAsync(string text) => File.WriteAllTextAsync(Manifest, text, TestContext.Current.CancellationToken);

    private Task TakeAsync(int looks) => turns.TakeAsync(running, looks);

    private async Task UntilAsync(Func<bool> holds)
    {
        for (var i = 0; i < 500 && !holds(); i++)
        {
            await TakeAsync(1);
            Assert.False(running.IsCompleted, Text);
        }

        Assert.True(holds(), Text);
    }

    /// <summary>Until the nodes run.</summary>
    private async Task StartAsync(int nodes, string? text = null)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Manifest)!);
        await SaveAsync(text ?? Cluster("example", nodes));
        var script = Path.Combine(root.FullName, "fake-node");
        await File.WriteAllTextAsync(script, "#!/bin/sh\nwhile :; do sleep 0.05; done\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        running = RunAsync(new LocalOptions { ManifestDirectory = Path.GetDirectoryName(Manifest)!, DataDirectory = files.Root, NodeBinary = script, RestartAfter = TimeSpan.Zero, Tick = Tick });
        await turns.BeginAsync(running);
        await UntilAsync(() => files.ReadPids().Count == nodes);
    }

    private async Task<int> RunAsync(LocalOptions options)
    {
        using var supervisor = new NodeSupervisor(options, files, turns);
        using var reservations = new PortReservations();
        using var world = new LocalWorld(files, supervisor, reservations);
        using var admin = new GrpcNodeAdmin();
        var observer = new ClusterObserver(world, admin);
        var clusters = new ClusterReconciler(observer, new ClusterApplier(world, admin), turns, PassIntervals.Local);
        var types = new BucketTypeReconciler(observer, admin, turns, PassIntervals.Local);
        return await new LocalRunner(options, files, world, supervisor, clusters, types, turns, output).RunAsync(stop.Token);
    }
}
