using System.Text.Json;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>Secondary indexes over Riak's HTTP: what is put by headers is found, in Riak's forms, and what makes no sense has Riak's text.</summary>
public sealed class RiakHttpIndexTests(RiakServer server) : IClassFixture<RiakServer>, IAsyncLifetime
{
    private const string Index = "/types/ordered/buckets/people/index/";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, int, string> Answers => new()
    {
        { Index + "age_int/7", 200, """{"keys":["ada","bob"]}""" },
        { Index + "Age_Int/7?return_terms=true", 200, """{"keys":["ada","bob"]}""" },
        { Index + "age_int/-5/7", 200, """{"keys":["eve","ada","bob"]}""" },
        { Index + "age_int/-5/7?return_terms=true", 200, """{"results":[{"-5":"eve"},{"7":"ada"},{"7":"bob"}]}""" },
        { Index + "age_int/8/9", 200, """{"keys":["cyd"]}""" },
        { Index + "age_int/9/8", 200, """{"keys":[]}""" },
        { Index + "name_bin/a%20lovelace", 200, """{"keys":["ada"]}""" },
        { Index + "name_bin/a/z?term_regex=%5E.%20l&return_terms=true&pagination_sort=true&timeout=0", 200, """{"results":[{"a lovelace":"ada"}]}""" },
        { Index + "$key/b/d", 200, """{"keys":["bob","cyd"]}""" },
        { Index + "$bucket/_", 200, """{"keys":["ada","bob","cyd","eve"]}""" },
        { Index + "none_bin/x", 200, """{"keys":[]}""" },
        { Index + "age/7", 400, "Invalid query: Unknown field type for field: 'age'.\n" },
        { Index + "age_int/x", 400, "Invalid query: Could not parse field 'age_int', value 'x'.\n" },
        { Index + "age_int/7?max_results=0", 400, "Invalid \"max_results\". 0 is not a positive integer\n" },
        { Index + "age_int/7?max_results=some", 400, "Invalid \"max_results\". some is not a positive integer\n" },
        { Index + "age_int/1/7?term_regex=1", 400, "Can not use term regular expressions on integer queries\n" },
        { Index + "name_bin/a/b?term_regex=(", 400, "Invalid term regular expression (\n" },
        { Index + "age_int/7?timeout=soon", 400, "Bad timeout value \"soon\"\n" },
        { Index + "age_int/7?stream=some", 400, "stream query parameter must be true or false\n" },
        { "/types/nosuch/buckets/people/index/age_int/7", 404, "Unknown bucket type: nosuch\n" },
        { "/types/siblings/buckets/people/index/age_int/7", 500, "{error,{indexes_not_supported,faster}}\n" },
        { "/buckets/people/index/age_int/7", 500, "{error,{indexes_not_supported,faster}}\n" },
        { "/types/ordered/buckets/people/index/age_int", 404, "not found\n" },
    };

    public async ValueTask InitializeAsync()
    {
        await PutAsync("ada", "x-riak-index-age_int: 7\nx-riak-index-name_bin: a lovelace");
        await PutAsync("bob", "X-Riak-Index-Age_int: 7\nX-Riak-Index-tag_bin: x, y");
        await PutAsync("cyd", "X-Riak-Index-age_int: 9");
        await PutAsync("eve", "X-Riak-Index-age_int: -5");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Query_HasItsAnswer(string path, int status, string body)
    {
        using var answer = await server.SendAsync("GET", path);
        Assert.Equal(body, await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Pages_GoOnByTheirContinuation()
    {
        var keys = new List<string>();
        var continuation = "";
        for (var page = 0; ; page++)
        {
            using var json = JsonDocument.Parse(await GetAsync($"{Index}age_int/-10/10?max_results=2{continuation}"));
            keys.AddRange(json.RootElement.GetProperty("keys").EnumerateArray().Select(key => key.GetString()!));
            if (!json.RootElement.TryGetProperty("continuation", out var next))
            {
                // Four results in pages of two: the last page is empty, as in Riak.
                Assert.Equal(2, page);
                break;
            }

            continuation = "&continuation=" + Uri.EscapeDataString(next.GetString()!);
        }

        Assert.Equal(["eve", "ada", "bob", "cyd"], keys);
    }

    [Fact]
    public async Task Stream_IsMultipart_WithAnObjectAPart()
    {
        using var answer = await server.SendAsync("GET", $"{Index}age_int/-10/10?stream=true&max_results=3&return_terms=true");
        Assert.Equal(200, (int)answer.StatusCode);
        var parts = MultipartParser.Parse(answer.Content.Headers.ContentType!.ToString(), await answer.Content.ReadAsByteArrayAsync(Cancel));
        Assert.All(parts, part => Assert.Equal("application/json", part.Headers["Content-Type"]));
        Assert.Equal("""{"results":[{"-5":"eve"},{"7":"ada"},{"7":"bob"}]}""", parts[0].Body);
        Assert.StartsWith("""{"continuation":""", parts[1].Body, StringComparison.Ordinal);
        Assert.Equal(2, parts.Count);
    }

    [Fact]
    public async Task AnObject_ShowsItsIndexHeaders_AndLeavesTheIndexWhenItIsDeleted()
    {
        await PutAsync("fay", "X-Riak-Index-tag_bin: gone, seen");
        using (var found = await server.SendAsync("GET", "/types/ordered/buckets/people/keys/fay"))
        {
            Assert.Equal(["gone", "seen"], found.Headers.GetValues("x-riak-index-tag_bin").SelectMany(value => value.Split(", ")).Order());
        }

        Assert.Equal("""{"keys":["fay"]}""", await GetAsync(Index + "tag_bin/gone"));
        using var deleted = await server.SendAsync("DELETE", "/types/ordered/buckets/people/keys/fay?rw=all");
        Assert.Equal(204, (int)deleted.StatusCode);
        Assert.Equal("""{"keys":[]}""", await GetAsync(Index + "tag_bin/gone"));
    }

    [Fact]
    public async Task MoreEntriesThanAnyObjectMayHave_AreRefused()
    {
        var entries = string.Join(", ", Enumerable.Range(0, 10_001));
        using var answer = await server.SendAsync("PUT", "/buckets/people/keys/many", $"Content-Type: text/plain\nX-Riak-Index-n_int: {entries}", "v");
        Assert.Equal("more than 10000 links, metadata or index entries\n", await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(400, (int)answer.StatusCode);
    }

    private async Task PutAsync(string key, string headers)
    {
        // What is read first is what is put over: tests share the server. A query asks one replica, so all have to have it.
        using var before = await server.SendAsync("GET", $"/types/ordered/buckets/people/keys/{key}");
        var clock = before.Headers.TryGetValues("X-Riak-Vclock", out var values) ? $"\nX-Riak-Vclock: {values.First()}" : "";
        using var answer = await server.SendAsync("PUT", $"/types/ordered/buckets/people/keys/{key}?w=all", $"Content-Type: text/plain\n{headers}{clock}", key);
        Assert.Equal(204, (int)answer.StatusCode);
    }

    private async Task<string> GetAsync(string path)
    {
        using var answer = await server.SendAsync("GET", path);
        Assert.Equal(200, (int)answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Cancel);
    }
}
