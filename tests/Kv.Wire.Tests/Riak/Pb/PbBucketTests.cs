using Google.Protobuf;
using Kv.Protos.Riak;
using Xunit;

namespace Kv.Wire.Tests.Riak.Pb;

/// <summary>Properties of buckets and types, and listings, over Protocol Buffers.</summary>
public sealed class PbBucketTests(RiakPbServer server) : IClassFixture<RiakPbServer>
{
    private const uint Quorum = uint.MaxValue - 2;

    public static TheoryData<string, IMessage, int, string> Refusals => new()
    {
        { "get of an unknown type", new RpbGetBucketReq { Bucket = Bytes("b"), Type = Bytes("nosuch") }, 19, "No bucket-type named 'nosuch'" },
        { "get of no bucket", new RpbGetBucketReq { Bucket = Bytes("") }, 19, "Bucket cannot be zero-length" },
        { "set in an unknown type", Set(new RpbBucketProps(), "nosuch"), 21, "No bucket-type named 'nosuch'" },
        { "n_val 0", Set(new RpbBucketProps { NVal = 0 }), 21, "Invalid bucket properties: [{n_val,not_integer}]" },
        { "r 0", Set(new RpbBucketProps { R = 0 }), 21, "Invalid bucket properties: [{r,not_valid_quorum}]" },
        { "two at once", Set(new RpbBucketProps { R = 0, W = 0 }), 21, "Invalid bucket properties: [{r,not_valid_quorum},{w,not_valid_quorum}]" },
        { "write once", Set(new RpbBucketProps { WriteOnce = true }), 21, "Invalid bucket properties: [{write_once,\"" },
        { "search", Set(new RpbBucketProps { Search = true }), 21, "Invalid bucket properties: [{search,\"unknown property\"}]" },
        { "a hook", Set(Hooked()), 21, "Invalid bucket properties: [{precommit,\"m:f is a function in Erlang, which nodes do not run: a hook is an HTTP callback, {" },
        { "last write wins with dotted version vectors", Set(new RpbBucketProps { LastWriteWins = true }, "siblings"), 21, "Invalid bucket properties: [{dvv_enabled,\"If last_write_wins is true, dvv_enabled must be false\"}]" },
        { "reset in an unknown type", new RpbResetBucketReq { Bucket = Bytes("b"), Type = Bytes("nosuch") }, 29, "No bucket-type named 'nosuch'" },
        { "an unknown type", new RpbGetBucketTypeReq { Type = Bytes("nosuch") }, 31, "Invalid bucket type: <<\"nosuch\">>" },
        { "a type that is not active", new RpbGetBucketTypeReq { Type = Bytes("sleeping") }, 31, "Invalid bucket type: <<\"sleeping\">>" },
        { "set of an unknown type", new RpbSetBucketTypeReq { Type = Bytes("nosuch"), Props = new RpbBucketProps() }, 32, "Invalid bucket type: <<\"nosuch\">>" },
        { "n_val of a type", new RpbSetBucketTypeReq { Type = Bytes("siblings"), Props = new RpbBucketProps { NVal = 2 } }, 32, "Invalid bucket properties: [{n_val,\"" },
        { "keys of an unknown type", new RpbListKeysReq { Bucket = Bytes("b"), Type = Bytes("nosuch") }, 17, "No bucket-type named 'nosuch'" },
        { "keys of no bucket", new RpbListKeysReq { Bucket = Bytes("") }, 17, "Bucket cannot be zero-length" },
        { "buckets of an unknown type", new RpbListBucketsReq { Type = Bytes("nosuch") }, 15, "No bucket-type named 'nosuch'" },
        { "buckets of an unknown type, streamed", new RpbListBucketsReq { Type = Bytes("sleeping"), Stream = true }, 15, "No bucket-type named 'sleeping'" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Refusal_HasItsText(string what, IMessage request, int code, string text)
    {
        using var client = await server.ConnectAsync();
        var error = await client.FailAsync(code, request);
        Assert.True(error.StartsWith(text, StringComparison.Ordinal), $"{what}: {error}");
    }

    [Fact]
    public async Task Props_AreSetReadAndReset()
    {
        using var client = await server.ConnectAsync();
        var standard = await PropsAsync(client, "props");
        Assert.Equal((3u, false, Quorum, 0u), (standard.NVal, standard.AllowMult, standard.R, standard.Pr));
        Assert.Equal(("riak_core_util", "chash_std_keyfun"), (standard.ChashKeyfun.Module.ToStringUtf8(), standard.ChashKeyfun.Function.ToStringUtf8()));
        Assert.True(standard.HasPrecommit && standard.Precommit.Count == 0);

        var change = Set(new RpbBucketProps { AllowMult = true, R = 1, W = uint.MaxValue - 3, Pr = uint.MaxValue - 1, BigVclock = 40, SmallVclock = 30, HasPrecommit = true, Search = false, NotfoundOk = false });
        change.Bucket = Bytes("props");
        Assert.Equal(22, (await client.AskAsync(21, change)).Code);
        var set = await PropsAsync(client, "props");
        Assert.Equal((true, 1u, uint.MaxValue - 3, uint.MaxValue - 1, 40u, 30u, false), (set.AllowMult, set.R, set.W, set.Pr, set.BigVclock, set.SmallVclock, set.NotfoundOk));

        // What was read can be sent back.
        Assert.Equal(22, (await client.AskAsync(21, new RpbSetBucketReq { Bucket = Bytes("props"), Props = set })).Code);
        Assert.Equal(30, (await client.AskAsync(29, new RpbResetBucketReq { Bucket = Bytes("props") })).Code);
        Assert.Equal(standard, await PropsAsync(client, "props"));
    }

    [Fact]
    public async Task TypesProps_AreReadAndUpdated()
    {
        using var client = await server.ConnectAsync();
        var props = (await client.AskAsync(31, new RpbGetBucketTypeReq { Type = Bytes("keeps") }, 20, RpbGetBucketResp.Parser)).Props;
        Assert.True(props.AllowMult);
        Assert.Equal(22, (await client.AskAsync(32, new RpbSetBucketTypeReq { Type = Bytes("keeps"), Props = new RpbBucketProps { R = 1 } })).Code);
        props = (await client.AskAsync(31, new RpbGetBucketTypeReq { Type = Bytes("keeps") }, 20, RpbGetBucketResp.Parser)).Props;
        Assert.Equal(1u, props.R);
    }

    [Fact]
    public async Task Keys_ComeInPages_AndTheLastSaysSo()
    {
        using var client = await server.ConnectAsync();
        var keys = Enumerable.Range(0, 1200).Select(number => $"key-{number:0000}").ToArray();
        foreach (var key in keys)
        {
            await client.SendAsync(PbClient.Frame(11, new RpbPutReq { Bucket = Bytes("many"), Key = Bytes(key), W = uint.MaxValue - 3, Content = new RpbContent { Value = Bytes(key) } }));
        }

        for (var i = 0; i < keys.Length; i++)
        {
            Assert.Equal(12, (await client.ReadAsync())!.Value.Code);
        }

        await client.SendAsync([.. PbClient.Frame(17, new RpbListKeysReq { Bucket = Bytes("many") }), .. PbClient.Frame(1)]);
        var listed = new List<string>();
        for (RpbListKeysResp page = new(); !page.Done;)
        {
            var (code, message) = (await client.ReadAsync())!.Value;
            Assert.Equal(18, code);
            page = RpbListKeysResp.Parser.ParseFrom(message);
            listed.AddRange(page.Keys.Select(key => key.ToStringUtf8()));
        }

        Assert.Equal(keys, listed.Order(StringComparer.Ordinal));
        Assert.Equal(2, (await client.ReadAsync())!.Value.Code);
    }

    [Fact]
    public async Task Buckets_ComeInOneMessage_OrStreamed()
    {
        using var client = await server.ConnectAsync();
        foreach (var bucket in new[] { "one", "two" })
        {
            await client.AskAsync(11, new RpbPutReq { Bucket = Bytes(bucket), Type = Bytes("siblings"), Key = Bytes("k"), W = uint.MaxValue - 3, Content = new RpbContent { Value = Bytes("v") } });
        }

        var whole = await client.AskAsync(15, new RpbListBucketsReq { Type = Bytes("siblings") }, 16, RpbListBucketsResp.Parser);
        Assert.False(whole.HasDone);
        Assert.Equal(["one", "two"], whole.Buckets.Select(bucket => bucket.ToStringUtf8()).Order());

        await client.SendAsync(PbClient.Frame(15, new RpbListBucketsReq { Type = Bytes("siblings"), Stream = true }));
        var streamed = new List<string>();
        for (RpbListBucketsResp page = new(); !page.Done;)
        {
            page = RpbListBucketsResp.Parser.ParseFrom((await client.ReadAsync())!.Value.Message);
            streamed.AddRange(page.Buckets.Select(bucket => bucket.ToStringUtf8()));
        }

        Assert.Equal(["one", "two"], streamed.Order());

        // Old clients send no message at all.
        Assert.Equal(16, (await client.AskAsync(15)).Code);
    }

    private static async Task<RpbBucketProps> PropsAsync(PbClient client, string bucket) =>
        (await client.AskAsync(19, new RpbGetBucketReq { Bucket = Bytes(bucket) }, 20, RpbGetBucketResp.Parser)).Props;

    private static RpbSetBucketReq Set(RpbBucketProps props, string? type = null)
    {
        var request = new RpbSetBucketReq { Bucket = Bytes("refused"), Props = props };
        if (type is not null)
        {
            request.Type = Bytes(type);
        }

        return request;
    }

    private static RpbBucketProps Hooked()
    {
        var props = new RpbBucketProps { HasPrecommit = true };
        props.Precommit.Add(new RpbCommitHook { Modfun = new RpbModFun { Module = Bytes("m"), Function = Bytes("f") } });
        return props;
    }

    private static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);
}
