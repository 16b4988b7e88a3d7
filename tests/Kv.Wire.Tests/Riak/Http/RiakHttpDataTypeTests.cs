using System.Text.Json;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>Data types over HTTP: what each body makes, and each refusal's status and text.</summary>
public sealed class RiakHttpDataTypeTests(RiakServer server) : IClassFixture<RiakServer>
{
    private const string Json = "Content-Type: application/json";
    private static int keys;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A type, bodies that are posted one after the other, and the value that a fetch shows then.</summary>
    public static TheoryData<string, string[], string> Updates => new()
    {
        { "counter", ["5"], "5" },
        { "counter", ["5", "-8"], "-3" },
        { "counter", ["\"increment\""], "1" },
        { "counter", ["\"decrement\""], "-1" },
        { "counter", ["{\"increment\":3}", "{\"decrement\":5}"], "-2" },
        { "counter", ["100000000000000000000", "-1"], "99999999999999999999" },
        { "set", ["{\"add\":\"b\"}", "{\"add\":\"a\"}"], "[\"a\",\"b\"]" },
        { "set", ["{\"add_all\":[\"b\",\"a\",\"b\"]}"], "[\"a\",\"b\"]" },
        { "set", ["{\"add_all\":[\"b\",\"a\"]}", "{\"remove\":\"a\"}"], "[\"b\"]" },
        { "set", ["{\"add_all\":[\"b\",\"a\"]}", "{\"remove_all\":[\"a\",\"b\"]}"], "[]" },
        { "set", ["{\"add\":\"a\",\"remove_all\":[]}"], "[\"a\"]" },
        { "set", ["{\"update\":[{\"add\":\"a\"},{\"add_all\":[\"b\",\"c\"]}]}"], "[\"a\",\"b\",\"c\"]" },
        { "set", ["{\"add\":\"é\\\"\"}"], "[\"é\\\"\"]" },
        { "gset", ["{\"add\":\"b\"}", "{\"add_all\":[\"a\",\"b\"]}"], "[\"a\",\"b\"]" },
        { "hll", ["{\"add\":\"b\"}", "{\"add_all\":[\"a\",\"b\"]}"], "2" },
        { "map", ["{}"], "{}" },
        { "map", ["{\"update\":{\"c_counter\":2,\"r_register\":\"v\",\"f_flag\":\"enable\",\"s_set\":{\"add\":\"x\"}}}"], "{\"c_counter\":2,\"f_flag\":true,\"r_register\":\"v\",\"s_set\":[\"x\"]}" },
        { "map", ["{\"update\":{\"r_register\":{\"assign\":\"w\"},\"f_flag\":\"disable\"}}"], "{\"f_flag\":false,\"r_register\":\"w\"}" },
        { "map", ["{\"update\":{\"m_map\":{\"update\":{\"in_map\":{\"update\":{\"c_counter\":\"increment\"}}}}}}"], "{\"m_map\":{\"in_map\":{\"c_counter\":1}}}" },
        { "map", ["{\"update\":{\"a_b_set\":{\"add\":\"x\"}}}", "{\"update\":{\"c_counter\":1},\"remove\":\"a_b_set\"}"], "{\"c_counter\":1}" },
        { "map", ["{\"update\":{\"a_set\":{\"add\":\"x\"},\"b_set\":{\"add\":\"x\"}}}", "{\"remove\":[\"a_set\",\"b_set\"]}"], "{}" },
        { "map", ["{\"update\":{\"a_set\":{\"add\":\"x\"}}}", "{\"update\":{\"a_set\":{\"add\":\"y\"}},\"remove\":\"a_set\"}"], "{\"a_set\":[\"y\"]}" },
    };

    /// <summary>Method and path (`@` is a key of the row's own), headers, body, status and text.</summary>
    public static TheoryData<string, string, string?, int, string> Refusals => new()
    {
        { "GET /types/sets/buckets/b/datatypes/@", "", null, 404, "{\"type\":\"set\",\"error\":\"notfound\"}" },
        { "GET /types/nosuch/buckets/b/datatypes/@", "", null, 404, "Unknown bucket type: nosuch\n" },
        { "GET /types/siblings/buckets/b/datatypes/@", "", null, 403, "Bucket datatype 'undefined' is not a supported type.\n" },
        { "GET /types/default/buckets/b/datatypes/@", "", null, 301, "" },
        { "GET /buckets/b/datatypes/@", "", null, 403, "Bucket datatype 'undefined' is not a supported type.\n" },
        { "GET /types/sets/buckets/b/datatypes/@?r=x", "", null, 400, "r query parameter must be an integer or one of the following words: 'one', 'quorum' or 'all'\n" },
        { "GET /types/sets/buckets/b/datatypes/@?include_context=perhaps", "", null, 400, "include_context query parameter must be true or false\n" },
        { "GET /types/sets/buckets/b/datatypes", "", null, 405, "datatypes does not allow this method\n" },
        { "PUT /types/sets/buckets/b/datatypes/@", Json, "{\"add\":\"a\"}", 405, "datatype does not allow this method\n" },
        { "POST /types/sets/buckets/b/datatypes/@", "Content-Type: text/plain", "{\"add\":\"a\"}", 406, "the body's Content-Type must be application/json\n" },
        { "POST /types/sets/buckets/b/datatypes/@", "", "{\"add\":\"a\"}", 406, "the body's Content-Type must be application/json\n" },
        { "POST /types/nosuch/buckets/b/datatypes/@", Json, "{\"add\":\"a\"}", 404, "Unknown bucket type: nosuch\n" },
        { "POST /types/siblings/buckets/b/datatypes/@", Json, "{\"add\":\"a\"}", 403, "Bucket datatype 'undefined' is not a supported type.\n" },
        { "POST /types/sets/buckets/b/datatypes/@?w=9", Json, "{\"add\":\"a\"}", 400, "Specified w/dw/pw/node_confirms values invalid for bucket n value of 3\n" },
        { "POST /types/sets/buckets/b/datatypes/@", Json, "{\"add\":7}", 400, "Invalid operation on datatype 'set': {\"add\":7}\n" },
        { "POST /types/sets/buckets/b/datatypes/@", Json, "{\"increment\":7}", 400, "Invalid operation on datatype 'set': {\"increment\":7}\n" },
        { "POST /types/sets/buckets/b/datatypes/@", Json, "[]", 400, "Invalid operation on datatype 'set': []\n" },
        { "POST /types/sets/buckets/b/datatypes/@", Json, "{\"add\":\"a\",\"context\":\"!\"}", 400, "Invalid context: it is not base64\n" },
        { "POST /types/sets/buckets/b/datatypes/@", Json, "{\"add\":\"a\",\"context\":\"AAAA\"}", 400, "Invalid context: the context is of version 0, not 1, or no context at all\n" },
        { "POST /types/sets/buckets/b/datatypes/@", Json, "{\"remove\":\"x\"}", 500, "Error:\n{precondition,{not_present,<<\"x\">>}}\n" },
        { "POST /types/gsets/buckets/b/datatypes/@", Json, "{\"remove\":\"x\"}", 400, "Invalid operation on datatype 'gset': {\"remove\":\"x\"}\n" },
        { "POST /types/hlls/buckets/b/datatypes/@", Json, "5", 400, "Invalid operation on datatype 'hll': 5\n" },
        { "POST /types/counters/buckets/b/datatypes/@", Json, "1.5", 400, "Invalid operation on datatype 'counter': 1.5\n" },
        { "POST /types/counters/buckets/b/datatypes/@", Json, "\"more\"", 400, "Invalid operation on datatype 'counter': \"more\"\n" },
        { "POST /types/counters/buckets/b/datatypes/@", Json, "{\"increment\":1,\"decrement\":1}", 400, "Invalid operation on datatype 'counter': {\"increment\":1,\"decrement\":1}\n" },
        { "POST /types/maps/buckets/b/datatypes/@", Json, "{\"update\":{\"x\":1}}", 400, "Invalid map field name 'x'\n" },
        { "POST /types/maps/buckets/b/datatypes/@", Json, "{\"update\":{\"x_gset\":1}}", 400, "Invalid map field name 'x_gset'\n" },
        { "POST /types/maps/buckets/b/datatypes/@", Json, "{\"update\":{\"x_flag\":true}}", 400, "Invalid operation on datatype 'flag': true\n" },
        { "POST /types/maps/buckets/b/datatypes/@", Json, "{\"update\":{\"x_register\":1}}", 400, "Invalid operation on datatype 'register': 1\n" },
        { "POST /types/maps/buckets/b/datatypes/@", Json, "{\"remove\":\"x_set\"}", 500, "Error:\n{precondition,{not_present,{<<\"x\">>,riak_dt_orswot}}}\n" },
    };

    [Theory]
    [MemberData(nameof(Updates))]
    public async Task Bodies_MakeAValue(string type, string[] bodies, string value)
    {
        var path = $"/types/{type}s/buckets/b/datatypes/{NewKey()}";
        foreach (var body in bodies)
        {
            using var posted = await server.SendAsync("POST", path, Json, body);
            Assert.Equal((204, ""), ((int)posted.StatusCode, await posted.Content.ReadAsStringAsync(Cancel)));
        }

        using var fetched = await server.SendAsync("GET", path);
        Assert.Equal(200, (int)fetched.StatusCode);
        using var json = JsonDocument.Parse(await fetched.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(type, json.RootElement.GetProperty("type").GetString());
        Assert.Equal(value, json.RootElement.GetProperty("value").GetRawText());
        Assert.Equal(type is "set" or "map", json.RootElement.TryGetProperty("context", out _));
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Refusal_HasItsStatusAndText(string request, string headers, string? body, int status, string text)
    {
        var (method, path) = (request[..request.IndexOf(' ')], request[(request.IndexOf(' ') + 1)..].Replace("@", NewKey(), StringComparison.Ordinal));
        using var answer = body is null ? await server.SendAsync(method, path, headers) : await server.SendAsync(method, path, headers, body);
        Assert.Equal((status, text), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel)));
    }

    [Theory]
    [InlineData("{\"add\":")]
    [InlineData("")]
    [InlineData("nonsense")]
    public async Task ABodyThatIsNoJson_IsRefused(string body)
    {
        using var answer = await server.SendAsync("POST", $"/types/sets/buckets/b/datatypes/{NewKey()}", Json, body);
        Assert.Equal(400, (int)answer.StatusCode);
        Assert.StartsWith("Couldn't decode JSON: ", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ABodyThatIsNotUtf8_IsRefused()
    {
        using var answer = await server.SendAsync("POST", $"/types/sets/buckets/b/datatypes/{NewKey()}", Json, [.. "{\"add\":\""u8, 0xff, .. "\"}"u8]);
        Assert.Equal((400, "Malformed JSON submitted, invalid UTF-8\n"), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel)));
    }

    [Fact]
    public async Task RemovalByContext_SparesWhatItHadNotSeen()
    {
        var path = $"/types/sets/buckets/b/datatypes/{NewKey()}";
        using var first = await server.SendAsync("POST", path + "?returnbody=true", Json, "{\"add_all\":[\"a\",\"b\"]}");
        Assert.Equal(200, (int)first.StatusCode);
        using var json = JsonDocument.Parse(await first.Content.ReadAsStringAsync(Cancel));
        var context = json.RootElement.GetProperty("context").GetString();
        await server.SendAsync("POST", path, Json, "{\"add\":\"a\"}");
        await server.SendAsync("POST", path, Json, $"{{\"remove_all\":[\"a\",\"b\"],\"context\":\"{context}\"}}");
        using var left = await server.SendAsync("GET", path + "?include_context=false");
        Assert.Equal("{\"type\":\"set\",\"value\":[\"a\"]}", await left.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task WithoutAKey_TheNodeMakesOne()
    {
        using var created = await server.SendAsync("POST", "/types/counters/buckets/b/datatypes", Json, "1");
        Assert.Equal(201, (int)created.StatusCode);
        var location = created.Headers.Location!.ToString();
        Assert.StartsWith("/types/counters/buckets/b/keys/", location, StringComparison.Ordinal);
        using var fetched = await server.SendAsync("GET", location.Replace("/keys/", "/datatypes/", StringComparison.Ordinal));
        Assert.Equal("{\"type\":\"counter\",\"value\":1}", await fetched.Content.ReadAsStringAsync(Cancel));
        using var head = await server.SendAsync("HEAD", location.Replace("/keys/", "/datatypes/", StringComparison.Ordinal));
        Assert.Equal((200, ""), ((int)head.StatusCode, await head.Content.ReadAsStringAsync(Cancel)));
    }

    [Fact]
    public async Task CountersOfRiak14_CountInUntypedBucketsWithSiblings()
    {
        using var props = await server.SendAsync("PUT", "/buckets/counted/props", Json, "{\"props\":{\"allow_mult\":true}}");
        Assert.Equal(204, (int)props.StatusCode);
        var path = $"/buckets/counted/counters/{NewKey()}";
        Assert.Equal((404, "not found\n"), await AskAsync("GET", path));
        Assert.Equal((204, ""), await AskAsync("POST", path, "41"));
        Assert.Equal((200, "42"), await AskAsync("POST", path + "?returnvalue=true", "1"));
        Assert.Equal((200, "42"), await AskAsync("GET", path));
        Assert.Equal((204, ""), await AskAsync("POST", path, "-50"));
        Assert.Equal((200, "-8"), await AskAsync("GET", path));
        Assert.Equal((400, "Counters take integers: the body is none\n"), await AskAsync("POST", path, "many"));
        Assert.Equal((409, "Counters require bucket property 'allow_mult=true'\n"), await AskAsync("POST", $"/buckets/b/counters/{NewKey()}", "1"));
        Assert.Equal((404, "not found\n"), await AskAsync("GET", $"/types/siblings/buckets/b/counters/{NewKey()}"));
        Assert.Equal((204, ""), await AskAsync("PUT", "/buckets/counted/keys/plain", "text"));
        Assert.Equal((409, "the key holds no counter\n"), await AskAsync("GET", "/buckets/counted/counters/plain"));
    }

    private async Task<(int Status, string Text)> AskAsync(string method, string path, string? body = null)
    {
        using var answer = body is null ? await server.SendAsync(method, path) : await server.SendAsync(method, path, "Content-Type: text/plain", body);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }

    private static string NewKey() => "k" + Interlocked.Increment(ref keys);
}
