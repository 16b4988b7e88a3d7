namespace Kv.Wire.Riak.Http;

/// <summary>A refusal ready to be sent: status, text and, where it is not plain text, its media type.</summary>
internal sealed record HttpFault(int Status, string Text, string MediaType = "text/plain");
