namespace Kv.Core.Indexes;

/// <summary>Results of a query, in order. Of a paged query, what to send for the next page comes with the last ones; null where the query is at its end.</summary>
public sealed record IndexPage(IReadOnlyList<IndexMatch> Matches, string? Continuation);
