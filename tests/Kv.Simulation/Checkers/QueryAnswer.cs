using System.Globalization;
using System.Text;
using Kv.Cluster;
using Kv.Core.Indexes;
using Kv.Core.Objects;
using Kv.Simulation.Plans;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>What a node says to a query, and what there is to say: terms and keys (of keys alone, each as its own term). With an error, what came before it.</summary>
internal sealed record QueryAnswer(IReadOnlyList<(string Term, string Key)> Matches, KvError? Error)
{
    /// <summary>Null where the node dies.</summary>
    public static Task<QueryAnswer?> AskAsync(SimNode node, BucketName bucket, QueryKind kind, int? pageSize) => node.InAsync(async () =>
    {
        var (client, found) = (node.Node.Client, new List<(string, string)>());
        try
        {
            await (kind == QueryKind.Listing ? ListAsync(client, bucket, found) : QueryAsync(client, IndexQueryOf(bucket, kind) with { MaxResults = pageSize }, found));
            return new QueryAnswer(found, null);
        }
        catch (ListingFailedException failure)
        {
            return new QueryAnswer(found, failure.Error);
        }
    });

    /// <summary>What a query gives where a key that is there shows these writes, in the order of the answer. A set may be there and show none.</summary>
    public static IEnumerable<(string Term, string Key)> Expected(QueryKind kind, IEnumerable<(string Key, bool IsThere, IEnumerable<string> Writes)> shown) => kind switch
    {
        QueryKind.Number => Terms(shown, IndexTerms.Number, term => term == "1"),
        QueryKind.Numbers => Terms(shown, IndexTerms.Number, term => term is "-1" or "0" or "1"),
        QueryKind.Letters => Terms(shown, IndexTerms.Letter, term => term is "b" or "c"),
        QueryKind.Keys => Keys(shown).Where(key => string.CompareOrdinal(key.Key, "k1") >= 0 && string.CompareOrdinal(key.Key, "k3") <= 0),
        _ => Keys(shown),
    };

    /// <summary>Whether one comes after the other in the order of the answer; listings have none.</summary>
    public static bool IsBefore(QueryKind kind, (string Term, string Key) one, (string Term, string Key) other) => kind switch
    {
        QueryKind.Listing => true,
        QueryKind.Number or QueryKind.Numbers => (NumberOf(one), one.Key).CompareTo((NumberOf(other), other.Key)) < 0,
        _ => string.CompareOrdinal($"{one.Term} {one.Key}", $"{other.Term} {other.Key}") < 0,
    };

    private static int NumberOf((string Term, string Key) match) => int.Parse(match.Term, CultureInfo.InvariantCulture);

    private static IEnumerable<(string Term, string Key)> Keys(IEnumerable<(string Key, bool IsThere, IEnumerable<string> Writes)> shown) =>
        shown.Where(held => held.IsThere).Select(held => (Term: held.Key, held.Key)).OrderBy(match => match.Term, StringComparer.Ordinal);

    private static IEnumerable<(string Term, string Key)> Terms(IEnumerable<(string Key, bool IsThere, IEnumerable<string> Writes)> shown, string field, Func<string, bool> isWanted) => shown
        .SelectMany(held => held.Writes.SelectMany(write => IndexTerms.Of(write)).Where(entry => entry.Key == field && isWanted(entry.Value)).Select(entry => (Term: entry.Value, held.Key)))
        .Distinct().OrderBy(match => field == IndexTerms.Number ? NumberOf(match) : match.Term[0]).ThenBy(match => match.Key, StringComparer.Ordinal);

    private static IndexQuery IndexQueryOf(BucketName bucket, QueryKind kind) => kind switch
    {
        QueryKind.Number => new IndexQuery(bucket, IndexTerms.Number, "1", null),
        QueryKind.Numbers => new IndexQuery(bucket, IndexTerms.Number, "-1", "1"),
        QueryKind.Letters => new IndexQuery(bucket, IndexTerms.Letter, "b", "c"),
        QueryKind.Keys => new IndexQuery(bucket, IndexQuery.KeyField, "k1", "k3"),
        _ => new IndexQuery(bucket, IndexQuery.BucketField, "", null),
    };

    private static async Task ListAsync(KvClient client, BucketName bucket, List<(string, string)> found)
    {
        await foreach (var page in client.ListKeysAsync(bucket, null, CancellationToken.None))
        {
            found.AddRange(page.Select(key => Encoding.UTF8.GetString(key.Span)).Select(key => (key, key)));
        }
    }

    private static async Task QueryAsync(KvClient client, IndexQuery query, List<(string, string)> found)
    {
        for (IndexQuery? next = query; next is not null;)
        {
            string? continuation = null;
            await foreach (var page in client.QueryIndexAsync(next, CancellationToken.None))
            {
                found.AddRange(page.Matches.Select(match => (match.Term, Encoding.UTF8.GetString(match.Key.Span))));
                continuation = page.Continuation;
            }

            next = continuation is null ? null : query with { Continuation = continuation };
        }
    }
}
