using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http.Exchanges;

/// <summary>
/// The tables beside this file (`*.txt`), a file for each family of Riak's calls: each request goes out over a socket of its own as it is written there, and what comes back is compared to the byte: the status line, all headers with
/// the case of their names, and the body. Only `Date`, `Server` and what says how long the answer is may be left out. To a request are added the `Host`, the `Connection: close` and, with a body, the
/// `Content-Length` that it does not have. `{bucket}` is a bucket of the case's own.
/// </summary>
public sealed class RiakHttpExchangeTests(RiakServer server) : IClassFixture<RiakServer>
{
    private const int LeastCases = 150;

    private static readonly IReadOnlyDictionary<string, IReadOnlyList<ExchangeCase>> Families = ExchangeTable.ReadAll();

    private static int buckets;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Cases =>
        [.. from family in Families from one in family.Value select new TheoryDataRow<string, string>(family.Key, one.Title)];

    [Fact]
    public void Tables_HoldManyCases_EachOnce()
    {
        var titles = Families.SelectMany(family => family.Value.Select(one => (family.Key, one.Title))).ToList();
        Assert.Equal(titles.Distinct(), titles);
        Assert.InRange(titles.Count, LeastCases, int.MaxValue);
        Assert.All(Families.Values.SelectMany(cases => cases), one => Assert.NotEmpty(one.Exchanges));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Request_HasItsAnswer(string family, string title)
    {
        var known = new Dictionary<string, string> { ["bucket"] = "b" + Interlocked.Increment(ref buckets) };
        var one = Families[family].Single(one => one.Title == title);
        foreach (var exchange in one.Exchanges)
        {
            var request = exchange.Sent(known, staysConnected: false);
            var received = ReceivedAnswer.Parse(
                await RawHttp.AskAsync(server.EndPoint, Encoding.Latin1.GetBytes(request), hangsUp: false, Cancel), request.StartsWith("HEAD ", StringComparison.Ordinal));
            var pattern = WireText.Pattern(ReceivedAnswer.Expected(exchange.Answer), known);
            var match = Regex.Match(received.Beside(exchange.Answer), pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(10));
            Assert.True(
                match.Success,
                $"{exchange.Request[0]}\nis answered\n{Written(received)}\nand has to be, by {(one.IsOurChoice ? "our choice in " : "")}{one.Section}\n{string.Join('\n', exchange.Answer)}");
            foreach (var found in match.Groups.Values.Where(group => group.Name != "0"))
            {
                known[found.Name] = found.Value;
            }
        }
    }

    private static string Written(ReceivedAnswer received) =>
        string.Join('\n', [received.Status, .. received.Headers.Select(WireText.Written), "", WireText.Written(received.Body)]);
}
