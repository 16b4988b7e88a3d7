using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Kv.Wire.Riak.Http;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>MapReduce jobs over Riak's HTTP: what comes back in which form, and what is said of a job that makes no sense or ends early.</summary>
public sealed class RiakHttpMapReduceTests(RiakServer server) : IClassFixture<RiakServer>, IAsyncLifetime
{
    private const string Json = "Content-Type: application/json";
    private const string Erlang = "\"language\":\"erlang\",\"module\":\"riak_kv_mapreduce\"";
    private const string Value = "{\"map\":{" + Erlang + ",\"function\":\"map_object_value\"}}";
    private const string KeptValue = "{\"map\":{" + Erlang + ",\"function\":\"map_object_value\",\"keep\":true}}";
    private const string KeptIdentity = "{\"map\":{" + Erlang + ",\"function\":\"map_identity\",\"keep\":true}}";
    private const string DroppedValue = "{\"map\":{" + Erlang + ",\"function\":\"map_object_value\",\"keep\":false}}";
    private const string ToInteger = "{\"reduce\":{" + Erlang + ",\"function\":\"reduce_string_to_integer\"}}";
    private const string SumOfProperties = "{\"reduce\":{" + Erlang + ",\"function\":\"reduce_plist_sum\"}}";
    private const string NoSuch = "{\"reduce\":{" + Erlang + ",\"function\":\"nosuch\"}}";
    private const string Links = "{\"link\":{\"bucket\":\"nums\",\"tag\":\"_\",\"keep\":true}}";
    private const string Parsed = "{\"map\":{\"language\":\"javascript\",\"name\":\"Riak.mapValuesJson\"}}";
    private const string Sum = "{\"reduce\":{" + Erlang + ",\"function\":\"reduce_sum\"}}";
    private const string Sort = "{\"reduce\":{" + Erlang + ",\"function\":\"reduce_sort\"}}";
    private const string Numbers = "[[\"nums\",\"1\"],[\"nums\",\"2\"],[\"nums\",\"3\"]]";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, string, int, string> Answers => new()
    {
        { "values", $$"""{"inputs":{{Numbers}},"query":[{{Value}}]}""", 200, """["1","2","3"]""" },
        { "a sum", $$"""{"inputs":"nums","query":[{{Parsed}},{{Sum}}]}""", 200, "[6]" },
        { "a typed bucket", $$"""{"inputs":["siblings","typed"],"query":[{{Value}}]}""", 200, """["of a type"]""" },
        { "two kept phases", $$"""{"inputs":{{Numbers}},"query":[{{KeptValue}},{{ToInteger}},{{Sum}}]}""", 200, """[["1","2","3"],[6]]""" },
        { "two kept phases of nothing", $$"""{"inputs":"none","query":[{{KeptValue}},{{Sum}}]}""", 200, "[[],[0]]" },
        { "none kept", $$"""{"inputs":{{Numbers}},"query":[{{DroppedValue}}]}""", 200, "[]" },
        { "no phases", """{"inputs":[["b","k"],["b","k",{"d":1}],["b","k",null,"t"]],"query":[]}""", 200, """[["b","k"],["b","k",{"d":1}],["b","k",null,"t"]]""" },
        { "what is not there", $$"""{"inputs":[["nums","none","kd"],["nums","none",null,"siblings"]],"query":[{{Value}}]}""", 200, """[{"not_found":{"bucket":"nums","key":"none","keydata":"kd"}},{"not_found":{"bucket_type":"siblings","bucket":"nums","key":"none","keydata":"undefined"}}]""" },
        { "names, sorted", $$"""{"inputs":"nums","query":[{{Sort}}]}""", 200, """[["nums","1"],["nums","2"],["nums","3"]]""" },
        { "key filters", $$"""{"inputs":{"bucket":"nums","key_filters":[["string_to_int"],["greater_than",2]]},"query":[{{Value}}]}""", 200, """["3"]""" },
        { "an index", $$"""{"inputs":{"bucket":["ordered","people"],"index":"age_int","start":"6","end":8},"query":[{{Value}}]}""", 200, """["ada"]""" },
        { "links", $$"""{"inputs":[["docs","from"]],"query":[{{Links}},{{Value}}]}""", 200, """[[["nums","2","next"]],["2"]]""" },
        { "properties", $$"""{"inputs":[["docs","p1"],["docs","p2"]],"query":[{{Parsed}},{{SumOfProperties}}]}""", 200, """{"a":4,"b":2.5}""" },
        { "kinds of JSON", $$"""{"inputs":[["docs","kinds"]],"query":[{{Parsed}}]}""", 200, """[{"n":123456789012345678901234567890,"f":1.0,"l":[true,false,null,"\"\\ü\u0001"]}]""" },
        { "no JSON", "nonsense", 400, "The POST body was not valid JSON.\nThe error from the parser was:\n*" },
        { "no object", "[1]", 400, "The POST body was not a JSON object.\n" },
        { "no inputs", """{"query":[]}""", 400, "The post body was missing the \"inputs\" or \"query\" field.\n" },
        { "inputs that make no sense", """{"inputs":5,"query":[]}""", 400, "An error occurred parsing the \"inputs\" field.\nUnrecognized format of \"inputs\" field: 5.*" },
        { "an unknown key filter", """{"inputs":{"bucket":"b","key_filters":[["nosuch"]]},"query":[]}""", 400, "An error occurred parsing the \"inputs\" field.\nbad_filter: there is no key filter `nosuch`\n" },
        { "an unknown function", $$"""{"inputs":"b","query":[{{NoSuch}}]}""", 400, "An error occurred parsing the \"query\" field.\nthere is no reduce function riak_kv_mapreduce:nosuch here; there are *" },
        { "an unknown phase", """{"inputs":"b","query":[{"nosuch":{}}]}""", 400, "An error occurred parsing the \"query\" field.\nUnrecognized format of query phase 0: {\"nosuch\":{}}*" },
        { "source code", """{"inputs":"b","query":[{"map":{"language":"javascript","source":"function(v) { return [v]; }"}}]}""", 400, "An error occurred parsing the \"query\" field.\nfunctions given by their source are not run here*" },
        { "an unknown type", $$"""{"inputs":["nosuch","b"],"query":[{{Value}}]}""", 500, """{"error":"No bucket-type named 'nosuch'"}""" },
        { "a type that is not active", $$"""{"inputs":["sleeping","b"],"query":[{{Value}}]}""", 500, """{"error":"No bucket-type named 'sleeping'"}""" },
        { "no indexes", $$"""{"inputs":{"bucket":"nums","index":"age_int","key":1},"query":[{{Value}}]}""", 500, """{"error":"{error,{indexes_not_supported,faster}}"}""" },
        { "no numbers", $$"""{"inputs":[["nums","1"]],"query":[{{Value}},{{Sum}}]}""", 500, """{"phase":1,"error":"badarith: reduce_sum adds numbers, and \"1\" cannot be added","input":null}""" },
        { "a value that is no JSON", $$"""{"inputs":[["docs","from"]],"query":[{{Parsed}}]}""", 500, """{"phase":0,"error":"the value is not JSON that can be taken: *","input":"[\"docs\",\"from\"]"}""" },
        { "a value that is no text", $$"""{"inputs":[["docs","bytes"]],"query":[{{Value}}]}""", 500, """{"phase":0,"error":"a result is not UTF-8 throughout, which JSON cannot carry","input":"<<255,254>>"}""" },
    };

    public async ValueTask InitializeAsync()
    {
        foreach (var number in new[] { "1", "2", "3" })
        {
            await PutAsync($"/buckets/nums/keys/{number}", "Content-Type: text/plain", number);
        }

        await PutAsync("/types/siblings/buckets/typed/keys/k", "Content-Type: text/plain\nIf-None-Match: *", "of a type");
        await PutAsync("/types/ordered/buckets/people/keys/ada", "Content-Type: text/plain\nx-riak-index-age_int: 7", "ada");
        await PutAsync("/buckets/docs/keys/from", "Content-Type: text/plain\nLink: </buckets/nums/keys/2>; riaktag=\"next\"", "from");
        await PutAsync("/buckets/docs/keys/p1", Json, """{"a":1,"b":2.5}""");
        await PutAsync("/buckets/docs/keys/p2", Json, """{"a":3}""");
        await PutAsync("/buckets/docs/keys/kinds", Json, """{"n":123456789012345678901234567890,"f":1.0,"l":[true,false,null,"\"\\\u00fc\u0001"]}""");
        using var bytes = await server.SendAsync("PUT", "/buckets/docs/keys/bytes", "Content-Type: application/octet-stream", [0xFF, 0xFE]);
        Assert.True(bytes.IsSuccessStatusCode);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task AJob_HasItsAnswer(string what, string job, int status, string body)
    {
        using var answer = await server.SendAsync("POST", "/mapred", Json, job);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.Equal((what, status), (what, (int)answer.StatusCode));
        Assert.Matches($"^{System.Text.RegularExpressions.Regex.Escape(body).Replace("\\*", "(?s:.*)", StringComparison.Ordinal)}$", text);
        Assert.Equal(status == 400 ? "text/plain" : "application/json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(Encoding.UTF8.GetByteCount(text), answer.Content.Headers.ContentLength);
    }

    [Theory]
    [InlineData("GET", "", 400)]
    [InlineData("HEAD", "", 400)]
    [InlineData("PUT", Json, 405)]
    [InlineData("POST", "Content-Type: text/plain", 415)]
    [InlineData("POST", "Content-Type: application/json; charset=utf-8", 200)]
    public async Task Methods_AndMediaTypes(string method, string headers, int status)
    {
        using var answer = await server.SendAsync(method, "/mapred", headers, method == "POST" ? Encoding.UTF8.GetBytes("""{"inputs":"none","query":[]}""") : null);
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task AWholeObject_HasRiaksForm()
    {
        using var answer = await server.SendAsync("POST", "/mapred", Json, $$"""{"inputs":[["seed","meta"]],"query":[{{KeptIdentity}}]}""");
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel));
        var found = json.RootElement.EnumerateArray().Single();
        Assert.Equal(("default", "seed", "meta"), (found.GetProperty("bucket_type").GetString(), found.GetProperty("bucket").GetString(), found.GetProperty("key").GetString()));
        Assert.NotEmpty(found.GetProperty("vclock").GetBytesFromBase64());
        var value = found.GetProperty("values").EnumerateArray().Single();
        Assert.Equal("meta", value.GetProperty("data").GetString());
        var metadata = value.GetProperty("metadata");
        Assert.Equal(("text/plain", "gzip"), (metadata.GetProperty("content-type").GetString(), metadata.GetProperty("content-encoding").GetString()));
        Assert.Equal("""[["b2","k 2","friend"]]""", metadata.GetProperty("Links").GetRawText());
        Assert.Equal("blue", metadata.GetProperty("X-Riak-Meta").EnumerateObject().Single().Value.GetString());
        Assert.Equal("""["7","8"]""", metadata.GetProperty("index").GetProperty("age_int").GetRawText());
    }

    [Fact]
    public async Task AStream_ComesInParts()
    {
        using var answer = await server.SendAsync("POST", "/mapred?chunked=true", Json, $$"""{"inputs":{{Numbers}},"query":[{{KeptValue}},{{ToInteger}},{{Sum}}]}""");
        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal(["""{"phase":0,"data":["1","2","3"]}""", """{"phase":2,"data":[6]}"""], await PartsAsync(answer));
    }

    [Fact]
    public async Task AStreamThatFails_SaysSo_AtFirstByItsStatus_LaterInItsLastPart()
    {
        using var first = await server.SendAsync("POST", "/mapred?chunked=true", Json, $$"""{"inputs":["nosuch","b"],"query":[{{Value}}]}""");
        Assert.Equal((500, """{"error":"No bucket-type named 'nosuch'"}"""), ((int)first.StatusCode, await first.Content.ReadAsStringAsync(Cancel)));
        using var later = await server.SendAsync("POST", "/mapred?chunked=true", Json, $$"""{"inputs":{{Numbers}},"query":[{{KeptValue}},{{Sum}}]}""");
        var parts = await PartsAsync(later);
        Assert.Equal("""{"phase":0,"data":["1","2","3"]}""", parts[0]);
        Assert.StartsWith("""{"phase":1,"error":"badarith""", parts[1], StringComparison.Ordinal);
        Assert.Equal(2, parts.Count);
    }

    [Fact]
    public async Task MoreResultsThanAnAnswerHolds_AreAnError_AndStreamed()
    {
        var long1 = new string('x', RiakServer.MaxObjectBytes - 100);
        await PutAsync("/buckets/long/keys/k", "Content-Type: text/plain", long1);
        var job = $$"""{"inputs":[{{string.Join(',', Enumerable.Repeat("[\"long\",\"k\"]", 40))}}],"query":[{{Value}}]}""";
        using var whole = await server.SendAsync("POST", "/mapred", Json, job);
        Assert.Equal(500, (int)whole.StatusCode);
        Assert.Contains("more than", await whole.Content.ReadAsStringAsync(Cancel));
        using var streamed = await server.SendAsync("POST", "/mapred?chunked=true", Json, job);
        Assert.Equal(40, (await PartsAsync(streamed)).Sum(part => JsonDocument.Parse(part).RootElement.GetProperty("data").GetArrayLength()));
    }

    [Fact]
    public async Task WithoutMemoryForTheAnswer_ItIs503_AndAllOfItComesBack()
    {
        var memory = new RequestMemory(4 * 1024 * 1024, TimeProvider.System);
        await using (var small = new RiakServer { Memory = memory, Options = new RiakHttpOptions { MaxObjectBytes = 200_000 } })
        {
            await small.InitializeAsync();
            using var put = await small.SendAsync("PUT", "/buckets/long/keys/k", "Content-Type: text/plain", new string('x', 100_000));
            Assert.True(put.IsSuccessStatusCode);
            using var answer = await small.SendAsync("POST", "/mapred", Json, $$"""{"inputs":[{{string.Join(',', Enumerable.Repeat("[\"long\",\"k\"]", 11))}}],"query":[{{Value}}]}""");
            Assert.Equal((503, """{"error":"overload"}"""), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel)));
            using var again = await small.SendAsync("POST", "/mapred", Json, $$"""{"inputs":[["long","k"]],"query":[{{Value}}]}""");
            Assert.Equal(200, (int)again.StatusCode);
        }

        Assert.Equal(0, memory.Clients.Used);
    }

    [Fact]
    public async Task AJobOfMoreTokensThanThereIsMemoryFor_IsRefused()
    {
        await using var small = new RiakServer { Memory = new RequestMemory(16 * 1024 * 1024, TimeProvider.System), Options = new RiakHttpOptions { MaxObjectBytes = 900_000 } };
        await small.InitializeAsync();
        using var answer = await small.SendAsync("POST", "/mapred", Json, $$"""{"inputs":[["b","k",[{{string.Join(',', Enumerable.Repeat("[]", 100_000))}}]]],"query":[]}""");
        Assert.Equal(413, (int)answer.StatusCode);
        Assert.Equal(0, small.Memory.Clients.Used);
    }

    /// <summary>What becomes of a job takes no more than its tokens count.</summary>
    [Theory]
    [InlineData("[],", "[]")]
    [InlineData("{},", "{}")]
    [InlineData("1,", "1")]
    [InlineData("\"\",", "\"\"")]
    [InlineData("{\"\":[\"\"]},", "{\"\":[\"\"]}")]
    [InlineData("1e1,", "1.5")]
    public void WhatIsReadOfAJob_TakesNoMoreThanItsTokensCount(string each, string last)
    {
        var json = Encoding.UTF8.GetBytes($"[{string.Concat(Enumerable.Repeat(each, 5000))}{last}]");
        Assert.True(Kv.Core.MapReduce.TermJson.TryRead(json, long.MaxValue, out _, out _));
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        Kv.Core.MapReduce.TermJson.TryRead(json, long.MaxValue, out var term, out _);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Assert.InRange(allocated, 0, (RequestBody.CountFields(json, Kv.Core.MapReduce.TermJson.MaxDepth) * RequestMemory.FieldBytes) + (RequestMemory.CopiesOfWrite * json.Length) + 4096);
        Assert.InRange(term!.HeldBytes, 1, RequestBody.CountFields(json, Kv.Core.MapReduce.TermJson.MaxDepth) * RequestMemory.FieldBytes);
    }

    [Fact]
    public async Task AClientThatGoes_EndsItsJob()
    {
        var inputs = string.Join(',', Enumerable.Repeat("[\"nums\",\"1\"]", 4000));
        var body = $$"""{"inputs":[{{inputs}}],"query":[{{KeptIdentity}}]}""";
        using (var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 })
        {
            await socket.ConnectAsync(server.EndPoint, Cancel);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"POST /mapred?chunked=true HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"), Cancel);
            Assert.True(await socket.ReceiveAsync(new byte[100], Cancel) > 0);
        }

        // Its place is free again: as many jobs as the node runs at once are run.
        for (var at = 0; at < 20; at++)
        {
            using var answer = await server.SendAsync("POST", "/mapred", Json, $$"""{"inputs":"nums","query":[{{Parsed}},{{Sum}}]}""");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    private static async Task<List<string>> PartsAsync(HttpResponseMessage answer)
    {
        var contentType = answer.Content.Headers.GetValues("Content-Type").Single().Replace(";boundary", "; boundary", StringComparison.Ordinal);
        var parts = MultipartParser.Parse(contentType, await answer.Content.ReadAsByteArrayAsync(Cancel));
        Assert.All(parts, part => Assert.Equal("application/json", part.Headers["Content-Type"]));
        return [.. parts.Select(part => part.Body)];
    }

    private async Task PutAsync(string path, string headers, string body)
    {
        using var answer = await server.SendAsync("PUT", path, headers, body);
        Assert.True(answer.IsSuccessStatusCode || answer.StatusCode == HttpStatusCode.PreconditionFailed, $"{path}: {(int)answer.StatusCode}");
    }
}
