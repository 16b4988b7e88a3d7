using System.Text.Json.Nodes;
using Google.Protobuf;
using Kv.Kubectl.Import;
using Kv.Protos.Riak;
using Xunit;
using static Kv.Operator.Tests.Kubectl.Import.LiveNode;

namespace Kv.Operator.Tests.Kubectl.Import;

/// <summary>`kv import` of objects, from one node into another: all that goes with a value arrives, done again nothing is, and what only the target has stays.</summary>
public sealed class ImportObjectTests : IAsyncLifetime
{
    private readonly StateDirectory state = new();
    private LiveNode source = null!;
    private LiveNode target = null!;

    public async ValueTask InitializeAsync() => (source, target) = (await StartAsync(), await StartAsync());

    public async ValueTask DisposeAsync()
    {
        await source.DisposeAsync();
        await target.DisposeAsync();
        state.Dispose();
    }

    [Theory]
    [InlineData("default")]
    [InlineData("ordered")]
    public async Task Objects_ArriveWithAllThatGoesWithThem_AndASecondRunCopiesNothing(string type)
    {
        var full = new RpbContent
        {
            Value = ByteString.CopyFrom(0, 255, 10),
            ContentType = Bytes("text/html"),
            Charset = Bytes("utf-8"),
            ContentEncoding = Bytes("gzip"),
            Links = { new RpbLink { Bucket = Bytes("people"), Key = Bytes("ada"), Tag = Bytes("friend") } },
            Usermeta = { new RpbPair { Key = Bytes("b"), Value = Bytes("2") }, new RpbPair { Key = Bytes("a"), Value = Bytes("ä") } },
            Indexes = { new RpbPair { Key = Bytes("age_int"), Value = Bytes("42") }, new RpbPair { Key = Bytes("mail_bin"), Value = Bytes("a@b") } },
        };
        await source.PutAsync(type, "b", "full", full);
        await source.PutAsync(type, "b", "bare", new RpbContent { Value = ByteString.Empty });
        await source.PutAsync(type, "b", "k/ü\n", "odd key");

        var run = await source.ImportAsync(target, state, "--type", type, "--bucket", "b");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal((3, 3, 0), Counts(run));
        var arrived = Assert.Single((await target.GetAsync(type, "b", "full")).Content);
        (arrived.Vtag, arrived.LastMod, arrived.LastModUsecs) = (ByteString.Empty, 0, 0);
        arrived.ClearVtag();
        arrived.ClearLastMod();
        arrived.ClearLastModUsecs();
        var expected = (await source.GetAsync(type, "b", "full")).Content[0];
        expected.ClearVtag();
        expected.ClearLastMod();
        expected.ClearLastModUsecs();
        Assert.Equal([.. expected.Usermeta.OrderBy(pair => pair.Key.ToStringUtf8())], [.. arrived.Usermeta]);
        expected.Usermeta.Clear();
        arrived.Usermeta.Clear();
        Assert.Equal(expected, arrived);
        Assert.Equal(["odd key"], await target.ValuesAsync(type, "b", "k/ü\n"));
        var bare = Assert.Single((await target.GetAsync(type, "b", "bare")).Content);
        Assert.Equal((0, false), (bare.Value.Length, bare.HasContentType));
        Assert.Equal(type == "default", run.Output.Contains("cannot be queried by them", StringComparison.Ordinal));
        Assert.False(Directory.Exists(state.Path));

        var again = await source.ImportAsync(target, state, "--type", type, "--bucket", "b");
        Assert.Equal((0, (3, 0, 3)), (again.ExitCode, Counts(again)));
    }

    /// <summary>Riak keeps the whole name of a header; here it is the name that stands behind the prefix, for every interface.</summary>
    [Fact]
    public async Task MetadataThatCameByHttp_HasItsNameWithoutTheHeadersPrefix()
    {
        RpbPair[] pairs = [new() { Key = Bytes("X-Riak-Meta-Colour"), Value = Bytes("red") }, new() { Key = Bytes("x-riak-meta-"), Value = Bytes("1") }, new() { Key = Bytes("plain"), Value = Bytes("2") }];
        await source.PutAsync("default", "b", "k", new RpbContent { Value = Bytes("v"), Usermeta = { pairs } });
        await source.ImportAsync(target, state, "--bucket", "b");
        var names = Assert.Single((await target.GetAsync("default", "b", "k")).Content).Usermeta.Select(pair => pair.Key.ToStringUtf8());
        Assert.Equal(["Colour", "plain", "x-riak-meta-"], names);
        Assert.Equal((1, 0, 1), Counts(await source.ImportAsync(target, state, "--bucket", "b")));
    }

    [Fact]
    public async Task Indexes_CanBeQueriedInTheTarget()
    {
        await source.PutAsync("ordered", "b", "k", new RpbContent { Value = Bytes("v"), Indexes = { new RpbPair { Key = Bytes("age_int"), Value = Bytes("42") } } });
        await source.ImportAsync(target, state, "--type", "ordered", "--all");
        var query = new RpbIndexReq { Type = Bytes("ordered"), Bucket = Bytes("b"), Index = Bytes("age_int"), Qtype = RpbIndexReq.Types.IndexQueryType.Eq, Key = Bytes("42") };
        Assert.Equal([Bytes("k")], (await target.AskAsync(25, query, RpbIndexResp.Parser)).Keys);
    }

    [Fact]
    public async Task Siblings_ArriveEach_Once()
    {
        foreach (var value in new[] { "x", "y", "z", "z" })
        {
            await source.PutAsync("siblings", "b", "new", value);
            await source.PutAsync("siblings", "b", "doubled", value);
        }

        await target.PutAsync("siblings", "b", "doubled", "x");
        await target.PutAsync("siblings", "b", "doubled", "x");
        await target.PutAsync("siblings", "b", "doubled", "y");
        await target.PutAsync("siblings", "b", "doubled", "z");
        var run = await source.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        Assert.True(run.ExitCode == 0, run.Error);
        foreach (var key in new[] { "new", "doubled" })
        {
            Assert.Equal(["x", "y", "z"], await target.ValuesAsync("siblings", "b", key));
        }

        var again = await source.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        Assert.Equal((2, 0, 2), Counts(again));
        Assert.Equal(["x", "y", "z"], await target.ValuesAsync("siblings", "b", "new"));
    }

    [Fact]
    public async Task SiblingsThatAnImportHasWrittenInPart_AreWrittenWhole_ByTheNext()
    {
        foreach (var value in new[] { "x", "y", "z" })
        {
            await source.PutAsync("siblings", "b", "k", value);
        }

        var puts = 0;
        target.OnCall = method => method != "Put" || Interlocked.Increment(ref puts) == 1;
        Assert.Equal(4, (await source.ImportAsync(target, state, "--type", "siblings", "--bucket", "b")).ExitCode);
        Assert.Single(await target.ValuesAsync("siblings", "b", "k"));
        target.OnCall = _ => true;
        var run = await source.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        Assert.Equal((0, (1, 1, 0)), (run.ExitCode, Counts(run)));
        Assert.Equal(["x", "y", "z"], await target.ValuesAsync("siblings", "b", "k"));
    }

    [Fact]
    public async Task ASiblingThatWasResolvedInTheTarget_DoesNotComeBack()
    {
        await source.PutAsync("siblings", "b", "k", "x");
        await source.PutAsync("siblings", "b", "k", "y");
        await source.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        var seen = await target.GetAsync("siblings", "b", "k");
        await target.PutAsync("siblings", "b", "k", Text("x"), seen.Vclock);
        var run = await source.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        Assert.Equal((1, (1, 0, 0)), (run.ExitCode, Counts(run)));
        Assert.Contains("the target has 1 of its 2 values", run.Output, StringComparison.Ordinal);
        Assert.Equal(["x"], await target.ValuesAsync("siblings", "b", "k"));
    }

    [Fact]
    public async Task Deletions_AreNotCopied()
    {
        await source.PutAsync("siblings", "b", "k", "old");
        var seen = (await source.GetAsync("siblings", "b", "k")).Vclock;
        await source.PutAsync("siblings", "b", "k", "concurrent");
        await source.DeleteAsync("siblings", "b", "k", seen);
        Assert.Contains((await source.GetAsync("siblings", "b", "k")).Content, content => content.Deleted);
        var run = await source.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        Assert.Equal((0, (1, 1, 0)), (run.ExitCode, Counts(run)));
        var content = Assert.Single((await target.GetAsync("siblings", "b", "k")).Content);
        Assert.Equal(("concurrent", false), (content.Value.ToStringUtf8(), content.Deleted));
    }

    [Fact]
    public async Task WhatTheTargetHas_Stays_AndIsReported_UnlessItIsToBeOverwritten()
    {
        foreach (var key in new[] { "changed", "deleted", "same" })
        {
            await source.PutAsync("keeps", "b", key, "old");
            await target.PutAsync("keeps", "b", key, "old");
        }

        await target.PutAsync("keeps", "b", "changed", Text("new"), (await target.GetAsync("keeps", "b", "changed")).Vclock);
        await target.DeleteAsync("keeps", "b", "deleted");
        var run = await source.ImportAsync(target, state, "--type", "keeps", "--bucket", "b");
        Assert.Equal((1, (3, 0, 1)), (run.ExitCode, Counts(run)));
        Assert.Equal(
            ["changed conflict the target has another value", "deleted conflict it was deleted in the target"],
            Json(run)["problems"]!.AsArray().Select(problem => $"{problem!["key"]} {problem["fate"]} {problem["reason"]}").Order(StringComparer.Ordinal));
        Assert.Equal(["new"], await target.ValuesAsync("keeps", "b", "changed"));
        Assert.Empty(await target.ValuesAsync("keeps", "b", "deleted"));

        var forced = await source.ImportAsync(target, state, "--type", "keeps", "--bucket", "b", "--on-conflict", "overwrite");
        Assert.Equal((0, (3, 2, 1)), (forced.ExitCode, Counts(forced)));
        Assert.Equal(["old"], await target.ValuesAsync("keeps", "b", "changed"));
        Assert.Equal(["old"], await target.ValuesAsync("keeps", "b", "deleted"));
    }

    [Fact]
    public async Task AWriteOfTheTarget_BetweenReadAndPut_IsNotOverwritten()
    {
        await source.PutAsync("default", "b", "k", "imported");
        var writes = 0;
        target.OnCall = method =>
        {
            if (method == "Put" && Interlocked.Increment(ref writes) == 1)
            {
                target.PutAsync("default", "b", "k", "the application's").GetAwaiter().GetResult();
            }

            return true;
        };
        var run = await source.ImportAsync(target, state, "--bucket", "b");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("it was written in the target meanwhile", run.Output, StringComparison.Ordinal);
        Assert.Equal(["the application's"], await target.ValuesAsync("default", "b", "k"));
    }

    [Fact]
    public async Task Properties_OfABucket_AreSetAsInTheSource()
    {
        await source.SetPropsAsync("default", "b", new RpbBucketProps { AllowMult = true, W = 3, Pr = 4294967293 });
        await source.PutAsync("default", "b", "k", "x");
        await source.PutAsync("default", "b", "k", "y");
        var left = await source.ImportAsync(target, state, "--bucket", "b", "--skip-props");
        Assert.Equal(1, left.ExitCode);
        Assert.Contains("it has 2 values, and the target's bucket keeps one (allow_mult)", left.Output, StringComparison.Ordinal);
        Assert.Contains("properties that differ were left as they are: allow_mult, w, pr", left.Output, StringComparison.Ordinal);
        Assert.False((await target.PropsAsync("default", "b")).AllowMult);

        var run = await source.ImportAsync(target, state, "--bucket", "b");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal(await source.PropsAsync("default", "b"), await target.PropsAsync("default", "b"));
        Assert.Equal(["x", "y"], await target.ValuesAsync("default", "b", "k"));
        Assert.Equal(["allow_mult", "w", "pr"], Json(run)["buckets"]![0]!["props"]!.AsArray().Select(name => (string?)name));
        Assert.Empty(Json(await source.ImportAsync(target, state, "--bucket", "b"))["buckets"]![0]!["props"]!.AsArray());
    }

    [Fact]
    public async Task Properties_ThatTheTargetsBucketHasOfItsOwn_StayAsTheyAre_UnlessTheyAreToBeOverwritten()
    {
        await source.SetPropsAsync("default", "b", new RpbBucketProps { W = 3, R = 1 });
        await target.SetPropsAsync("default", "b", new RpbBucketProps { W = 1 });
        await source.PutAsync("default", "b", "k", "v");
        var run = await source.ImportAsync(target, state, "--bucket", "b");
        Assert.Equal((1, (1, 1, 0)), (run.ExitCode, Counts(run)));
        Assert.Equal(["w"], Json(run)["buckets"]![0]!["propsInConflict"]!.AsArray().Select(name => (string?)name));
        Assert.Equal((1u, 4294967293u), ((await target.PropsAsync("default", "b")).W, (await target.PropsAsync("default", "b")).R));

        Assert.Equal(0, (await source.ImportAsync(target, state, "--bucket", "b", "--on-conflict", "overwrite")).ExitCode);
        Assert.Equal((3u, 1u), ((await target.PropsAsync("default", "b")).W, (await target.PropsAsync("default", "b")).R));
    }

    [Fact]
    public void Properties_ThatAreNotCarriedOver_AreNamed()
    {
        var there = new RpbBucketProps
        {
            WriteOnce = true,
            Backend = Bytes("eleveldb_mult"),
            ChashKeyfun = new RpbModFun { Module = Bytes("mine"), Function = Bytes("place") },
            Linkfun = new RpbModFun { Module = Bytes("riak_kv_wm_link_walker"), Function = Bytes("mapreduce_linkfun") },
        };
        var here = new JsonObject { ["write_once"] = false, ["backend"] = "ordered" };
        Assert.Equal(
            [
                "it is write-once in the source, and is not here, where that is its type's",
                "its backend is eleveldb_mult in the source and ordered here, where it is its type's",
                "its keys are placed by mine:place in the source, which is not carried over",
            ],
            BucketPropsCopy.Of(there, here, here).Notes);
    }

    [Fact]
    public async Task All_TakesEachBucketOfEachType_AndTheTableNamesThem()
    {
        await source.PutAsync("default", "one", "k", "v");
        await source.PutAsync("siblings", "two", "k", "v");
        await source.PutAsync("siblings", "three", "k", "v");
        var run = await KvRun.OfAsync("import", source.Pb, "--endpoint", target.Grpc, "--state", state.Path, "--all", "--type", "default", "--type", "siblings");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal(
            """
            TYPE       BUCKET      KEYS   COPIED   EQUAL   DELETED   CONFLICT   REFUSED   FAILED   STATE
            default    one            1        1       0         0          0         0        0   done
            siblings   three          1        1       0         0          0         0        0   done
            siblings   two            1        1       0         0          0         0        0   done
            -          3 buckets      -        3       0         0          0         0        0   -

            """,
            run.Output);
        Assert.StartsWith($"kv: importing from node1 ({source.Pb}), version ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TextThatIsNone_IsRefused_AndTheOthersAreCopied()
    {
        await source.PutAsync("siblings", "b", "good", "v");
        var counter = new RpbContent { Value = ByteString.CopyFrom(69, 1, 0, 0), ContentType = Bytes("application/riak_counter") };
        await source.PutAsync("siblings", "b", "counter", counter);
        var run = await source.ImportAsync(target, state, "--type", "siblings", "--bucket", "b");
        Assert.Equal((1, (2, 1, 0)), (run.ExitCode, Counts(run)));
        Assert.Contains("a counter of Riak 1.4", run.Output, StringComparison.Ordinal);
        Assert.Equal(1, (int)Json(run)["total"]!["refused"]!);
    }

    private static RpbContent Text(string value) => new() { Value = Bytes(value), ContentType = Bytes("text/plain") };

    private static JsonNode Json(KvRun run) => JsonNode.Parse(run.Output)!;

    /// <summary>Listed, copied, equal.</summary>
    private static (int Keys, int Copied, int Equal) Counts(KvRun run)
    {
        var bucket = Json(run)["buckets"]![0]!;
        return ((int)bucket["keys"]!, (int)bucket["copied"]!, (int)bucket["equal"]!);
    }
}
