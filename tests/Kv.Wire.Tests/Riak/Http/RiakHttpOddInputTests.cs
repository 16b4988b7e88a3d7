using System.Text;
using CsCheck;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>Whatever comes over the socket gets a whole answer that is no server's fault, shows nothing of its inside, and leaves the server well.</summary>
public sealed class RiakHttpOddInputTests(RiakServer server) : IClassFixture<RiakServer>
{
    private static readonly Gen<string> Segment = Gen.Frequency(
        (4, OneOf("buckets", "keys", "props", "types", "riak", "default", "siblings", "seed", "plain", "two", "ping", "stats")),
        (2, OneOf("", ".", "..", "%", "%2", "%zz", "%00", "%2F", "%FF", "%25", "a%20b", "+", ";", "*", "~", "\\", "\"", "<>", "[", "%u1234")),
        (1, Gen.String[Gen.Char['!', '~'], 0, 12]));

    private static readonly Gen<string> Query = OneOf(
        "", "?", "?r", "?r=%", "?r=%ff", "?keys=stream", "?buckets=true", "?timeout=1&timeout=x", "?vtag=%00", "?returnbody=true", "?&&&=", "?w=4294967295", "?asis=true", "?keys=true&timeout=0");

    private static readonly Gen<string> Header = Gen.OneOf(
        OneOf(
            "Content-Type: text/plain", "Content-Type: application/json", "Content-Type: ;;;", "Content-Type: charset=", "Content-Type: a/b; charset=\"",
            "Link: <", "Link: <>; riaktag", "Link: </riak/a/b>; riaktag=\"", "Link: ,,,", "Accept: ;q=,", "Accept: */", "Accept: multipart/mixed;q=9", "Accept: q=;",
            "X-Riak-Vclock: AQ==", "X-Riak-Vclock: AQAAAAAA", "X-Riak-Index-_int: ", "X-Riak-Index-a_int: 1, ", "X-Riak-Index-: x", "X-Riak-Meta-: x", "X-Riak-Meta-a: \t",
            "If-Match: ,", "If-Match: \"", "If-None-Match: W/", "If-None-Match: *", "If-Modified-Since: 0", "If-Unmodified-Since: Sat, 99 Foo 0000", "Expect: 100-continue",
            "X-Riak-If-Not-Modified: AAAA", "Content-Encoding: \u00e4", "Range: bytes=0-1"),
        from name in OneOf("Content-Type", "Link", "Accept", "X-Riak-Vclock", "X-Riak-Meta-x", "X-Riak-Index-x_bin", "If-Match")
        from value in Gen.String[Gen.Char[' ', '~'], 0, 40]
        select $"{name}: {value}");

    private static readonly Gen<string> Request =
        from method in OneOf("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "TRACE", "get", "FOO")
        from segments in Segment.Array[0, 7]
        from query in Query
        from headers in Header.Array[0, 4]
        from body in OneOf("", "x", "{\"props\":{}}", "{\"props\":{\"n_val\":{}}}", "{\"props\":", "[[[[", "\u00ff\u00fe")
        select $"{method} /{string.Join('/', segments)}{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {body.Length}\r\n"
            + $"{string.Concat(headers.Select(header => header + "\r\n"))}\r\n{body}";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OddRequest_IsAnsweredWithoutServerError()
    {
        await Request.SampleAsync(
            async request =>
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
                patience.CancelAfter(TimeSpan.FromSeconds(20));
                var answer = await RawHttp.AskAsync(server.EndPoint, request, hangsUp: false, patience.Token);
                Assert.Matches("^HTTP/1.1 [234]", answer);
                Assert.DoesNotContain("   at ", answer, StringComparison.Ordinal);
                Assert.DoesNotContain("Exception", answer, StringComparison.Ordinal);
            },
            iter: 600,
            threads: 4);
        await IsWellAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("\r\n\r\n")]
    [InlineData("GET\r\n\r\n")]
    [InlineData("GET / HTTP/9.9\r\n\r\n")]
    [InlineData("GET buckets HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("GET /buckets/b/keys/\u0001 HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("GET /ping HTTP/1.1\r\n\r\n")]
    [InlineData("PUT /buckets/b/keys/k HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("PUT /buckets/b/keys/k HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 99999999999999999999\r\n\r\n")]
    [InlineData("PUT /buckets/b/keys/k HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 1\r\nTransfer-Encoding: gzip\r\n\r\n")]
    [InlineData("GET /buckets/b/keys/k HTTP/1.1\r\nHost: x\r\nX-Riak-Meta-a: \u0000\r\n\r\n")]
    [InlineData("GET /buckets/b/keys/k HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n")]
    public async Task MalformedHttp_IsRefusedOrHungUpOn(string request)
    {
        var answer = await RawHttp.AskAsync(server.EndPoint, request, hangsUp: true, Cancel);
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 4", StringComparison.Ordinal) || answer.StartsWith("HTTP/1.1 505", StringComparison.Ordinal), answer);
        await IsWellAsync();
    }

    [Fact]
    public async Task AbsoluteTarget_IsRead()
    {
        var answer = await RawHttp.AskAsync(server.EndPoint, "GET http://x/ping?a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", hangsUp: false, Cancel);
        Assert.EndsWith("\r\n\r\nOK", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TooManyHeaderBytes_AreRefused()
    {
        var answer = await RawHttp.AskAsync(
            server.EndPoint, Encoding.ASCII.GetBytes($"GET /ping HTTP/1.1\r\nHost: x\r\nX-Riak-Meta-a: {new string('x', 300_000)}\r\n\r\n"), hangsUp: false, Cancel);
        Assert.StartsWith("HTTP/1.1 431", answer, StringComparison.Ordinal);
    }

    private static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(at => values[at]);

    private async Task IsWellAsync()
    {
        using var answer = await server.SendAsync("GET", "/ping");
        Assert.Equal("OK", await answer.Content.ReadAsStringAsync(Cancel));
    }
}
