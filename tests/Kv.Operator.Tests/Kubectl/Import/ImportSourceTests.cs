using System.Text.Json.Nodes;
using Google.Protobuf;
using Kv.Kubectl.Import;
using Kv.Protos.Riak;
using Xunit;
using static Kv.Operator.Tests.Kubectl.Import.LiveNode;

namespace Kv.Operator.Tests.Kubectl.Import;

/// <summary>`kv import` from a source whose replicas do not agree, or which refuses or breaks off: only what all replicas say is gone is taken for gone.</summary>
public sealed class ImportSourceTests : IAsyncLifetime
{
    private const byte Get = 9;
    private const byte GetAnswer = 10;
    private const byte Fetch = 80;
    private const byte FetchAnswer = 81;

    private readonly StateDirectory state = new();
    private LiveNode source = null!;
    private LiveNode target = null!;
    private ScriptedRiak scripted = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        (source, target) = (await StartAsync(), await StartAsync());
        scripted = new ScriptedRiak(source);
    }

    public async ValueTask DisposeAsync()
    {
        await scripted.DisposeAsync();
        await source.DisposeAsync();
        await target.DisposeAsync();
        state.Dispose();
    }

    [Fact]
    public async Task AnObjectThatTwoReplicasHaveMissed_IsCopied()
    {
        await source.PutAsync("siblings", "b", "k", "v");
        scripted.Script = (code, body) => code == Get && !RpbGetReq.Parser.ParseFrom(body).HasNotfoundOk ? [(GetAnswer, new RpbGetResp())] : null;
        var run = await scripted.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        Assert.Equal((0, 1, 0), (run.ExitCode, Count(run, "copied"), Count(run, "deleted")));
        Assert.Equal(["v"], await target.ValuesAsync("siblings", "b", "k"));
    }

    [Fact]
    public async Task ADataTypeThatTwoReplicasHaveMissed_IsCopied()
    {
        await source.UpdateAsync("counters", "b", "k", new DtOp { CounterOp = new CounterOp { Increment = 5 } });
        scripted.Script = (code, body) => code == Fetch && !DtFetchReq.Parser.ParseFrom(body).HasNotfoundOk
            ? [(FetchAnswer, new DtFetchResp { Type = DtFetchResp.Types.DataType.Counter })]
            : null;
        var run = await scripted.ImportAsync(target, state, "--type", "counters", "--bucket", "b");
        Assert.Equal((0, 1), (run.ExitCode, Count(run, "copied")));
        Assert.Equal(5, (await target.FetchAsync("counters", "b", "k"))!.CounterValue);
    }

    [Theory]
    [InlineData("", 0, 1, 0)]
    [InlineData("clock", 0, 1, 0)]
    [InlineData("error", 4, 0, 1)]
    public async Task WhatIsNotThere_IsDeleted_OnlyWhereEachReplicaSaysSo(string said, int exitCode, int deleted, int failed)
    {
        await source.PutAsync("siblings", "b", "k", "v");
        scripted.Script = (code, body) => code != Get ? null
            : !RpbGetReq.Parser.ParseFrom(body).HasNotfoundOk ? [(GetAnswer, new RpbGetResp())]
            : said == "error" ? [ScriptedRiak.Error("{r_val_unsatisfied,1,0}")]
            : [(GetAnswer, said.Length == 0 ? new RpbGetResp() : new RpbGetResp { Vclock = Bytes(said) })];
        var run = await scripted.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        Assert.Equal((exitCode, deleted, failed), (run.ExitCode, Count(run, "deleted"), Count(run, "failed")));
    }

    [Fact]
    public async Task ARefusalThatMayPassAway_IsTriedAgain()
    {
        await source.PutAsync("siblings", "b", "k", "v");
        var asked = 0;
        scripted.Script = (code, _) => code == Get && Interlocked.Increment(ref asked) == 1 ? [ScriptedRiak.Error("{error,mailbox_is_full}")] : null;
        var run = await scripted.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        Assert.Equal((0, 1, 0), (run.ExitCode, Count(run, "copied"), Count(run, "refused")));
    }

    [Fact]
    public async Task WhoMayNotReadTheSource_IsToldSoOnce()
    {
        for (var i = 0; i < 5; i++)
        {
            await source.PutAsync("siblings", "b", $"k{i}", "v");
        }

        scripted.Script = (code, _) => code == Get ? [ScriptedRiak.Error("Permission denied: User 'timeout' does not have 'riak_kv.get' on siblings/b")] : null;
        var run = await scripted.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        Assert.Equal((1, 0, 0), (run.ExitCode, Count(run, "refused"), Count(run, "failed")));
        Assert.EndsWith("kv: the source says: Permission denied: User 'timeout' does not have 'riak_kv.get' on siblings/b\n", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAnswerThatNobodyWaitedFor_IsNotTakenForThatOfTheNextQuestion()
    {
        await source.PutAsync("siblings", "b", "slow", "of slow");
        await source.PutAsync("siblings", "b", "other", "of other");
        using var asked = new SemaphoreSlim(0);
        using var answers = new SemaphoreSlim(0);
        scripted.Script = (code, body) =>
        {
            if (code == Get && RpbGetReq.Parser.ParseFrom(body).Key == Bytes("slow"))
            {
                asked.Release();
                answers.Wait(Cancel);
            }

            return null;
        };
        using var riak = new RiakSource(new SourceSettings([scripted.Address], null, null, null, TimeSpan.FromSeconds(30)), 0);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var bucket = new BucketId("siblings", Bytes("b"));
        var slow = Task.Run(() => riak.GetAsync(bucket, Bytes("slow"), stop.Token), Cancel);
        await asked.WaitAsync(Cancel);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => slow);
        answers.Release();
        Assert.Equal("of other", Assert.Single((await riak.GetAsync(bucket, Bytes("other"), Cancel)).Content).Value.ToStringUtf8());
    }

    [Fact]
    public async Task AListingThatBreaksOff_IsBegunAnew_AtAnotherNode()
    {
        await source.PutAsync("siblings", "b", "k", "v");
        scripted.Script = (code, _) => code == 17 ? [(18, new RpbListKeysResp { Keys = { Bytes("gone") } }), null] : null;
        var run = await KvRun.OfAsync("import", scripted.Address, source.Pb, "--endpoint", target.Grpc, "--state", state.Path, "-o", "json", "--type", "siblings", "--bucket", "b");
        Assert.Equal((0, 1, 0), (run.ExitCode, Count(run, "copied"), Count(run, "deleted")));
    }

    [Fact]
    public async Task AKeyThatIsTooLong_IsRefused_AndTheOthersAreCopied()
    {
        await source.PutAsync("siblings", "b", "k", "v");
        var tooLong = ByteString.CopyFrom(new byte[(1024 * 1024) + 1]);
        scripted.Script = (code, _) => code == 17 ? [(18, new RpbListKeysResp { Keys = { tooLong, Bytes("k") }, Done = true })] : null;
        var run = await scripted.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        Assert.Equal((1, 1, 1), (run.ExitCode, Count(run, "copied"), Count(run, "refused")));
        Assert.Contains("its key has 1048577 bytes, and at most 65536 are allowed", run.Output, StringComparison.Ordinal);
    }

    private static int Count(KvRun run, string fate) => (int)JsonNode.Parse(run.Output)!["total"]![fate]!;
}
