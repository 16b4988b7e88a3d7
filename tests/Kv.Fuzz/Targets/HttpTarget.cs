using System.Text;
using Kv.Fuzz.Doors;
using Kv.Fuzz.Running;
using Kv.Wire.Tests.Riak.Http.Exchanges;

namespace Kv.Fuzz.Targets;

/// <summary>The bytes of a connection of Riak's HTTP: the requests of the tables that its answers are held to.</summary>
internal sealed class HttpTarget : RiakTarget
{
    public override string Name => "http";

    public override int MostBytes => 8192;

    public override IReadOnlyList<string> Words =>
    [
        "GET ", "PUT ", "POST ", "DELETE ", "HEAD ", " HTTP/1.1\r\n", "\r\n\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n", "Content-Type: application/json\r\n", "X-Riak-Vclock: ", "X-Riak-Index-age_int: ", "X-Riak-Meta-", "Link: <",
        "If-None-Match: *\r\n", "Accept: multipart/mixed\r\n", "Accept-Encoding: gzip\r\n", "Content-Encoding: gzip\r\n", "/types/siblings", "/types/ordered", "/types/maps", "/types/sets", "/buckets/b", "/keys/k", "/index/age_int/1/20",
        "/datatypes/k", "/counters/k", "?returnbody=true", "&timeout=1", "&vtag=", "keys=stream", "buckets=true", "chunked=true", "/_,_,1", "%00", "\\ud800",
    ];

    public override IEnumerable<byte[]> Seeds => Cases();

    protected override async Task TakeAsync(RiakNode riak, byte[] input)
    {
        var answer = Encoding.Latin1.GetString(await riak.AskHttpAsync(input));
        FuzzFailure.Unless(answer.Length == 0 || answer.StartsWith("HTTP/1.1 ", StringComparison.Ordinal), $"an answer is none: {answer}");
    }

    /// <summary>The requests of each case, one after another, as they go out.</summary>
    private static IEnumerable<byte[]> Cases()
    {
        var known = new Dictionary<string, string> { ["bucket"] = "b" };
        return ExchangeTable.ReadAll().Values.SelectMany(family => family)
            .Select(one => Encoding.Latin1.GetBytes(string.Concat(one.Exchanges.Select(exchange => exchange.Sent(known, staysConnected: true)))));
    }
}
