using Google.Protobuf;
using Kv.Protos.Riak;
using Xunit;

namespace Kv.Wire.Tests.Riak.Pb;

/// <summary>Objects over Protocol Buffers: what comes back of what was put, conditions, siblings, deletes, and each refusal's text.</summary>
public sealed class PbObjectTests(RiakPbServer server) : IClassFixture<RiakPbServer>
{
    private const uint All = uint.MaxValue - 3;

    /// <summary>What is asked (`get` or `put` or `del`), with which fields, and the text of the error.</summary>
    public static TheoryData<string, IMessage, int, string> Refusals => new()
    {
        { "get, no bucket", new RpbGetReq { Bucket = Bytes(""), Key = Bytes("k") }, 9, "Bucket cannot be zero-length" },
        { "get, nothing but a bucket", new RpbGetReq { Bucket = Bytes("b") }, 9, "Key cannot be zero-length" },
        { "get, no key", new RpbGetReq { Bucket = Bytes("b"), Key = Bytes("") }, 9, "Key cannot be zero-length" },
        { "get, no type", new RpbGetReq { Bucket = Bytes("b"), Key = Bytes("k"), Type = Bytes("") }, 9, "Type cannot be zero-length" },
        { "get, unknown type", new RpbGetReq { Bucket = Bytes("b"), Key = Bytes("k"), Type = Bytes("nosuch") }, 9, "No bucket-type named 'nosuch'" },
        { "get, inactive type", new RpbGetReq { Bucket = Bytes("b"), Key = Bytes("k"), Type = Bytes("sleeping") }, 9, "No bucket-type named 'sleeping'" },
        { "get, type of no text", new RpbGetReq { Bucket = Bytes("b"), Key = Bytes("k"), Type = ByteString.CopyFrom(0xff) }, 9, "the bucket type is not UTF-8" },
        { "get, r above n", new RpbGetReq { Bucket = Bytes("b"), Key = Bytes("k"), R = 4 }, 9, "{n_val_violation,3}" },
        { "get, pr above n", new RpbGetReq { Bucket = Bytes("b"), Key = Bytes("k"), Pr = 4 }, 9, "{n_val_violation,3}" },
        { "get, n 0", new RpbGetReq { Bucket = Bytes("b"), Key = Bytes("k"), NVal = 0 }, 9, "{n_val_violation,0}" },
        { "get, n above n", new RpbGetReq { Bucket = Bytes("b"), Key = Bytes("k"), NVal = 4 }, 9, "{n_val_violation,3}" },
        { "get, damaged clock", new RpbGetReq { Bucket = Bytes("b"), Key = Bytes("k"), IfModified = Bytes("nonsense") }, 9, "invalid vclock: " },
        { "get, more nodes than there are", new RpbGetReq { Bucket = Bytes("b"), Key = Bytes("k"), NodeConfirms = 2 }, 9, "{node_confirms_val_unsatisfied,2,1}" },
        { "get, key too long", new RpbGetReq { Bucket = Bytes("b"), Key = ByteString.CopyFrom(new byte[65537]) }, 9, "the key has 65537 bytes" },
        { "put, no bucket", Put("", "k", "v"), 11, "Bucket cannot be zero-length" },
        { "put, empty key", Put("b", "", "v"), 11, "Key cannot be zero-length" },
        { "put, unknown type", With(Put("b", "k", "v"), put => put.Type = Bytes("nosuch")), 11, "No bucket-type named 'nosuch'" },
        { "put, w above n", With(Put("b", "k", "v"), put => put.W = 4), 11, "{n_val_violation,3}" },
        { "put, dw above n", With(Put("b", "k", "v"), put => put.Dw = 4), 11, "{n_val_violation,3}" },
        { "put, damaged clock", With(Put("b", "k", "v"), put => put.Vclock = Bytes("nonsense")), 11, "invalid vclock: " },
        { "put, content type of no text", With(Put("b", "k", "v"), put => put.Content.ContentType = ByteString.CopyFrom(0xff)), 11, "the content type is not UTF-8" },
        { "put, user metadata of no text", With(Put("b", "k", "v"), put => put.Content.Usermeta.Add(Pair("a", ByteString.CopyFrom(0xff)))), 11, "user metadata is not UTF-8" },
        { "put, index of no kind", With(Put("b", "k", "v"), put => put.Content.Indexes.Add(Pair("age", Bytes("7")))), 11, "{precommit_fail,[{unknown_field_type,<<\"age\">>}]}" },
        { "put, index of no number", With(Put("b", "k", "v"), put => put.Content.Indexes.Add(Pair("age_int", Bytes("x")))), 11, "{precommit_fail,[{field_parsing_failed,{<<\"age_int\">>,<<\"x\">>}}]}" },
        { "put, not modified and not there", With(Put("b", "absent", "v"), put => put.IfNotModified = true), 11, "notfound" },
        { "del, no bucket", new RpbDelReq { Bucket = Bytes(""), Key = Bytes("k") }, 13, "Bucket cannot be zero-length" },
        { "del, no key", new RpbDelReq { Bucket = Bytes("b"), Key = Bytes("") }, 13, "Key cannot be zero-length" },
        { "del, rw above n", new RpbDelReq { Bucket = Bytes("b"), Key = Bytes("k"), Rw = 4 }, 13, "{n_val_violation,3}" },
        { "preflist, no key", new RpbGetBucketKeyPreflistReq { Bucket = Bytes("b"), Key = Bytes("") }, 33, "Key cannot be zero-length" },
        { "preflist, unknown type", new RpbGetBucketKeyPreflistReq { Bucket = Bytes("b"), Key = Bytes("k"), Type = Bytes("nosuch") }, 33, "No bucket-type named 'nosuch'" },
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
    public async Task Object_ComesBackAsItWasPut()
    {
        using var client = await server.ConnectAsync();
        var put = Put("whole", "k", "value");
        put.Content.ContentType = Bytes("text/plain");
        put.Content.Charset = Bytes("utf-8");
        put.Content.ContentEncoding = Bytes("identity");
        put.Content.Usermeta.Add(Pair("color", Bytes("blau")));
        put.Content.Indexes.Add(Pair("age_int", Bytes("-7")));
        put.Content.Indexes.Add(Pair("name_bin", Bytes("ada")));
        put.Content.Indexes.Add(Pair("City_BIN", Bytes("Ulm")));
        put.Content.Links.Add(new RpbLink { Bucket = Bytes("b2"), Key = Bytes("k2"), Tag = Bytes("friend") });
        Assert.Equal((12, 0), Sizes(await client.AskAsync(11, put)));

        var got = await GetAsync(client, "whole", "k");
        var content = Assert.Single(got.Content);
        Assert.False(got.Vclock.IsEmpty);
        Assert.True(content.HasVtag && content.HasLastMod && content.HasLastModUsecs && !content.HasDeleted);
        Assert.InRange(content.LastModUsecs, 0u, 999_999u);
        content.ClearVtag();
        content.ClearLastMod();
        content.ClearLastModUsecs();
        Assert.Equal(put.Content, content);

        var head = await GetAsync(client, "whole", "k", get => get.Head = true);
        Assert.True(head.Content[0].Value.IsEmpty);
        Assert.Equal("text/plain", head.Content[0].ContentType.ToStringUtf8());
        var unchanged = await GetAsync(client, "whole", "k", get => get.IfModified = got.Vclock);
        Assert.Equal(new RpbGetResp { Unchanged = true }, unchanged);
    }

    [Fact]
    public async Task Put_WithoutKey_TellsTheOneItMade()
    {
        using var client = await server.ConnectAsync();
        var put = Put("made", "", "v");
        put.ClearKey();
        var made = (await client.AskAsync(11, put, 12, RpbPutResp.Parser)).Key;
        Assert.Equal(27, made.Length);
        Assert.Equal("v", Assert.Single((await GetAsync(client, "made", made.ToStringUtf8())).Content).Value.ToStringUtf8());
    }

    [Fact]
    public async Task Put_ReturnsBodyOrHead()
    {
        using var client = await server.ConnectAsync();
        var body = await client.AskAsync(11, With(Put("returns", "k", "v"), put => put.ReturnBody = true), 12, RpbPutResp.Parser);
        Assert.Equal("v", Assert.Single(body.Content).Value.ToStringUtf8());
        Assert.False(body.HasKey);
        var head = await client.AskAsync(11, With(Put("returns", "k", "w"), put => (put.ReturnHead, put.ReturnBody) = (true, true)), 12, RpbPutResp.Parser);
        Assert.True(Assert.Single(head.Content).Value.IsEmpty);
        Assert.False(head.Vclock.IsEmpty);
    }

    [Fact]
    public async Task WriteOnce_KeepsOneValue_AndGivesNoneBack()
    {
        using var client = await server.ConnectAsync();
        var put = With(Put("once", "k", "v"), put => (put.Type, put.ReturnBody, put.IfNoneMatch) = (Bytes("once"), true, true));
        Assert.Equal((12, 0), Sizes(await client.AskAsync(11, put)));
        Assert.Equal("match_found", await client.FailAsync(11, put));
        Assert.Equal((12, 0), Sizes(await client.AskAsync(11, With(put.Clone(), put => (put.IfNoneMatch, put.ReturnHead) = (false, true)))));
        var seen = await GetAsync(client, "once", "k", get => get.Type = Bytes("once"));
        Assert.Equal("v", Assert.Single(seen.Content).Value.ToStringUtf8());
        var unmodified = With(Put("once", "k", "w"), put => (put.Type, put.Vclock, put.IfNotModified) = (Bytes("once"), seen.Vclock, true));
        Assert.StartsWith("objects of a write-once bucket type have no history", await client.FailAsync(11, unmodified), StringComparison.Ordinal);
        Assert.Equal((14, 0), Sizes(await client.AskAsync(13, new RpbDelReq { Bucket = Bytes("once"), Key = Bytes("k"), Type = Bytes("once") })));
        Assert.Equal(new RpbGetResp(), await GetAsync(client, "once", "k", get => get.Type = Bytes("once")));
    }

    [Fact]
    public async Task Siblings_AllCome_AndOneWriteUnderTheirClockResolvesThem()
    {
        using var client = await server.ConnectAsync();
        foreach (var value in new[] { "a", "b" })
        {
            await client.AskAsync(11, With(Put("two", "k", value), put => put.Type = Bytes("siblings")), 12, RpbPutResp.Parser);
        }

        var both = await GetAsync(client, "two", "k", get => get.Type = Bytes("siblings"));
        Assert.Equal(["a", "b"], both.Content.Select(content => content.Value.ToStringUtf8()).Order());
        await client.AskAsync(11, With(Put("two", "k", "c"), put => (put.Type, put.Vclock) = (Bytes("siblings"), both.Vclock)), 12, RpbPutResp.Parser);
        var one = await GetAsync(client, "two", "k", get => get.Type = Bytes("siblings"));
        Assert.Equal("c", Assert.Single(one.Content).Value.ToStringUtf8());
    }

    [Fact]
    public async Task Conditions_Hold()
    {
        using var client = await server.ConnectAsync();
        await client.AskAsync(11, With(Put("conditions", "k", "v"), put => put.IfNoneMatch = true), 12, RpbPutResp.Parser);
        Assert.Equal("match_found", await client.FailAsync(11, With(Put("conditions", "k", "w"), put => put.IfNoneMatch = true)));
        Assert.Equal("match_found", await client.FailAsync(11, With(Put("conditions", "k", "w"), put => (put.IfNoneMatch, put.IfNotModified) = (true, true))));
        var seen = (await GetAsync(client, "conditions", "k")).Vclock;
        await client.AskAsync(11, With(Put("conditions", "k", "w"), put => (put.IfNotModified, put.Vclock) = (true, seen)), 12, RpbPutResp.Parser);
        Assert.Equal("modified", await client.FailAsync(11, With(Put("conditions", "k", "x"), put => (put.IfNotModified, put.Vclock) = (true, seen))));
        Assert.Equal("w", (await GetAsync(client, "conditions", "k")).Content[0].Value.ToStringUtf8());
    }

    [Fact]
    public async Task Delete_LeavesItsClock_ForWhoAsksForIt()
    {
        using var client = await server.ConnectAsync();
        var del = new RpbDelReq { Bucket = Bytes("deletes"), Key = Bytes("k"), Type = Bytes("keeps"), Rw = All };
        Assert.Equal((14, 0), Sizes(await client.AskAsync(13, del)));
        await client.AskAsync(11, With(Put("deletes", "k", "v"), put => put.Type = Bytes("keeps")), 12, RpbPutResp.Parser);
        Assert.Equal((14, 0), Sizes(await client.AskAsync(13, del)));
        Assert.Equal(new RpbGetResp(), await GetAsync(client, "deletes", "k", get => get.Type = Bytes("keeps")));
        var clock = await GetAsync(client, "deletes", "k", get => (get.Type, get.Deletedvclock) = (Bytes("keeps"), true));
        Assert.Empty(clock.Content);
        Assert.False(clock.Vclock.IsEmpty);
    }

    [Fact]
    public async Task ConcurrentDelete_ShowsItsTombstone()
    {
        using var client = await server.ConnectAsync();
        var first = await client.AskAsync(
            11, With(Put("half", "k", "old"), put => (put.Type, put.ReturnBody) = (Bytes("keeps"), true)), 12, RpbPutResp.Parser);
        await client.AskAsync(11, With(Put("half", "k", "live"), put => (put.Type, put.Vclock) = (Bytes("keeps"), first.Vclock)), 12, RpbPutResp.Parser);
        await client.AskAsync(13, new RpbDelReq { Bucket = Bytes("half"), Key = Bytes("k"), Type = Bytes("keeps"), Vclock = first.Vclock });
        var both = (await GetAsync(client, "half", "k", get => get.Type = Bytes("keeps"))).Content;
        Assert.Equal([(false, "live"), (true, "")], both.Select(content => (content.Deleted, content.Value.ToStringUtf8())).Order());
    }

    [Fact]
    public async Task AsIs_KeepsTimeAndTag()
    {
        using var client = await server.ConnectAsync();
        var seen = await client.AskAsync(11, With(Put("asis", "from", "v"), put => put.ReturnBody = true), 12, RpbPutResp.Parser);
        var put = Put("asis", "to", "v");
        (put.Asis, put.Vclock, put.Content.LastMod, put.Content.LastModUsecs, put.Content.Vtag) = (true, seen.Vclock, 1_000_000_000, 5, Bytes("tag"));
        await client.AskAsync(11, put, 12, RpbPutResp.Parser);
        var content = Assert.Single((await GetAsync(client, "asis", "to")).Content);
        Assert.Equal((1_000_000_000u, 5u, "tag"), (content.LastMod, content.LastModUsecs, content.Vtag.ToStringUtf8()));
    }

    [Fact]
    public async Task Preflist_NamesTheNodesOfAKey()
    {
        using var client = await server.ConnectAsync();
        var list = await client.AskAsync(33, new RpbGetBucketKeyPreflistReq { Bucket = Bytes("b"), Key = Bytes("k") }, 34, RpbGetBucketKeyPreflistResp.Parser);
        Assert.Equal(3, list.Preflist.Count);
        Assert.All(list.Preflist, item => Assert.Equal(("node1", true), (item.Node.ToStringUtf8(), item.Primary)));
        var first = list.Preflist[0].Partition;
        Assert.Equal([first, (first + 1) % 8, (first + 2) % 8], list.Preflist.Select(item => item.Partition));
    }

    [Fact]
    public async Task Server_SaysWhoItIs_AndKeepsTheClientsId()
    {
        using var client = await server.ConnectAsync();
        var (code, message) = await client.AskAsync(7);
        Assert.Equal(8, code);
        var info = RpbGetServerInfoResp.Parser.ParseFrom(message);
        Assert.Equal("node1", info.Node.ToStringUtf8());
        Assert.True(Version.Parse(info.ServerVersion.ToStringUtf8()) >= new Version(2, 2, 0));
        Assert.Equal("0a0400000000", Convert.ToHexStringLower((await client.AskAsync(3)).Message));
        Assert.Equal((6, 0), Sizes(await client.AskAsync(5, new RpbSetClientIdReq { ClientId = Bytes("me") })));
        Assert.Equal("0a026d65", Convert.ToHexStringLower((await client.AskAsync(3)).Message));
    }

    private static (int Code, int Bytes) Sizes((int Code, byte[] Message) answer) => (answer.Code, answer.Message.Length);

    private static async Task<RpbGetResp> GetAsync(PbClient client, string bucket, string key, Action<RpbGetReq>? change = null) =>
        await client.AskAsync(9, With(new RpbGetReq { Bucket = Bytes(bucket), Key = Bytes(key) }, change ?? (_ => { })), 10, RpbGetResp.Parser);

    private static RpbPutReq Put(string bucket, string key, string value) =>
        new() { Bucket = Bytes(bucket), Key = Bytes(key), Content = new RpbContent { Value = Bytes(value) } };

    private static RpbPair Pair(string name, ByteString value) => new() { Key = Bytes(name), Value = value };

    private static T With<T>(T message, Action<T> change)
    {
        change(message);
        return message;
    }

    private static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);
}
