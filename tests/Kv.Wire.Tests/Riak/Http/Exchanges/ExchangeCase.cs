namespace Kv.Wire.Tests.Riak.Http.Exchanges;

/// <summary>A case of a table: exchanges one after another, in a bucket of their own.</summary>
/// <param name="Section">Of the reference of Riak's behaviour that it follows.</param>
/// <param name="IsOurChoice">The section leaves open what the case holds the server to.</param>
/// <param name="Title">A sentence.</param>
internal sealed record ExchangeCase(string Section, bool IsOurChoice, string Title, IReadOnlyList<Exchange> Exchanges);
