using System.Text.Json.Nodes;
using Kv.Protos.Riak;
using Xunit;
using static Kv.Operator.Tests.Kubectl.Import.LiveNode;

namespace Kv.Operator.Tests.Kubectl.Import;

/// <summary>`kv import` after one that did not come to its end, and what it says of all that was not copied.</summary>
public sealed class ImportAgainTests : IAsyncLifetime
{
    private readonly StateDirectory state = new();
    private LiveNode source = null!;
    private LiveNode target = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => (source, target) = (await StartAsync(), await StartAsync());

    public async ValueTask DisposeAsync()
    {
        await source.DisposeAsync();
        await target.DisposeAsync();
        state.Dispose();
    }

    [Fact]
    public async Task ABucketThatWasDoneBefore_IsNamed_AndTheImportIsNotComplete_UntilOneLooksAtAll()
    {
        await FailAtTheSecondBucketAsync();
        await source.PutAsync("siblings", "a", "late", "v");
        var run = await KvRun.OfAsync("import", source.Pb, "--endpoint", target.Grpc, "--state", state.Path, "--type", "siblings", "--all");
        Assert.Equal(4, run.ExitCode);
        Assert.Contains("1 bucket listed by an import before this one: run once more to see what was written since", run.Error, StringComparison.Ordinal);
        Assert.Matches(@"kv: siblings/a: done before, and listed at 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ, \d+ \w+ ago", run.Error);
        Assert.Empty(await target.ValuesAsync("siblings", "a", "late"));
        Assert.False(Directory.Exists(state.Path));

        var last = await source.ImportAsync(target, state, "--type", "siblings", "--all");
        Assert.Equal((0, true), (last.ExitCode, (bool)Json(last)["complete"]!));
        Assert.Equal(["v"], await target.ValuesAsync("siblings", "a", "late"));
    }

    [Fact]
    public async Task BeginningAfresh_LooksAtAll()
    {
        await FailAtTheSecondBucketAsync();
        await source.PutAsync("siblings", "a", "late", "v");
        var run = await source.ImportAsync(target, state, "--type", "siblings", "--all", "--afresh");
        Assert.Equal((0, true), (run.ExitCode, (bool)Json(run)["complete"]!));
        Assert.Equal(["v"], await target.ValuesAsync("siblings", "a", "late"));
    }

    [Fact]
    public async Task ABucketThatFailedOutright_IsNotComplete_AndStandsFirst()
    {
        await source.PutAsync("siblings", "a", "k", "v");
        await source.PutAsync("siblings", "b", "k", "v");
        await using var scripted = new ScriptedRiak(source);
        scripted.Script = (code, body) => code == 17 && RpbListKeysReq.Parser.ParseFrom(body).Bucket == Bytes("b") ? [ScriptedRiak.Error("it is broken")] : null;
        var run = await scripted.ImportAsync(target, state, "--type", "siblings", "--all");
        Assert.Equal((1, false, 1), (run.ExitCode, (bool)Json(run)["complete"]!, (int)Json(run)["failedBuckets"]!));
        Assert.Equal(["b", "a"], Json(run)["buckets"]!.AsArray().Select(bucket => (string?)bucket!["bucket"]));
        var problem = JsonNode.Parse(Assert.Single(await File.ReadAllLinesAsync((string)Json(run)["problemsFile"]!, Cancel)))!;
        Assert.Equal(("b", "the source says: it is broken"), ((string?)problem["bucket"], (string?)problem["reason"]));
    }

    [Fact]
    public async Task AllKeysThatWereNotCopied_AreInAFile_WhichStays()
    {
        for (var i = 0; i < 1_100; i++)
        {
            await source.PutAsync("default", "b", $"k{i}", "theirs");
            await target.PutAsync("default", "b", $"k{i}", "ours");
        }

        var run = await source.ImportAsync(target, state, "--bucket", "b");
        Assert.Equal((1, 1_000, 100), (run.ExitCode, Json(run)["problems"]!.AsArray().Count, (int)Json(run)["problemsLeftOut"]!));
        Assert.False(File.Exists(state.File));
        var lines = await File.ReadAllLinesAsync((string)Json(run)["problemsFile"]!, Cancel);
        Assert.Equal(1_100, lines.Select(line => (string?)JsonNode.Parse(line)!["key"]).Distinct().Count());

        // The next looks at everything again, and begins the file anew.
        var forced = await KvRun.OfAsync("import", source.Pb, "--endpoint", target.Grpc, "--state", state.Path, "--bucket", "b");
        Assert.EndsWith($"all that was not copied is in {state.Path}/problems.jsonl\n", forced.Error, StringComparison.Ordinal);
        Assert.Equal(1_100, (await File.ReadAllLinesAsync(Path.Combine(state.Path, "problems.jsonl"), Cancel)).Length);
    }

    [Fact]
    public async Task ABucketWithoutKeys_OrATypeWithoutBuckets_IsAMistake_AndSetsNothing()
    {
        await source.SetPropsAsync("default", "misspelt", new RpbBucketProps { AllowMult = true });
        var named = await source.ImportAsync(target, state, "--bucket", "misspelt");
        Assert.Equal((1, 1), (named.ExitCode, (int)Json(named)["failedBuckets"]!));
        Assert.Contains("the source lists no keys in it", named.Output, StringComparison.Ordinal);
        Assert.False((await target.PropsAsync("default", "misspelt")).AllowMult);

        using var other = new StateDirectory();
        var all = await source.ImportAsync(target, other, "--all");
        Assert.Equal(3, all.ExitCode);
        Assert.Contains("the source lists no bucket of the type default", all.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(other.Path));
    }

    private static JsonNode Json(KvRun run) => JsonNode.Parse(run.Output)!;

    private async Task FailAtTheSecondBucketAsync()
    {
        await source.PutAsync("siblings", "a", "k", "v");
        await source.PutAsync("siblings", "b", "k", "v");
        var puts = 0;
        target.OnCall = method => method != "Put" || Interlocked.Increment(ref puts) == 1;
        Assert.Equal(4, (await source.ImportAsync(target, state, "--type", "siblings", "--all")).ExitCode);
        target.OnCall = _ => true;
    }
}
