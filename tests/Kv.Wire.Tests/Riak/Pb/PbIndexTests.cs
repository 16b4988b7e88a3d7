using Google.Protobuf;
using Kv.Protos.Riak;
using Xunit;

namespace Kv.Wire.Tests.Riak.Pb;

/// <summary>Queries of secondary indexes over Protocol Buffers.</summary>
public sealed class PbIndexTests(RiakPbServer server) : IClassFixture<RiakPbServer>
{
    private const int IndexReq = 25;
    private const int IndexResp = 26;

    public static TheoryData<string, RpbIndexReq, string> Refusals => new()
    {
        { "no bucket", Equal("age_int", "7", bucket: ""), "Bucket cannot be zero-length" },
        { "no index", Equal("", "7"), "Index cannot be zero-length" },
        { "an unknown type", Equal("age_int", "7", type: "nosuch"), "No bucket-type named 'nosuch'" },
        { "a backend without indexes", Equal("age_int", "7", type: "siblings"), "{error,{indexes_not_supported,faster}}" },
        { "an unknown kind of field", Equal("age", "7"), "Invalid query: Unknown field type for field: 'age'." },
        { "no integer", Equal("age_int", "x"), "Invalid query: Could not parse field 'age_int', value 'x'." },
        { "bodies", Changed(Equal("age_int", "7"), query => query.ReturnBody = true), "return_body is not supported: fetch the objects by the keys" },
        { "no results", Changed(Equal("age_int", "7"), query => query.MaxResults = 0), "Invalid \"max_results\". 0 is not a positive integer" },
        { "a pattern on integers", Changed(Equal("age_int", "7"), query => query.TermRegex = Bytes("7")), "Can not use term regular expressions on integer queries" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Refusal_HasItsText(string what, RpbIndexReq request, string text)
    {
        using var client = await server.ConnectAsync();
        Assert.Equal((what, text), (what, await client.FailAsync(IndexReq, request)));
    }

    [Fact]
    public async Task Results_ComeInOneMessage_WithTermsForRanges()
    {
        using var client = await FilledAsync("whole", 20);
        var equal = await client.AskAsync(IndexReq, Equal("age_int", "3", "whole"), IndexResp, RpbIndexResp.Parser);
        Assert.Equal(["key-003", "key-013"], equal.Keys.Select(key => key.ToStringUtf8()));
        Assert.False(equal.HasDone);
        Assert.False(equal.HasContinuation);
        var range = await client.AskAsync(IndexReq, Range("age_int", "2", "3", "whole"), IndexResp, RpbIndexResp.Parser);
        Assert.Empty(range.Keys);
        Assert.Equal(["2=key-002", "2=key-012", "3=key-003", "3=key-013"], range.Results.Select(pair => $"{pair.Key.ToStringUtf8()}={pair.Value.ToStringUtf8()}"));
    }

    [Fact]
    public async Task Pages_GoOnByTheirContinuation()
    {
        using var client = await FilledAsync("paged", 20);
        var keys = new List<string>();
        var query = Equal("$bucket", "_", "paged");
        query.MaxResults = 8;
        for (var page = 0; page == 0 || query.HasContinuation; page++)
        {
            var found = await client.AskAsync(IndexReq, query, IndexResp, RpbIndexResp.Parser);
            keys.AddRange(found.Keys.Select(key => key.ToStringUtf8()));
            query.ClearContinuation();
            if (found.HasContinuation)
            {
                query.Continuation = found.Continuation;
            }
        }

        Assert.Equal(Enumerable.Range(0, 20).Select(number => $"key-{number:000}"), keys);
    }

    [Fact]
    public async Task Stream_ComesInMessages_AndTheLastSaysSo()
    {
        using var client = await FilledAsync("streamed", 1200);
        var query = Equal("$bucket", "_", "streamed");
        query.Stream = true;
        await client.SendAsync([.. PbClient.Frame(IndexReq, query), .. PbClient.Frame(1)]);
        var keys = new List<string>();
        for (RpbIndexResp page = new(); !page.Done;)
        {
            var (code, message) = (await client.ReadAsync())!.Value;
            Assert.Equal(IndexResp, code);
            page = RpbIndexResp.Parser.ParseFrom(message);
            keys.AddRange(page.Keys.Select(key => key.ToStringUtf8()));
        }

        Assert.Equal(Enumerable.Range(0, 1200).Select(number => $"key-{number:000}").Order(StringComparer.Ordinal), keys);
        Assert.Equal(2, (await client.ReadAsync())!.Value.Code);
    }

    [Theory]
    [InlineData(1001, "index entries beyond what an object may have with all its siblings: 1000 entries, and 524288 bytes of terms, bucket names and keys")]
    [InlineData(10_001, "more than 10000 links, metadata or index entries")]
    public async Task TooManyEntries_AreRefused(int count, string text)
    {
        using var client = await server.ConnectAsync();
        var put = Put("many", "k");
        put.Content.Indexes.Add(Enumerable.Range(0, count).Select(number => new RpbPair { Key = Bytes("n_int"), Value = Bytes($"{number}") }));
        Assert.Equal(text, await client.FailAsync(11, put));
    }

    [Fact]
    public async Task AFieldWithANul_IsRefused()
    {
        using var client = await server.ConnectAsync();
        var put = Put("many", "k");
        put.Content.Indexes.Add(new RpbPair { Key = Bytes("a_bin\0b_bin"), Value = Bytes("x") });
        Assert.Equal("{precommit_fail,[{unknown_field_type,<<\"a_bin\0b_bin\">>}]}", await client.FailAsync(11, put));
    }

    [Fact]
    public async Task KeysThatAreNoText_AreFound_AndComeBackAsTheyAre()
    {
        using var client = await server.ConnectAsync();
        var put = Put("bytes", "");
        put.Key = ByteString.CopyFrom(0xFF, 0x00, 0xFE);
        await client.AskAsync(11, put, 12, RpbPutResp.Parser);
        var query = Range("$key", "", "", "bytes");
        (query.RangeMin, query.RangeMax) = (ByteString.CopyFrom(0xFE, 0xFF), ByteString.CopyFrom(0xFF, 0xFF));
        var found = await client.AskAsync(IndexReq, query, IndexResp, RpbIndexResp.Parser);
        Assert.Equal([(put.Key, put.Key)], found.Results.Select(pair => (pair.Key, pair.Value)));
    }

    private static RpbPutReq Put(string bucket, string key) => new() { Bucket = Bytes(bucket), Type = Bytes("ordered"), Key = Bytes(key), Content = new RpbContent { Value = Bytes("v") } };

    private static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);

    private static RpbIndexReq Equal(string index, string term, string bucket = "b", string type = "ordered") => new()
    {
        Bucket = Bytes(bucket),
        Type = Bytes(type),
        Index = Bytes(index),
        Qtype = RpbIndexReq.Types.IndexQueryType.Eq,
        Key = Bytes(term),
    };

    private static RpbIndexReq Range(string index, string from, string until, string bucket) => new()
    {
        Bucket = Bytes(bucket),
        Type = Bytes("ordered"),
        Index = Bytes(index),
        Qtype = RpbIndexReq.Types.IndexQueryType.Range,
        RangeMin = Bytes(from),
        RangeMax = Bytes(until),
        ReturnTerms = true,
    };

    private static RpbIndexReq Changed(RpbIndexReq query, Action<RpbIndexReq> change)
    {
        change(query);
        return query;
    }

    /// <summary>A connection, after so many objects with age_int from 0 to 9 were put.</summary>
    private async Task<PbClient> FilledAsync(string bucket, int count)
    {
        var client = await server.ConnectAsync();
        for (var number = 0; number < count; number++)
        {
            var content = new RpbContent { Value = Bytes("v") };
            content.Indexes.Add(new RpbPair { Key = Bytes("age_int"), Value = Bytes($"{number % 10}") });
            await client.SendAsync(PbClient.Frame(11, new RpbPutReq { Bucket = Bytes(bucket), Type = Bytes("ordered"), Key = Bytes($"key-{number:000}"), W = uint.MaxValue - 3, Content = content }));
        }

        for (var i = 0; i < count; i++)
        {
            Assert.Equal(12, (await client.ReadAsync())!.Value.Code);
        }

        return client;
    }
}
