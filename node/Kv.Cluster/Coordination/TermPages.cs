using Kv.Core.MapReduce;

namespace Kv.Cluster.Coordination;

/// <summary>Terms in their order, in pages of so many terms and so many bytes at most; one term may have more, and is alone then. An answer's message has a page.</summary>
internal static class TermPages
{
    public static IEnumerable<IReadOnlyList<Term>> Of(IReadOnlyList<Term> terms, int mostTerms, long mostBytes)
    {
        var page = new List<Term>();
        var bytes = 0L;
        foreach (var term in terms)
        {
            if (page.Count == mostTerms || (page.Count > 0 && bytes + term.HeldBytes > mostBytes))
            {
                yield return page;
                (page, bytes) = ([], 0);
            }

            page.Add(term);
            bytes += term.HeldBytes;
        }

        if (page.Count > 0)
        {
            yield return page;
        }
    }
}
