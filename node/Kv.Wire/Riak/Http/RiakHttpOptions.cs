namespace Kv.Wire.Riak.Http;

/// <summary>Limits of the Riak HTTP front end.</summary>
public sealed record RiakHttpOptions
{
    /// <summary>Bytes beyond the largest value that the gathered results of a MapReduce job may have.</summary>
    public const int AnswerOverheadBytes = 1024 * 1024;

    /// <summary>Bytes; a longer value is refused with 413 before it is read, or as soon as it shows. Riak's object.size.maximum.</summary>
    public long MaxObjectBytes { get; init; } = 50 * 1024 * 1024;

    /// <summary>How long a body or an answer may take beside the time of its bytes: a client that sends or takes less than the least rate for so long is cut off.</summary>
    public TimeSpan StallTimeout { get; init; } = TransferLimit.StandardRest;

    /// <summary>That rate.</summary>
    public int LeastBytesPerSecond { get; init; } = TransferLimit.StandardBytesPerSecond;

    /// <summary>Bytes of a `props` body.</summary>
    public int MaxPropsBytes { get; init; } = 64 * 1024;

    /// <summary>Bytes of a request line: room for a key of 64 KiB whose every byte is percent-encoded.</summary>
    public int MaxRequestLineBytes { get; init; } = 256 * 1024;

    /// <summary>Bytes of all headers of a request: causal contexts, links and indexes can be long.</summary>
    public int MaxHeaderBytes { get; init; } = 256 * 1024;

    /// <summary>Headers of a request.</summary>
    public int MaxHeaders { get; init; } = 1000;

    /// <summary>Bytes of a listing that are gathered before the answer begins: up to there, a failure still gets its own status.</summary>
    public int ListingHoldBytes { get; init; } = 256 * 1024;

    /// <summary>Link walks under way at once; each may hold <see cref="MaxObjectBytes"/>. One more is refused with 503.</summary>
    public int MaxWalks { get; init; } = 8;

    /// <summary>Answers that are gzipped at once; each holds about a quarter of a MiB that no heap counts. Past that they go as they are.</summary>
    public int MaxPacked { get; init; } = 64;
}
