using System.Text.Json.Nodes;
using Kv.Protos.Riak;
using Xunit;
using static Kv.Operator.Tests.Kubectl.Import.LiveNode;

namespace Kv.Operator.Tests.Kubectl.Import;

/// <summary>`kv import` of data types: their values are made anew where there are none, and nothing is counted twice.</summary>
public sealed class ImportDataTypeTests : IAsyncLifetime
{
    private readonly StateDirectory state = new();
    private LiveNode source = null!;
    private LiveNode target = null!;

    /// <summary>A type, what makes its value, and what changes it afterwards.</summary>
    public static TheoryData<string, DtOp, DtOp> Kinds => new()
    {
        { "counters", new DtOp { CounterOp = new CounterOp { Increment = -7 } }, new DtOp { CounterOp = new CounterOp { Increment = 1 } } },
        { "counters", new DtOp { CounterOp = new CounterOp { Increment = 0 } }, new DtOp { CounterOp = new CounterOp { Increment = 1 } } },
        { "sets", new DtOp { SetOp = new SetOp { Adds = { Bytes("b"), Bytes("a") } } }, new DtOp { SetOp = new SetOp { Adds = { Bytes("c") } } } },
        { "gsets", new DtOp { GsetOp = new GSetOp { Adds = { Bytes("b"), Bytes("a") } } }, new DtOp { GsetOp = new GSetOp { Adds = { Bytes("c") } } } },
        { "maps", new DtOp { MapOp = Everything() }, new DtOp { MapOp = new MapOp { Updates = { Counted("inner", 1) } } } },
    };

    public async ValueTask InitializeAsync() => (source, target) = (await StartAsync(), await StartAsync());

    public async ValueTask DisposeAsync()
    {
        await source.DisposeAsync();
        await target.DisposeAsync();
        state.Dispose();
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Value_IsMadeAnew_NeverTwice_AndNeverOverAnother(string type, DtOp make, DtOp change)
    {
        await source.UpdateAsync(type, "b", "k", make);
        var run = await source.ImportAsync(target, state, "--type", type, "--all");
        Assert.True(run.ExitCode == 0, run.Error + run.Output);
        Assert.Equal((1, 0), Counts(run));
        Assert.Equal(await source.FetchAsync(type, "b", "k"), await target.FetchAsync(type, "b", "k"));

        Assert.Equal((0, 1), Counts(await source.ImportAsync(target, state, "--type", type, "--all")));
        Assert.Equal(await source.FetchAsync(type, "b", "k"), await target.FetchAsync(type, "b", "k"));

        await target.UpdateAsync(type, "b", "k", change);
        var changed = await target.FetchAsync(type, "b", "k");
        var conflict = await source.ImportAsync(target, state, "--type", type, "--all", "--on-conflict", "overwrite");
        Assert.Equal((1, (0, 0)), (conflict.ExitCode, Counts(conflict)));
        Assert.Contains("the target has another value", conflict.Output, StringComparison.Ordinal);
        Assert.Equal(changed, await target.FetchAsync(type, "b", "k"));
    }

    [Fact]
    public async Task WhatReadsAsIfItWereNotThere_IsNothingToCopy()
    {
        await source.UpdateAsync("sets", "b", "k", new DtOp { SetOp = new SetOp { Adds = { Bytes("a") } } });
        await source.UpdateAsync("sets", "b", "k", new DtOp { SetOp = new SetOp { Removes = { Bytes("a") } } });
        var run = await source.ImportAsync(target, state, "--type", "sets", "--all");
        Assert.Equal((0, (0, 1)), (run.ExitCode, Counts(run)));
        Assert.Null(await target.FetchAsync("sets", "b", "k"));
    }

    [Theory]
    [InlineData(true, "it was deleted in the target")]
    [InlineData(false, "it was emptied in the target")]
    public async Task WhatIsGoneFromTheTarget_DoesNotComeBack(bool isDeleted, string reason)
    {
        foreach (var node in new[] { source, target })
        {
            var made = await node.Alone.Node.Admin.CreateBucketTypeAsync("tags", """{"datatype":"set","delete_mode":"keep"}""", TestContext.Current.CancellationToken);
            Assert.True(made.IsOk && (await node.Alone.Node.Admin.ActivateBucketTypeAsync("tags", TestContext.Current.CancellationToken)).IsOk);
        }

        await source.UpdateAsync("tags", "b", "k", new DtOp { SetOp = new SetOp { Adds = { Bytes("a") } } });
        Assert.Equal((1, 0), Counts(await source.ImportAsync(target, state, "--type", "tags", "--all")));
        if (isDeleted)
        {
            await target.DeleteAsync("tags", "b", "k");
        }
        else
        {
            await target.UpdateAsync("tags", "b", "k", new DtOp { SetOp = new SetOp { Removes = { Bytes("a") } } });
        }

        var run = await source.ImportAsync(target, state, "--type", "tags", "--all");
        Assert.Equal((1, (0, 0)), (run.ExitCode, Counts(run)));
        Assert.Contains(reason, run.Output, StringComparison.Ordinal);
        Assert.Empty((await target.FetchAsync("tags", "b", "k"))?.SetValue ?? []);
    }

    [Theory]
    [InlineData("counters", 1, 4)]
    [InlineData("sets", 2, 0)]
    public async Task UpdateWithoutAnAnswer_IsDoneAgain_OnlyWhereItCountsNothing(string type, int updates, int exitCode)
    {
        await source.UpdateAsync(type, "b", "k", type == "counters" ? new DtOp { CounterOp = new CounterOp { Increment = 5 } } : new DtOp { SetOp = new SetOp { Adds = { Bytes("a") } } });
        var asked = 0;
        target.OnCall = method => method != "UpdateDataType" || Interlocked.Increment(ref asked) > 1;
        var run = await source.ImportAsync(target, state, "--type", type, "--all");
        Assert.Equal((updates, exitCode), (asked, run.ExitCode));
        Assert.Equal(0, (await source.ImportAsync(target, state, "--type", type, "--all")).ExitCode);
        Assert.Equal(await source.FetchAsync(type, "b", "k"), await target.FetchAsync(type, "b", "k"));
    }

    [Fact]
    public async Task PropertiesOfADataTypesBucket_AreNamed_AndNotCarriedOver()
    {
        await source.SetPropsAsync("sets", "b", new RpbBucketProps { W = 3 });
        await source.UpdateAsync("sets", "b", "k", new DtOp { SetOp = new SetOp { Adds = { Bytes("a") } } });
        var run = await source.ImportAsync(target, state, "--type", "sets", "--bucket", "b");
        Assert.Equal((0, (1, 0)), (run.ExitCode, Counts(run)));
        Assert.Contains("properties that differ are not carried over to a bucket of a data type: w", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HyperLogLogs_AreRefused_BeforeAnythingIsWritten()
    {
        await source.UpdateAsync("hlls", "b", "k", new DtOp { HllOp = new HllOp { Adds = { Bytes("a") } } });
        var run = await source.ImportAsync(target, state, "--type", "hlls", "--type", "sets", "--all");
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("the bucket type hlls holds HyperLogLogs", run.Error, StringComparison.Ordinal);
    }

    private static MapOp Everything() => new()
    {
        Updates =
        {
            Counted("visits", 3),
            new MapUpdate { Field = Field("tags", MapField.Types.MapFieldType.Set), SetOp = new SetOp { Adds = { Bytes("y"), Bytes("x") } } },
            new MapUpdate { Field = Field("name", MapField.Types.MapFieldType.Register), RegisterOp = Bytes("Ada") },
            new MapUpdate { Field = Field("paid", MapField.Types.MapFieldType.Flag), FlagOp = MapUpdate.Types.FlagOp.Enable },
            new MapUpdate { Field = Field("inner", MapField.Types.MapFieldType.Map), MapOp = new MapOp { Updates = { Counted("deep", -1) } } },
        },
    };

    private static MapUpdate Counted(string name, long by) =>
        new() { Field = Field(name, MapField.Types.MapFieldType.Counter), CounterOp = new CounterOp { Increment = by } };

    private static MapField Field(string name, MapField.Types.MapFieldType type) => new() { Name = Bytes(name), Type = type };

    /// <summary>Copied, equal.</summary>
    private static (int Copied, int Equal) Counts(KvRun run)
    {
        var bucket = JsonNode.Parse(run.Output)!["buckets"]![0]!;
        return ((int)bucket["copied"]!, (int)bucket["equal"]!);
    }
}
