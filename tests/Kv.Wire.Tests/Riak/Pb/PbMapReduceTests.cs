using System.Text;
using Google.Protobuf;
using Kv.Protos.Riak;
using Xunit;

namespace Kv.Wire.Tests.Riak.Pb;

/// <summary>MapReduce jobs over Protocol Buffers: results in messages, the last with `done`, and the texts of those that fail.</summary>
public sealed class PbMapReduceTests(RiakPbServer server) : IClassFixture<RiakPbServer>
{
    private const int MapRedReq = 23;
    private const int MapRedResp = 24;
    private const string Erlang = "\"language\":\"erlang\",\"module\":\"riak_kv_mapreduce\"";
    private const string Value = "{\"map\":{" + Erlang + ",\"function\":\"map_object_value\"}}";
    private const string KeptValue = "{\"map\":{" + Erlang + ",\"function\":\"map_object_value\",\"keep\":true}}";
    private const string KeyData = "{\"map\":{" + Erlang + ",\"function\":\"map_object_value\",\"arg\":\"include_keydata\"}}";
    private const string ToInteger = "{\"reduce\":{" + Erlang + ",\"function\":\"reduce_string_to_integer\"}}";
    private const string Sum = "{\"reduce\":{" + Erlang + ",\"function\":\"reduce_sum\"}}";

    public static TheoryData<string, string, string> Refusals => new()
    {
        { "nonsense", "application/json", "{invalid_json,\"*" },
        { "[1]", "application/json", "not_json" },
        { "{}", "application/json", "missing_field" },
        { """{"inputs":5,"query":[]}""", "application/json", "{inputs,\"Unrecognized format of \\\"inputs\\\" field: 5*" },
        { """{"inputs":"b","query":[{"map":{"language":"erlang","module":"mymod","function":"myfun"}}]}""", "application/json", "{'query',\"there is no map function mymod:myfun here; *" },
        { """{"inputs":{"bucket":"b","key_filters":[["nosuch"]]},"query":[]}""", "application/json", "{inputs,\"bad_filter: there is no key filter `nosuch`\"}" },
        { """{"inputs":"b","query":[]}""", "text/plain", "{unknown_content_type,<<\"text/plain\">>}: jobs are taken as application/json" },
        { """{"inputs":"b","query":[]}""", "application/x-erlang-binary", "{unknown_content_type,<<\"application/x-erlang-binary\">>}: jobs are taken as application/json" },
        { $$"""{"inputs":["nosuch","b"],"query":[{{Value}}]}""", "application/json", "No bucket-type named 'nosuch'" },
        { $$"""{"inputs":[["b","k",null,"nosuch"]],"query":[{{Value}}]}""", "application/json", "No bucket-type named 'nosuch'" },
        { $$"""{"inputs":[["b","k"]],"query":[{{KeyData}},{{Value}}]}""", "application/json", """{"phase":1,"error":"the phase takes names of objects, [bucket, key] with key data and type or without","input":"undefined"}""" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Refusal_HasItsText_AndTheConnectionGoesOn(string job, string contentType, string text)
    {
        using var client = await server.ConnectAsync();
        var told = await client.FailAsync(MapRedReq, new RpbMapRedReq { Request = Bytes(job), ContentType = Bytes(contentType) });
        Assert.Matches($"^{System.Text.RegularExpressions.Regex.Escape(text).Replace("\\*", "(?s:.*)", StringComparison.Ordinal)}$", told);
        Assert.Equal(2, (await client.AskAsync(1)).Code);
    }

    [Fact]
    public async Task Results_ComeByPhase_AndTheEndSaysSo()
    {
        using var client = await FilledAsync("three", 3);
        await SendAsync(client, $$"""{"inputs":[["three","0"],["three","1"],["three","2"]],"query":[{{KeptValue}},{{ToInteger}},{{Sum}}]}""");
        Assert.Equal(["0 [\"0\",\"1\",\"2\"]", "2 [3]"], await ResultsAsync(client));
        Assert.Equal(2, (await client.AskAsync(1)).Code);
    }

    [Fact]
    public async Task ABucket_ComesInManyMessages()
    {
        using var client = await FilledAsync("many", 300);
        await SendAsync(client, $$"""{"inputs":"many","query":[{{Value}}]}""");
        var results = await ResultsAsync(client);
        Assert.InRange(results.Count, 2, 300);
        var values = results.SelectMany(result => System.Text.Json.JsonSerializer.Deserialize<string[]>(result[2..])!).Order(StringComparer.Ordinal);
        Assert.Equal(Enumerable.Range(0, 300).Select(number => $"{number}").Order(StringComparer.Ordinal), values);
    }

    [Fact]
    public async Task AJobThatFails_EndsWithAnError()
    {
        using var client = await FilledAsync("some", 2);
        await SendAsync(client, $$"""{"inputs":[["some","0"],["some","1"]],"query":[{{KeptValue}},{{Sum}}]}""");
        Assert.Equal(MapRedResp, (await client.ReadAsync())!.Value.Code);
        var (code, message) = (await client.ReadAsync())!.Value;
        Assert.Equal(0, code);
        Assert.Equal("""{"phase":1,"error":"badarith: reduce_sum adds numbers, and \"0\" cannot be added","input":null}""", RpbErrorResp.Parser.ParseFrom(message).Errmsg.ToStringUtf8());
        Assert.Equal(2, (await client.AskAsync(1)).Code);
    }

    [Fact]
    public async Task AnAnswerThatNoMessageHolds_IsAnError()
    {
        using var client = await server.ConnectAsync();
        var value = ByteString.CopyFrom([.. Enumerable.Repeat((byte)1, RiakPbServer.MaxObjectBytes - 1000)]);
        await client.AskAsync(11, new RpbPutReq { Bucket = Bytes("long"), Key = Bytes("k"), Content = new RpbContent { Value = value } }, 12, RpbPutResp.Parser);
        var job = new RpbMapRedReq { Request = Bytes($$"""{"inputs":[["long","k"]],"query":[{{Value}}]}"""), ContentType = Bytes("application/json") };
        Assert.Contains("more than", await client.FailAsync(MapRedReq, job));
    }

    [Fact]
    public async Task AJobOfMoreTokensThanThereIsMemoryFor_IsRefused()
    {
        await using var small = new RiakPbServer { Memory = new RequestMemory(8 * 1024 * 1024, TimeProvider.System) };
        await small.InitializeAsync();
        using var client = await small.ConnectAsync();
        var job = new RpbMapRedReq { Request = Bytes($$"""{"inputs":[["b","k",[{{string.Join(',', Enumerable.Repeat("[]", 50_000))}}]]],"query":[]}"""), ContentType = Bytes("application/json") };
        Assert.Contains("too many fields", await client.FailAsync(MapRedReq, job));
        Assert.Equal(0, small.Memory.Clients.Used);
        Assert.Equal(2, (await client.AskAsync(1)).Code);
    }

    private static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);

    private static Task SendAsync(PbClient client, string job) =>
        client.SendAsync(PbClient.Frame(MapRedReq, new RpbMapRedReq { Request = Bytes(job), ContentType = Bytes("application/json") }));

    private static async Task<List<string>> ResultsAsync(PbClient client)
    {
        var results = new List<string>();
        while (true)
        {
            var (code, message) = (await client.ReadAsync())!.Value;
            Assert.True(code == MapRedResp, Encoding.UTF8.GetString(message));
            var some = RpbMapRedResp.Parser.ParseFrom(message);
            if (some.Done)
            {
                Assert.False(some.HasPhase || some.HasResponse);
                return results;
            }

            results.Add($"{some.Phase} {some.Response.ToStringUtf8()}");
        }
    }

    /// <summary>A connection, after so many objects were put whose values are their keys.</summary>
    private async Task<PbClient> FilledAsync(string bucket, int count)
    {
        var client = await server.ConnectAsync();
        for (var number = 0; number < count; number++)
        {
            await client.AskAsync(11, new RpbPutReq { Bucket = Bytes(bucket), Key = Bytes($"{number}"), Content = new RpbContent { Value = Bytes($"{number}") } }, 12, RpbPutResp.Parser);
        }

        return client;
    }
}
