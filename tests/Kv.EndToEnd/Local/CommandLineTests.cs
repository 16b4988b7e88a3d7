using System.Text.Json;
using Xunit;

namespace Kv.EndToEnd.Local;

/// <summary>`kv` beside a running local ring, found by its endpoints file, as the README has it.</summary>
public sealed class CommandLineTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PutGetListDeleteAndStatus_OnARingWithADeadNode()
    {
        await using var run = await LocalRun.StartAsync(3, Cancel);
        run.KillNode("example-1");

        await OkAsync(run, "put", "greetings", "first", "hello");
        Assert.Equal("hello", (await OkAsync(run, "get", "greetings", "first")).TrimEnd('\n'));
        Assert.Contains("first", await OkAsync(run, "list", "greetings"), StringComparison.Ordinal);

        var piped = await KvAsync(run, input: "from standard input", "put", "greetings", "second", "-");
        Assert.True(piped.Succeeded, piped.ToString());
        Assert.Equal("from standard input", (await OkAsync(run, "get", "greetings", "second")).TrimEnd('\n'));

        await OkAsync(run, "put", "siblings", "carts", "alice", "book");
        await OkAsync(run, "put", "siblings", "carts", "alice", "lamp");
        using var siblings = JsonDocument.Parse(await OkAsync(run, "get", "siblings", "carts", "alice", "-o", "json"));
        Assert.Equal(2, siblings.RootElement.GetProperty("siblings").GetArrayLength());

        await OkAsync(run, "delete", "greetings", "first");
        Assert.Equal(3, (await KvAsync(run, null, "get", "greetings", "first")).ExitCode);
        var status = await OkAsync(run, "status");
        Assert.All(["example-0", "example-1", "example-2", "siblings", "plain"], name => Assert.Contains(name, status, StringComparison.Ordinal));
        Assert.Contains("64", await OkAsync(run, "ring"), StringComparison.Ordinal);
        await OkAsync(run, "plan");
        await OkAsync(run, "transfers");
        await OkAsync(run, "bucket-type", "list");
    }

    [Fact]
    public async Task DataTypes_OfATypeThatAManifestMade()
    {
        await using var run = await LocalRun.StartAsync(3, Cancel);
        await File.WriteAllTextAsync(
            Path.Combine(run.Manifests, "users.yaml"), "apiVersion: kv.dev/v1alpha1\nkind: BucketType\nmetadata: { name: users }\nspec: { clusterRef: { name: example }, datatype: map }\n", Cancel);
        await Rings.TypesActiveAsync(run, ["users"], Cancel);

        await OkAsync(run, "map", "update", "users", "b", "alice", "visits_counter+=2", "friends_set+=bob", "friends_set+=eve", "address_map.city_register=Köln", "paid_flag=true");
        run.KillNode("example-1");
        await OkAsync(run, "map", "update", "users", "b", "alice", "visits_counter-=1", "friends_set-=bob", "--context-from-get");
        var printed = await OkAsync(run, "datatype", "get", "users", "b", "alice");
        Assert.All(["address_map.city_register", "Köln", "eve"], text => Assert.Contains(text, printed, StringComparison.Ordinal));
        await OkAsync(run, "map", "remove", "users", "b", "alice", "address_map");
        using var json = JsonDocument.Parse(await OkAsync(run, "datatype", "get", "users", "b", "alice", "-o", "json"));
        Assert.Equal("""{"friends_set":["eve"],"paid_flag":true,"visits_counter":1}""", JsonSerializer.Serialize(json.RootElement.GetProperty("value")));

        var missing = await KvAsync(run, null, "datatype", "get", "users", "b", "nobody");
        Assert.Equal(3, missing.ExitCode);
        Assert.Equal(1, (await KvAsync(run, null, "map", "remove", "users", "b", "alice", "address_map")).ExitCode);
    }

    [Fact]
    public async Task BadInput_EndsWithItsExitCode_AndAClearLine()
    {
        await using var run = await LocalRun.StartAsync(1, Cancel);
        foreach (var (code, text, arguments) in new (int, string, string[])[]
        {
            (2, "", ["put"]),
            (2, "", ["frobnicate"]),
            (1, "nowhere", ["get", "nowhere", "bucket", "key"]),
            (3, "", ["get", "bucket", "missing"]),
            (1, "", ["bucket-type", "create", "bad", "{\"n_val\":0}"]),
        })
        {
            var command = await KvAsync(run, null, arguments);
            Assert.True(command.ExitCode == code, $"{code} was expected: {command}");
            Assert.Contains(text, command.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", command.Error, StringComparison.Ordinal);
        }
    }

    /// <summary>As kubectl calls it: the ring of this directory is not meant then, but a cluster that a kubeconfig names.</summary>
    [Fact]
    public async Task Plugin_PassesTheLocalRunBy()
    {
        await using var run = await LocalRun.StartAsync(1, Cancel);
        await OkAsync(run, "put", "greetings", "first", "hello");
        var environment = new Dictionary<string, string> { ["KUBECONFIG"] = "/nowhere/kubeconfig" };
        foreach (var program in new[] { "kubectl-kv", "kv" })
        {
            var got = await PrintedCommands.RunAsync($"'{SourceTree.Path("bin", program)}' get greetings first", run.WorkingDirectory, environment, TimeSpan.FromSeconds(60), Cancel);
            if (program == "kv")
            {
                Assert.Equal((0, "hello"), (got.ExitCode, got.Output.TrimEnd('\n')));
            }
            else
            {
                Assert.Equal((4, ""), (got.ExitCode, got.Output));
                Assert.Contains("no kubeconfig to use", got.Error, StringComparison.Ordinal);
            }
        }
    }

    /// <summary>What is wrong with the words of a command is said without a cluster, anywhere.</summary>
    [Fact]
    public async Task BadArguments_WhereThereIsNoCluster_AreWhatIsSaid()
    {
        var directory = Directory.CreateTempSubdirectory("kv-nothing-").FullName;
        try
        {
            var environment = new Dictionary<string, string> { ["KUBECONFIG"] = "/nowhere/kubeconfig" };
            var wrong = await PrintedCommands.RunAsync($"'{SourceTree.Path("bin", "kv")}' get b", directory, environment, TimeSpan.FromSeconds(60), Cancel);
            Assert.Equal(2, wrong.ExitCode);
            Assert.Contains("too few names: [TYPE] BUCKET KEY", wrong.Error, StringComparison.Ordinal);
            var right = await PrintedCommands.RunAsync($"'{SourceTree.Path("bin", "kv")}' get b k", directory, environment, TimeSpan.FromSeconds(60), Cancel);
            Assert.Equal(4, right.ExitCode);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<string> OkAsync(LocalRun run, params string[] arguments)
    {
        var command = await KvAsync(run, null, arguments);
        Assert.True(command.Succeeded, command.ToString());
        return command.Output;
    }

    private static Task<Command> KvAsync(LocalRun run, string? input, params string[] arguments) => Command.RunAsync(
        "/bin/sh",
        ["-c", "cd \"$1\" && shift && kv=$1 && shift && exec \"$kv\" \"$@\"", "sh", run.WorkingDirectory, SourceTree.Path("bin", "kv"), .. arguments],
        TimeSpan.FromSeconds(60),
        input: input,
        cancel: Cancel);
}
