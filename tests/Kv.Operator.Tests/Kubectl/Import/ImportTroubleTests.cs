using System.Text.Json.Nodes;
using Kv.Kubectl;
using Kv.Wire.Access;
using Kv.Wire.Tests.Access;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static Kv.Operator.Tests.Kubectl.Import.LiveNode;

namespace Kv.Operator.Tests.Kubectl.Import;

/// <summary>`kv import` where something is wrong or breaks: what it says, what it leaves, and how it goes on.</summary>
public sealed class ImportTroubleTests : IAsyncLifetime
{
    private const int Keys = 6_000;

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
    public async Task AnImportThatIsCutOff_GoesOnFromItsLastChunk()
    {
        for (var i = 0; i < Keys; i++)
        {
            await source.PutAsync("siblings", "b", $"k{i}", $"v{i}");
        }

        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var (puts, gets) = (0, 0);
        target.OnCall = method =>
        {
            if (method == "Put" && Interlocked.Increment(ref puts) == Keys - 300)
            {
                interrupt.Cancel();
            }

            return true;
        };
        var (code, error) = await InterruptedAsync(interrupt.Token);
        Assert.Equal(1, code);
        Assert.Contains("kv: the same command goes on from here", error, StringComparison.Ordinal);
        Assert.EndsWith("kv: interrupted\n", error, StringComparison.Ordinal);

        // Killed in the middle of a line.
        await File.AppendAllTextAsync(state.File, """{"type":"sib""", Cancel);
        target.OnCall = method => Interlocked.Add(ref gets, method == "Get" ? 1 : 0) >= 0;
        var run = await source.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        Assert.True(run.ExitCode == 4, run.Error);
        Assert.True((bool)JsonNode.Parse(run.Output)!["buckets"]![0]!["listedBefore"]!);
        Assert.InRange(gets, 300, 1_000);
        var total = JsonNode.Parse(run.Output)!["total"]!;
        Assert.Equal(Keys, (int)total["copied"]! + (int)total["equal"]!);
        for (var i = 0; i < Keys; i++)
        {
            Assert.Equal([$"v{i}"], await target.ValuesAsync("siblings", "b", $"k{i}"));
        }
    }

    [Fact]
    public async Task WhatFails_IsTriedAgain_AndIsItsOwnSiblingNowhere()
    {
        for (var i = 0; i < 20; i++)
        {
            await source.PutAsync("siblings", "b", $"k{i}", $"v{i}");
        }

        var puts = 0;
        target.OnCall = method => method != "Put" || Interlocked.Increment(ref puts) > 7;
        var run = await source.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        Assert.True(run.ExitCode == 0, run.Error + run.Output);
        Assert.Equal(27, puts);
        Assert.Equal(["v3"], await target.ValuesAsync("siblings", "b", "k3"));
    }

    [Fact]
    public async Task WhatFailsToTheEnd_IsReported_AndTriedByTheNextRun()
    {
        await source.PutAsync("siblings", "b", "k", "v");
        target.OnCall = method => method != "Put";
        var run = await source.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        Assert.Equal(4, run.ExitCode);
        var problem = Assert.Single(JsonNode.Parse(run.Output)!["problems"]!.AsArray())!;
        Assert.Equal(("k", "failed"), ((string?)problem["key"], (string?)problem["fate"]));
        target.OnCall = _ => true;
        Assert.Equal(0, (await source.ImportAsync(target, state, "--type", "siblings", "--bucket", "b")).ExitCode);
        Assert.Equal(["v"], await target.ValuesAsync("siblings", "b", "k"));
    }

    [Fact]
    public async Task ATargetThatIsGone_EndsTheImport_RatherThanFailEachKey()
    {
        for (var i = 0; i < 500; i++)
        {
            await source.PutAsync("siblings", "b", $"k{i}", "v");
        }

        target.OnCall = method => method != "Get";
        var run = await source.ImportAsync(target, state, "--type", "siblings", "--all");
        Assert.Equal(4, run.ExitCode);
        Assert.Contains("200 keys in a row failed", run.Error, StringComparison.Ordinal);
        Assert.False((bool)JsonNode.Parse(run.Output)!["complete"]!);
    }

    /// <summary>Those are all that is left to be tried; the others were copied.</summary>
    [Fact]
    public async Task KeysThatFailEachTime_AreNoSignThatTheTargetIsGone()
    {
        const int Many = 500;
        for (var i = 0; i < Many; i++)
        {
            await source.PutAsync("siblings", "b", $"k{i}", "v");
        }

        // The first time each second key, and all of those that are tried again.
        var puts = 0;
        target.OnCall = method => method != "Put" || (Interlocked.Increment(ref puts) is var put && put <= Many && put % 2 == 0);
        var run = await source.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        Assert.DoesNotContain("keys in a row failed", run.Error, StringComparison.Ordinal);
        Assert.Equal((4, Many / 2), (run.ExitCode, (int)JsonNode.Parse(run.Output)!["total"]!["failed"]!));
    }

    [Fact]
    public async Task AFileThatCannotBeWritten_IsAnErrorThatSaysSo()
    {
        await source.PutAsync("default", "b", "k", "v");
        Directory.CreateDirectory(Path.Combine(state.Path, "keys"));
        var run = await source.ImportAsync(target, state, "--bucket", "b");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("the list of keys cannot be kept in ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ATypeThatIsMissing_IsNamed_WithTheCommandThatMakesIt_BeforeAnythingIsWritten()
    {
        var made = await source.Alone.Node.Admin.CreateBucketTypeAsync("carts", """{"datatype":"set"}""", Cancel);
        Assert.True(made.IsOk && (await source.Alone.Node.Admin.ActivateBucketTypeAsync("carts", Cancel)).IsOk);
        var run = await source.ImportAsync(target, state, "--type", "carts", "--all");
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("""kv bucket-type create 'carts' '{"props":{"n_val":3,"datatype":"set"}}'""", run.Error, StringComparison.Ordinal);
        Assert.Contains("spec: { clusterRef: { name: CLUSTER }, nVal: 3, datatype: \"set\" }", run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(state.Path));

        var nowhere = await source.ImportAsync(target, state, "--type", "nowhere", "--all");
        Assert.Equal(3, nowhere.ExitCode);
        Assert.Contains("the source has no bucket type nowhere that is active", nowhere.Error, StringComparison.Ordinal);

        var other = await target.Alone.Node.Admin.CreateBucketTypeAsync("carts", """{"datatype":"map"}""", Cancel);
        Assert.True(other.IsOk && (await target.Alone.Node.Admin.ActivateBucketTypeAsync("carts", Cancel)).IsOk);
        Assert.Contains(
            "the bucket type carts has the data type set in the source and map in the cluster", (await source.ImportAsync(target, state, "--type", "carts", "--all")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASourceThatIsNone_IsToldSo()
    {
        var nobody = await KvRun.OfAsync("import", "127.0.0.1:1", "--all", "--endpoint", target.Grpc, "--state", state.Path);
        Assert.Equal(4, nobody.ExitCode);
        Assert.Contains("the source 127.0.0.1:1 cannot be asked: Connection refused", nobody.Error, StringComparison.Ordinal);
        var grpc = await KvRun.OfAsync("import", target.Grpc, "--all", "--endpoint", target.Grpc, "--state", state.Path, "--timeout", "3s");
        Assert.NotEqual(0, grpc.ExitCode);
        Assert.Contains($"the source {target.Grpc} cannot be asked: ", grpc.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(state.Path));
    }

    [Fact]
    public async Task ANodeOfTheSourceThatIsDown_IsPassedOver()
    {
        await source.PutAsync("default", "b", "k", "v");
        var run = await KvRun.OfAsync("import", "127.0.0.1:1", source.Pb, "--all", "--endpoint", target.Grpc, "--state", state.Path);
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal(["v"], await target.ValuesAsync("default", "b", "k"));
    }

    [Fact]
    public async Task AStateOfAnotherImport_OrNone_IsNotUsed()
    {
        Directory.CreateDirectory(state.Path);
        await File.WriteAllTextAsync(state.File, """{"version":2,"source":["elsewhere:8087"],"cluster":"test","overwrites":false}""" + "\n", Cancel);
        Assert.Contains("is of another import", (await source.ImportAsync(target, state, "--all")).Error, StringComparison.Ordinal);
        await File.WriteAllTextAsync(state.File, "no json\n", Cancel);
        Assert.Contains("is not the state of an import, or is damaged", (await source.ImportAsync(target, state, "--all")).Error, StringComparison.Ordinal);
        Directory.Delete(state.Path, recursive: true);
        await File.WriteAllTextAsync(state.Path, "a file", Cancel);
        var run = await source.ImportAsync(target, state, "--all");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("cannot be used", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASourceWithSecurity_IsAskedByTls_AndByName()
    {
        using var authority = new TestAuthority();
        authority.IssueServer("riak@elsewhere");
        using var tls = new NodeTls(authority.Files, TimeProvider.System, NullLogger<NodeTls>.Instance);
        await using var secured = await StartAsync(tls);
        await secured.PutAsync("default", "b", "k", "v");
        await secured.SecureAsync("ada", "secret");
        var passwords = Path.Combine(Path.GetDirectoryName(authority.AuthorityFile)!, "password");
        await File.WriteAllTextAsync(passwords, "secret\n", Cancel);

        Assert.Contains("Security is enabled, please STARTTLS first", (await secured.ImportAsync(target, state, "--all")).Error, StringComparison.Ordinal);
        string[] asAda = ["--bucket", "b", "--source-user", "ada", "--source-password-file", passwords];
        Assert.Contains("TLS: ", (await secured.ImportAsync(target, state, asAda)).Error, StringComparison.Ordinal);
        var run = await secured.ImportAsync(target, state, [.. asAda, "--source-tls-ca", authority.AuthorityFile]);
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal(["v"], await target.ValuesAsync("default", "b", "k"));
        await File.WriteAllTextAsync(passwords, "wrong\n", Cancel);
        Assert.Contains("Authentication failed", (await secured.ImportAsync(target, state, [.. asAda, "--source-tls-ca", authority.AuthorityFile])).Error, StringComparison.Ordinal);
        Assert.Contains("STARTTLS not allowed", (await source.ImportAsync(target, state, [.. asAda, "--source-tls-ca", authority.AuthorityFile])).Error, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Error)> InterruptedAsync(CancellationToken interrupt)
    {
        using var output = new MemoryStream();
        await using var error = new StringWriter { NewLine = "\n" };
        var line = new CommandLine(new Terminal(new MemoryStream(), output, error, isInteractive: false), new Surroundings(Path.GetTempPath(), IsPlugin: false));
        var code = await line.RunAsync(["import", source.Pb, "--endpoint", target.Grpc, "--state", state.Path, "--type", "siblings", "--bucket", "b"], interrupt);
        return (code, error.ToString());
    }
}
