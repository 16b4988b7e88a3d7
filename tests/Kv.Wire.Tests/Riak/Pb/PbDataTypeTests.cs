using Google.Protobuf;
using Kv.Protos.Riak;
using Xunit;

namespace Kv.Wire.Tests.Riak.Pb;

/// <summary>Data types over Protocol Buffers: what each operation makes, contexts, and each refusal's text.</summary>
public sealed class PbDataTypeTests(RiakPbServer server) : IClassFixture<RiakPbServer>
{
    private const int Fetch = 80;
    private const int Update = 82;

    public static TheoryData<string, IMessage, int, string> Refusals => new()
    {
        { "fetch, no key", new DtFetchReq { Bucket = Bytes("b"), Type = Bytes("sets") }, Fetch, "Key cannot be zero-length" },
        { "fetch, no bucket", new DtFetchReq { Key = Bytes("k"), Type = Bytes("sets") }, Fetch, "Bucket cannot be zero-length" },
        { "fetch, unknown type", Asked("nosuch", "k"), Fetch, "Error no bucket type `<<\"nosuch\">>`" },
        { "fetch, type without data type", Asked("siblings", "k"), Fetch, "Bucket datatype 'undefined' is not a supported type." },
        { "fetch, default type without siblings", Asked("default", "k"), Fetch, "Counters require bucket property 'allow_mult=true'" },
        { "counter of Riak 1.4, no siblings", new RpbCounterGetReq { Bucket = Bytes("b"), Key = Bytes("k") }, 52, "Counters require bucket property 'allow_mult=true'" },
        { "update, default type without siblings", Changed("default", "k", Counted(1)), Update, "Counters require bucket property 'allow_mult=true'" },
        { "fetch, r above n", new DtFetchReq { Bucket = Bytes("b"), Key = Bytes("k"), Type = Bytes("sets"), R = 9 }, Fetch, "{n_val_violation,3}" },
        { "update, no op", new DtUpdateReq { Bucket = Bytes("b"), Key = Bytes("k"), Type = Bytes("sets"), Op = new DtOp() }, Update, "Error processing incoming message: a DtOp has no operation" },
        { "update, unknown type", Changed("nosuch", "k", Added("x")), Update, "Error no bucket type `<<\"nosuch\">>`" },
        { "update, type without data type", Changed("siblings", "k", Added("x")), Update, "Bucket datatype 'undefined' is not a supported type." },
        { "update, another data type", Changed("maps", "k", Added("x")), Update, "Operation type is set but  bucket type is map." },
        { "update, n_val 0", With(Changed("sets", "k", Added("x")), update => update.NVal = 0), Update, "{n_val_violation,0}" },
        { "update, damaged context", With(Changed("sets", "k", Added("x")), update => update.Context = Bytes("nonsense")), Update, "invalid vclock: " },
        { "remove of what is not there", Changed("sets", "k", new DtOp { SetOp = new SetOp { Removes = { Bytes("x\"y") } } }), Update, "{precondition,{not_present,<<\"x\\\"y\">>}}" },
        { "remove of bytes that are not there", Changed("sets", "k", new DtOp { SetOp = new SetOp { Removes = { ByteString.CopyFrom(1, 255) } } }), Update, "{precondition,{not_present,<<1,255>>}}" },
        { "remove of a field that is not there", Changed("maps", "k", new DtOp { MapOp = new MapOp { Removes = { Field("f", MapField.Types.MapFieldType.Flag) } } }), Update, "{precondition,{not_present,{<<\"f\">>,riak_dt_od_flag}}}" },
        { "map, a field of another kind", Changed("maps", "k", new DtOp { MapOp = new MapOp { Updates = { new MapUpdate { Field = Field("f", MapField.Types.MapFieldType.Set), CounterOp = new CounterOp() } } } }), Update, "Operation type is counter but  bucket type is set." },
        { "map, an update of nothing", Changed("maps", "k", new DtOp { MapOp = new MapOp { Updates = { new MapUpdate { Field = Field("f", MapField.Types.MapFieldType.Set) } } } }), Update, "Error processing incoming message: a MapUpdate has no operation" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Refusal_HasItsText_AndTheConnectionGoesOn(string what, IMessage request, int code, string text)
    {
        using var client = await server.ConnectAsync();
        var error = await client.FailAsync(code, request);
        Assert.True(error.StartsWith(text, StringComparison.Ordinal), $"{what}: {error}");
        Assert.Equal(2, (await client.AskAsync(1)).Code);
    }

    [Fact]
    public async Task WhatIsNotThere_HasATypeAndNoValue()
    {
        using var client = await server.ConnectAsync();
        var fetched = await FetchAsync(client, "maps", "absent");
        Assert.Equal(DtFetchResp.Types.DataType.Map, fetched.Type);
        Assert.Null(fetched.Value);
        Assert.False(fetched.HasContext);
    }

    [Fact]
    public async Task Counter_CountsByOneOrByWhatIsSaid_AndHasNoContext()
    {
        using var client = await server.ConnectAsync();
        await UpdateAsync(client, Changed("counters", "c", new DtOp { CounterOp = new CounterOp() }));
        await UpdateAsync(client, Changed("counters", "c", new DtOp { CounterOp = new CounterOp { Increment = 50 } }));
        var updated = await UpdateAsync(client, With(Changed("counters", "c", new DtOp { CounterOp = new CounterOp { Increment = -9 } }), update => update.ReturnBody = true));
        Assert.Equal(42, updated.CounterValue);
        Assert.False(updated.HasContext);

        var fetched = await FetchAsync(client, "counters", "c");
        Assert.Equal((DtFetchResp.Types.DataType.Counter, 42L, false), (fetched.Type, fetched.Value.CounterValue, fetched.HasContext));
    }

    [Fact]
    public async Task Set_RemovalByContextSparesWhatItHadNotSeen_AndAnEmptySetHasAValue()
    {
        using var client = await server.ConnectAsync();
        await UpdateAsync(client, Changed("sets", "s", Added("b", "a")));
        var seen = (await FetchAsync(client, "sets", "s")).Context;
        await UpdateAsync(client, Changed("sets", "s", Added("a")));
        await UpdateAsync(client, With(Changed("sets", "s", new DtOp { SetOp = new SetOp { Removes = { Bytes("a"), Bytes("b") } } }), update => update.Context = seen));
        Assert.Equal(["a"], (await FetchAsync(client, "sets", "s")).Value.SetValue.Select(member => member.ToStringUtf8()));

        await UpdateAsync(client, Changed("sets", "s", new DtOp { SetOp = new SetOp { Removes = { Bytes("a") } } }));
        var empty = await FetchAsync(client, "sets", "s");
        Assert.Empty(empty.Value.SetValue);
        Assert.True(empty.HasContext);
    }

    [Fact]
    public async Task Map_HoldsEachKindOfField_InOrder_AndNests()
    {
        using var client = await server.ConnectAsync();
        var change = new MapOp
        {
            Updates =
            {
                new MapUpdate { Field = Field("x", MapField.Types.MapFieldType.Set), SetOp = new SetOp { Adds = { Bytes("m") } } },
                new MapUpdate { Field = Field("x", MapField.Types.MapFieldType.Counter), CounterOp = new CounterOp { Increment = 7 } },
                new MapUpdate { Field = Field("x", MapField.Types.MapFieldType.Flag), FlagOp = MapUpdate.Types.FlagOp.Enable },
                new MapUpdate { Field = Field("x", MapField.Types.MapFieldType.Register), RegisterOp = Bytes("v") },
                new MapUpdate
                {
                    Field = Field("in", MapField.Types.MapFieldType.Map),
                    MapOp = new MapOp { Updates = { new MapUpdate { Field = Field("f", MapField.Types.MapFieldType.Flag), FlagOp = MapUpdate.Types.FlagOp.Disable } } },
                },
            },
        };
        var updated = await UpdateAsync(client, With(Changed("maps", "m", new DtOp { MapOp = change }), update => update.ReturnBody = true));
        Assert.True(updated.HasContext);
        var entries = updated.MapValue;
        Assert.Equal(
            ["in Map", "x Counter", "x Register", "x Flag", "x Set"],
            entries.Select(entry => $"{entry.Field.Name.ToStringUtf8()} {entry.Field.Type}"));
        Assert.False(entries[0].MapValue.Single().FlagValue);
        Assert.Equal((7L, "v", true, "m"), (entries[1].CounterValue, entries[2].RegisterValue.ToStringUtf8(), entries[3].FlagValue, entries[4].SetValue.Single().ToStringUtf8()));

        await UpdateAsync(client, Changed("maps", "m", new DtOp { MapOp = new MapOp { Removes = { Field("x", MapField.Types.MapFieldType.Set), Field("in", MapField.Types.MapFieldType.Map) } } }));
        Assert.Equal(["x Counter", "x Register", "x Flag"], (await FetchAsync(client, "maps", "m")).Value.MapValue.Select(entry => $"{entry.Field.Name.ToStringUtf8()} {entry.Field.Type}"));
    }

    [Fact]
    public async Task GrowOnlySetAndHyperLogLog_TakeMembers()
    {
        using var client = await server.ConnectAsync();
        await UpdateAsync(client, Changed("gsets", "g", new DtOp { GsetOp = new GSetOp { Adds = { Bytes("b"), Bytes("a"), Bytes("b") } } }));
        Assert.Equal(["a", "b"], (await FetchAsync(client, "gsets", "g")).Value.GsetValue.Select(member => member.ToStringUtf8()));
        await UpdateAsync(client, Changed("hlls", "h", new DtOp { HllOp = new HllOp { Adds = { Bytes("b"), Bytes("a"), Bytes("b") } } }));
        Assert.Equal(2ul, (await FetchAsync(client, "hlls", "h")).Value.HllValue);
    }

    [Fact]
    public async Task UpdateWithoutAKey_GetsOne()
    {
        using var client = await server.ConnectAsync();
        var updated = await UpdateAsync(client, new DtUpdateReq { Bucket = Bytes("b"), Type = Bytes("counters"), Op = new DtOp { CounterOp = new CounterOp() } });
        Assert.Equal(1, (await FetchAsync(client, "counters", updated.Key.ToStringUtf8())).Value.CounterValue);
    }

    [Fact]
    public async Task PlainGetShowsTheState_PlainPutIsRefused_PlainDeleteDeletes()
    {
        using var client = await server.ConnectAsync();
        await UpdateAsync(client, Changed("sets", "plain", Added("x")));
        var got = await client.AskAsync(9, new RpbGetReq { Bucket = Bytes("b"), Key = Bytes("plain"), Type = Bytes("sets") }, 10, RpbGetResp.Parser);
        Assert.Equal("application/riak_set", got.Content.Single().ContentType.ToStringUtf8());
        Assert.Equal([69, 2], got.Content.Single().Value.Take(2));

        var refused = await client.FailAsync(11, new RpbPutReq { Bucket = Bytes("b"), Key = Bytes("plain"), Type = Bytes("sets"), Content = new RpbContent { Value = Bytes("v") } });
        Assert.Equal("the bucket type has the data type `set`: its keys are changed by operations, not by values", refused);

        Assert.Equal(14, (await client.AskAsync(13, new RpbDelReq { Bucket = Bytes("b"), Key = Bytes("plain"), Type = Bytes("sets") })).Code);
        Assert.Null((await FetchAsync(client, "sets", "plain")).Value);
    }

    [Fact]
    public async Task CountersOfRiak14_CountInUntypedBucketsWithSiblings()
    {
        using var client = await server.ConnectAsync();
        var update = new RpbCounterUpdateReq { Bucket = Bytes("counted"), Key = Bytes("c"), Amount = 5 };
        Assert.Equal("Counters require bucket property 'allow_mult=true'", await client.FailAsync(50, update));
        Assert.Equal(22, (await client.AskAsync(21, new RpbSetBucketReq { Bucket = Bytes("counted"), Props = new RpbBucketProps { AllowMult = true } })).Code);
        Assert.False((await client.AskAsync(52, new RpbCounterGetReq { Bucket = Bytes("counted"), Key = Bytes("c") }, 53, RpbCounterGetResp.Parser)).HasValue);
        Assert.False((await client.AskAsync(50, update, 51, RpbCounterUpdateResp.Parser)).HasValue);
        update = new RpbCounterUpdateReq { Bucket = Bytes("counted"), Key = Bytes("c"), Amount = -7, Returnvalue = true };
        Assert.Equal(-2, (await client.AskAsync(50, update, 51, RpbCounterUpdateResp.Parser)).Value);
        Assert.Equal(-2, (await client.AskAsync(52, new RpbCounterGetReq { Bucket = Bytes("counted"), Key = Bytes("c") }, 53, RpbCounterGetResp.Parser)).Value);
        await client.AskAsync(11, new RpbPutReq { Bucket = Bytes("counted"), Key = Bytes("plain"), Content = new RpbContent { Value = Bytes("v") } });
        Assert.Equal("the key holds no counter", await client.FailAsync(52, new RpbCounterGetReq { Bucket = Bytes("counted"), Key = Bytes("plain") }));
    }

    [Fact]
    public async Task TheDefaultType_HasTheCountersOfRiak14()
    {
        using var client = await server.ConnectAsync();
        Assert.Equal(22, (await client.AskAsync(21, new RpbSetBucketReq { Bucket = Bytes("old"), Props = new RpbBucketProps { AllowMult = true } })).Code);
        var fetch = new DtFetchReq { Bucket = Bytes("old"), Key = Bytes("c"), Type = Bytes("default") };
        Assert.Equal(new DtFetchResp { Type = DtFetchResp.Types.DataType.Counter }, await client.AskAsync(Fetch, fetch, 81, DtFetchResp.Parser));
        var update = With(Changed("default", "c", Counted(3)), update => (update.Bucket, update.ReturnBody) = (Bytes("old"), true));
        Assert.Equal(3, (await UpdateAsync(client, update)).CounterValue);
        Assert.Equal(3, (await client.AskAsync(Fetch, fetch, 81, DtFetchResp.Parser)).Value.CounterValue);
        Assert.Equal(3, (await client.AskAsync(52, new RpbCounterGetReq { Bucket = Bytes("old"), Key = Bytes("c") }, 53, RpbCounterGetResp.Parser)).Value);
        Assert.Equal("non-counter operation on default bucket", await client.FailAsync(Update, With(Changed("default", "c", Added("x")), update => update.Bucket = Bytes("old"))));
    }

    private static async Task<DtFetchResp> FetchAsync(PbClient client, string type, string key) => await client.AskAsync(Fetch, Asked(type, key), 81, DtFetchResp.Parser);

    private static async Task<DtUpdateResp> UpdateAsync(PbClient client, DtUpdateReq update) => await client.AskAsync(Update, update, 83, DtUpdateResp.Parser);

    private static DtFetchReq Asked(string type, string key) => new() { Bucket = Bytes("b"), Key = Bytes(key), Type = Bytes(type) };

    private static DtUpdateReq Changed(string type, string key, DtOp op) => new() { Bucket = Bytes("b"), Key = Bytes(key), Type = Bytes(type), Op = op };

    private static DtOp Counted(long amount) => new() { CounterOp = new CounterOp { Increment = amount } };

    private static DtOp Added(params string[] members) => new() { SetOp = new SetOp { Adds = { members.Select(Bytes) } } };

    private static MapField Field(string name, MapField.Types.MapFieldType type) => new() { Name = Bytes(name), Type = type };

    private static T With<T>(T message, Action<T> change)
    {
        change(message);
        return message;
    }

    private static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);
}
