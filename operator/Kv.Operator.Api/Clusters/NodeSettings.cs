namespace Kv.Operator.Api.Clusters;

/// <summary>The names of a node's settings. Nothing of a node is known here, so they are written twice: a test compares them with the node's own table.</summary>
public static class NodeSettings
{
    /// <summary>For how many partitions a node divides its memory.</summary>
    public const string Stores = "stores";

    /// <summary>Where <see cref="Stores"/> is not given.</summary>
    public const int DefaultStores = 64;

    /// <summary>Those that <c>spec.config</c> may give.</summary>
    public static IReadOnlyList<string> OfASpec { get; } =
    [
        "tls-certificate", "tls-key", "tls-client-ca", "tls-peer-ca", "peer-tls", "disabled-jobs", Stores, "memory-backend",
        "hooks", "hook-timeout-milliseconds", "hook-calls", "hook-queue", "hook-max-object", "log-format", "log-level",
        "stop-timeout-seconds", "max-client-connections", "request-timeout-milliseconds", "max-concurrent-requests", "max-object-size", "max-siblings",
        "handoff-concurrency", "handoff-rate", "anti-entropy", "exchange-interval-seconds", "exchange-concurrency", "exchange-rate", "exchange-cpu-percent",
        "tree-max-age-hours", "peer-down-milliseconds",
    ];

    /// <summary>Those that the operator gives each node itself.</summary>
    public static IReadOnlyList<string> OfTheOperator { get; } =
    [
        "name", "zone", "data", "listen", "advertise", "seeds", "grpc-port", "peer-port", "admin-port", "riak-pb-port", "riak-http-port", "metrics-port",
        "memory-limit", "config",
    ];
}
