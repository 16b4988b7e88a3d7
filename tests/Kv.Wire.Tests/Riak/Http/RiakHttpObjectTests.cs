using System.Text;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>What takes more than one request: siblings, deletes, conditions that hold, keys of any bytes, bodies of any size.</summary>
public sealed class RiakHttpObjectTests(RiakServer server) : IClassFixture<RiakServer>
{
    private const string Text = "Content-Type: text/plain";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Siblings_AsMultipart_HaveEachTheirHeaders()
    {
        using var answer = await server.SendAsync("GET", "/types/siblings/buckets/seed/keys/two", "Accept: multipart/mixed");
        var parts = MultipartParser.Parse(Header(answer, "Content-Type"), await answer.Content.ReadAsByteArrayAsync(Cancel));
        Assert.Equal(["\"second\"", "first"], parts.Select(part => part.Body).Order(StringComparer.Ordinal));
        var first = parts.Single(part => part.Body == "first").Headers;
        Assert.Equal("text/plain", first["Content-Type"]);
        Assert.Equal("a", first["X-Riak-Meta-Who"]);
        Assert.Equal("</buckets/seed>; rel=\"up\"", first["Link"]);
        Assert.DoesNotContain('"', first["Etag"]);
        Assert.Contains("Last-Modified", first);
        Assert.DoesNotContain("X-Riak-Deleted", first);
        Assert.Equal("application/json", parts.Single(part => part.Body != "first").Headers["Content-Type"]);
    }

    [Fact]
    public async Task Siblings_AsText_AreListedByTagAndFetchedByIt()
    {
        const string Path = "/types/siblings/buckets/seed/keys/two";
        using var answer = await server.SendAsync("GET", Path);
        var lines = (await answer.Content.ReadAsStringAsync(Cancel)).Split('\n');
        Assert.Equal(["Siblings:", ""], [lines[0], lines[3]]);
        var values = new List<string>();
        foreach (var vtag in lines[1..3])
        {
            using var one = await server.SendAsync("GET", $"{Path}?vtag={vtag}");
            Assert.Equal(200, (int)one.StatusCode);
            Assert.Equal(Header(answer, "X-Riak-Vclock"), Header(one, "X-Riak-Vclock"));
            Assert.Equal($"\"{vtag}\"", Header(one, "ETag"));
            values.Add(await one.Content.ReadAsStringAsync(Cancel));
            foreach (var (condition, status) in new[] { ("If-None-Match", 304), ("If-Match", 200) })
            {
                using var conditional = await server.SendAsync("GET", $"{Path}?vtag={vtag}", $"{condition}: \"{vtag}\"");
                Assert.Equal((condition, status), (condition, (int)conditional.StatusCode));
            }
        }

        Assert.Equal(["\"second\"", "first"], values.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Sibling_ThatIsADelete_SaysSo()
    {
        using var answer = await server.SendAsync("GET", "/types/keeps/buckets/seed/keys/half", "Accept: multipart/mixed");
        Assert.Equal(300, (int)answer.StatusCode);
        var parts = MultipartParser.Parse(Header(answer, "Content-Type"), await answer.Content.ReadAsByteArrayAsync(Cancel));
        var deleted = Assert.Single(parts, part => part.Headers.ContainsKey("X-Riak-Deleted"));
        Assert.Equal(("true", ""), (deleted.Headers["X-Riak-Deleted"], deleted.Body));
        Assert.Equal("live", Assert.Single(parts, part => !part.Headers.ContainsKey("X-Riak-Deleted")).Body);
    }

    [Fact]
    public async Task Put_UnderTheContextOfSiblings_ResolvesThem()
    {
        const string Path = "/types/siblings/buckets/w/keys/resolve";
        await PutAsync(Path, Text, "a");
        using var both = await server.SendAsync("PUT", Path + "?returnbody=true", Text + "\nAccept: multipart/mixed", "b");
        Assert.Equal(300, (int)both.StatusCode);
        Assert.Equal(2, MultipartParser.Parse(Header(both, "Content-Type"), await both.Content.ReadAsByteArrayAsync(Cancel)).Count);
        await PutAsync(Path, $"{Text}\nX-Riak-Vclock: {Header(both, "X-Riak-Vclock")}", "c");
        Assert.Equal("c", await GetAsync(Path));
    }

    [Fact]
    public async Task Delete_ThenGet_GivesTheTombstonesContext()
    {
        const string Path = "/types/keeps/buckets/w/keys/gone";
        await PutAsync(Path, Text, "v");
        using var deleted = await server.SendAsync("DELETE", Path + "?rw=all");
        Assert.Equal(204, (int)deleted.StatusCode);
        using var gone = await server.SendAsync("GET", Path);
        Assert.Equal((404, "true"), ((int)gone.StatusCode, Header(gone, "X-Riak-Deleted")));
        await PutAsync(Path, $"{Text}\nX-Riak-Vclock: {Header(gone, "X-Riak-Vclock")}", "again");
        Assert.Equal("again", await GetAsync(Path));
    }

    [Theory]
    [InlineData("If-Match: {0}")]
    [InlineData("If-Unmodified-Since: {2}")]
    [InlineData("X-Riak-If-Not-Modified: {1}")]
    [InlineData("X-Riak-If-Not-Modified: {1}\nX-Riak-Vclock: {1}")]
    [InlineData("If-None-Match: \"other\"")]
    public async Task Put_WhoseConditionHolds_IsStored(string condition)
    {
        var path = $"/types/siblings/buckets/w/keys/{Guid.NewGuid():N}";
        await PutAsync(path, Text, "a");
        using var read = await server.SendAsync("GET", path);
        condition = string.Format(null, condition, Header(read, "ETag"), Header(read, "X-Riak-Vclock"), Header(read, "Last-Modified"));
        await PutAsync(path, $"{Text}\n{condition}", "b");
    }

    [Theory]
    [InlineData("a%2Fb", "a/b")]
    [InlineData("..", "..")]
    [InlineData(".", ".")]
    [InlineData("%2e%2e", "..")]
    [InlineData("a+b", "a+b")]
    [InlineData("sp%20ace", "sp ace")]
    [InlineData("%2525", "%25")]
    [InlineData("%C3%A4", "ä")]
    [InlineData("semi;colon=1", "semi;colon=1")]
    [InlineData("q%3Fx", "q?x")]
    [InlineData("%FF%FE", "%FF%FE")]
    public async Task Key_IsDecodedOnce(string inPath, string listed)
    {
        var bucket = Guid.NewGuid().ToString("N");
        await PutAsync($"/buckets/{bucket}/keys/{inPath}?w=all", Text, inPath); // A list asks one replica of each key.
        Assert.Equal(inPath, await GetAsync($"/buckets/{bucket}/keys/{inPath}"));
        Assert.Equal(inPath, await GetAsync($"/riak/{bucket}/{inPath}"));
        Assert.Equal($"{{\"keys\":[\"{listed}\"]}}", await GetAsync($"/buckets/{bucket}/keys?keys=true"));
    }

    [Fact]
    public async Task Post_WithoutKey_MakesOneThatItsLocationNames()
    {
        foreach (var path in new[] { "/buckets/p%2Fq/keys", "/types/siblings/buckets/p%2Fq/keys", "/riak/p%2Fq" })
        {
            using var answer = await server.SendAsync("POST", path, Text, path);
            var location = Header(answer, "Location");
            Assert.StartsWith(path + "/", location, StringComparison.Ordinal);
            Assert.Equal(path, await GetAsync(location));
        }
    }

    [Fact]
    public async Task LongKey_ThatIsAllEscapes_Fits()
    {
        var key = string.Concat(Enumerable.Repeat("%20", 65_536));
        await PutAsync($"/buckets/w/keys/{key}", Text, "long");
        Assert.Equal("long", await GetAsync($"/buckets/w/keys/{key}"));
        using var longer = await server.SendAsync("GET", $"/buckets/w/keys/{key}%20");
        Assert.Equal(400, (int)longer.StatusCode);
        Assert.Equal("the key has 65537 bytes; the most is 65536\n", await longer.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task Body_OfTheMostBytes_ComesBackWhole()
    {
        var body = new byte[RiakServer.MaxObjectBytes];
        new Random(5).NextBytes(body);
        using var put = await server.SendAsync("PUT", "/buckets/w/keys/big", "Content-Type: application/x-thing", body);
        Assert.Equal(204, (int)put.StatusCode);
        using var answer = await server.SendAsync("GET", "/buckets/w/keys/big");
        Assert.Equal(body, await answer.Content.ReadAsByteArrayAsync(Cancel));
    }

    [Fact]
    public async Task Body_BeyondTheLimit_IsRefusedUnread()
    {
        var answer = await RawHttp.AskAsync(
            server.EndPoint, "PUT /buckets/w/keys/huge HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 65537\r\n\r\n", hangsUp: false, Cancel);
        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.EndsWith("the request body is too large; at most 65536 bytes are allowed, by `max-object-size` or by the node's memory\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ChunkedBody_BeyondTheLimit_IsRefused()
    {
        var chunk = $"4000\r\n{new string('x', 0x4000)}\r\n";
        var request = "PUT /buckets/w/keys/huge HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n"
            + string.Concat(Enumerable.Repeat(chunk, 5)) + "0\r\n\r\n";
        var answer = await RawHttp.AskAsync(server.EndPoint, request, hangsUp: false, Cancel);
        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ChunkedBody_IsStored()
    {
        var answer = await RawHttp.AskAsync(
            server.EndPoint,
            "PUT /buckets/w/keys/chunked HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            hangsUp: false,
            Cancel);
        Assert.StartsWith("HTTP/1.1 204 ", answer, StringComparison.Ordinal);
        Assert.Equal("abcde", await GetAsync("/buckets/w/keys/chunked"));
    }

    [Theory]
    [InlineData("Content-Length: 10\r\n\r\nabc")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nzz\r\n")]
    public async Task Body_ThatEndsEarly_IsNotStored(string rest)
    {
        var key = Guid.NewGuid().ToString("N");
        var answer = await RawHttp.AskAsync(server.EndPoint, $"PUT /buckets/w/keys/{key} HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\n{rest}", hangsUp: true, Cancel);
        Assert.DoesNotContain("HTTP/1.1 2", answer, StringComparison.Ordinal);
        using var read = await server.SendAsync("GET", $"/buckets/w/keys/{key}");
        Assert.Equal(404, (int)read.StatusCode);
    }

    [Fact]
    public async Task Metadata_WithRawUtf8_ComesBackAsItWas()
    {
        const string Value = "gr\u00fc\u00df dich";
        var request = Encoding.UTF8.GetBytes(
            $"PUT /buckets/w/keys/utf8?returnbody=true HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: a/b\r\nX-Riak-Meta-MiXed: {Value}\r\nContent-Length: 1\r\n\r\nx");
        var answer = await RawHttp.AskAsync(server.EndPoint, request, hangsUp: false, Cancel);
        Assert.Contains($"X-Riak-Meta-MiXed: {Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(Value))}\r\n", answer, StringComparison.Ordinal);
    }

    private static string Header(HttpResponseMessage answer, string name) =>
        answer.Headers.NonValidated.TryGetValues(name, out var values) || answer.Content.Headers.NonValidated.TryGetValues(name, out values)
            ? values.ToString()
            : throw new InvalidOperationException($"{(int)answer.StatusCode} without {name}");

    private async Task PutAsync(string path, string headers, string body)
    {
        using var answer = await server.SendAsync("PUT", path, headers, body);
        Assert.True(answer.StatusCode == System.Net.HttpStatusCode.NoContent, $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(Cancel)}");
    }

    private async Task<string> GetAsync(string path)
    {
        using var answer = await server.SendAsync("GET", path);
        Assert.Equal(200, (int)answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Cancel);
    }
}
