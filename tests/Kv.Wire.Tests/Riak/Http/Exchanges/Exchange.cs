namespace Kv.Wire.Tests.Riak.Http.Exchanges;

/// <summary>One request and its answer, as they stand in a table.</summary>
/// <param name="Request">Its lines; of a request that is <paramref name="IsVerbatim"/>, its bytes with the escapes of <see cref="WireText"/>.</param>
/// <param name="IsVerbatim">Goes out as it stands: no line ends and no headers are added.</param>
/// <param name="Answer">The lines of what has to come back.</param>
internal sealed record Exchange(IReadOnlyList<string> Request, bool IsVerbatim, IReadOnlyList<string> Answer);
