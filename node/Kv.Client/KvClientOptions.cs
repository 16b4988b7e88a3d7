using System.Net.Security;

namespace Kv.Client;

/// <summary>Settings of a <see cref="KvClusterClient"/>, fixed when it connects.</summary>
public sealed record KvClientOptions
{
    /// <summary>`host:port` of the native port (`grpc`) of some nodes; one that answers is enough, the others are learned from it.</summary>
    public required IReadOnlyList<string> Seeds { get; init; }

    /// <summary>For operations that name no timeout of their own. Default 10 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Operations under way at one node; further ones wait for their turn within their timeout. Default 1024, range 1 to 65536.</summary>
    public int MaxInFlightPerNode { get; init; } = 1024;

    /// <summary>Nodes asked for one operation before its failure is reported. Default 3, range 1 to 16.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>
    /// Whether a put or delete may be sent again when its fate is unknown (the connection broke, some replicas did not answer). A put that did take effect
    /// then takes effect twice, which with siblings allowed can make one that equals another. Default false: the caller is told. Never sent again are an update of a data type, which would
    /// count twice, and a put for which the server makes the key, which would make two.
    /// </summary>
    public bool RetryIndeterminateWrites { get; init; }

    /// <summary>TLS to the nodes, with the certificates that are trusted and the client's own; null for connections in the open.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>Sent over TLS alone. A client certificate in <see cref="Tls"/> may do without.</summary>
    public KvCredentials? Credentials { get; init; }

    /// <summary>The clock for timeouts; tests hand in their own.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal void Validate()
    {
        var problems = new List<string>();
        if (Seeds.Count == 0 || Seeds.Any(string.IsNullOrWhiteSpace))
        {
            problems.Add("Seeds: at least one host:port, none empty");
        }

        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromDays(1))
        {
            problems.Add($"Timeout: more than zero and at most a day, not {Timeout}");
        }

        if (MaxInFlightPerNode is < 1 or > 65536)
        {
            problems.Add($"MaxInFlightPerNode: 1 to 65536, not {MaxInFlightPerNode}");
        }

        if (MaxAttempts is < 1 or > 16)
        {
            problems.Add($"MaxAttempts: 1 to 16, not {MaxAttempts}");
        }

        if (Credentials is not null && Tls is null)
        {
            problems.Add("Credentials: they are sent over TLS alone, and Tls is not set");
        }

        if (problems.Count > 0)
        {
            throw new ArgumentException(string.Join("; ", problems));
        }
    }
}
