using System.Globalization;
using System.Net;
using Kv.Wire.Access;
using Kv.Wire.Hooks;

namespace Kv.Node;

/// <summary>The table of a node's settings: what `--help`, the validator and the documentation are made from.</summary>
public static class NodeSettingNames
{
    public static IReadOnlyList<NodeSetting> All { get; } =
    [
        new("name", "NAME", "the host's name", "for people; unique in the cluster; letters, digits, `-`, `.` and `_`, at most 253", (o, t) =>
            IsName(t, 253) ? SettingResult.Ok(o with { Name = t }) : SettingResult.Bad(o, "must be 1 to 253 letters, digits, `-`, `.` or `_`")),
        new("zone", "ZONE", "none", "the failure domain, so that replicas are spread over zones", (o, t) =>
            t.Length == 0 || IsName(t, 63) ? SettingResult.Ok(o with { Zone = t }) : SettingResult.Bad(o, "must be at most 63 letters, digits, `-`, `.` or `_`")),
        new("data", "DIRECTORY", "required", "where everything durable lives; made if absent", (o, t) =>
            t.Trim().Length > 0 ? SettingResult.Ok(o with { DataDirectory = t }) : SettingResult.Bad(o, "must name a directory")),
        new("listen", "ADDRESS", "127.0.0.1", "the address to bind: an IP address, `localhost`, or `0.0.0.0` or `::` for all", (o, t) =>
            t == "localhost" || IPAddress.TryParse(t, out _) ? SettingResult.Ok(o with { ListenHost = t }) : SettingResult.Bad(o, "must be an IP address or `localhost`")),
        new("advertise", "HOST", "the listen address, or the host's name where that is all", "the host under which clients and other nodes reach this node", (o, t) =>
            IsHost(t) ? SettingResult.Ok(o with { AdvertiseHost = t }) : SettingResult.Bad(o, "must be a host name or an IP address, without a port, and not `0.0.0.0` or `::`")),
        new("seeds", "HOST:PORT,...", "none", "peer addresses where members may be found when they are not where the cluster remembers them; at most 512", (o, t) =>
            t.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) is { Length: <= 512 } seeds && seeds.All(IsHostAndPort)
                ? SettingResult.Ok(o with { Cluster = o.Cluster with { Seeds = [.. seeds] } })
                : SettingResult.Bad(o, "must be at most 512 of `host:port`, with commas between")),
        Port("grpc-port", "9080", "native clients (gRPC)", (o, p) => o with { GrpcPort = p }, canBeOff: true),
        Port("peer-port", "9081", "other nodes", (o, p) => o with { PeerPort = p }, canBeOff: false),
        Port("admin-port", "9082", "the operator and the command line (gRPC)", (o, p) => o with { AdminPort = p }, canBeOff: false),
        Port("riak-pb-port", "8087", "Riak Protocol Buffers clients", (o, p) => o with { RiakPbPort = p }, canBeOff: true),
        Port("riak-http-port", "8098", "Riak HTTP clients", (o, p) => o with { RiakHttpPort = p }, canBeOff: true),
        Port("metrics-port", "9464", "`/metrics`, `/livez`, `/readyz`, `/startupz`", (o, p) => o with { MetricsPort = p }, canBeOff: true),
        new("tls-certificate", "FILE", "none", "PEM: the node's certificate, and those between it and its authority; with it every client port takes TLS beside plain connections", (o, t) =>
            IsFile(t) ? SettingResult.Ok(o with { TlsCertificateFile = t }) : SettingResult.Bad(o, NoFile)),
        new("tls-key", "FILE", "none", "PEM: the certificate's private key", (o, t) => IsFile(t) ? SettingResult.Ok(o with { TlsKeyFile = t }) : SettingResult.Bad(o, NoFile)),
        new("tls-client-ca", "FILE", "none", "PEM: the authorities whose certificates clients may show", (o, t) =>
            IsFile(t) ? SettingResult.Ok(o with { TlsClientAuthoritiesFile = t }) : SettingResult.Bad(o, NoFile)),
        new("tls-peer-ca", "FILE", "none", "PEM: the authorities whose certificates nodes show to each other; they issue such to nodes alone", (o, t) =>
            IsFile(t) ? SettingResult.Ok(o with { TlsPeerAuthoritiesFile = t }) : SettingResult.Bad(o, NoFile)),
        new("peer-tls", "off|on|required", "off", "on: other nodes are called by TLS, and may call either way; required: by TLS with certificates alone", (o, t) => t switch
        {
            "off" => SettingResult.Ok(o with { PeerTls = PeerTls.Off }),
            "on" => SettingResult.Ok(o with { PeerTls = PeerTls.On }),
            "required" => SettingResult.Ok(o with { PeerTls = PeerTls.Required }),
            _ => SettingResult.Bad(o, "must be `off`, `on` or `required`"),
        }),
        new("disabled-jobs", "JOB,...", "none", $"what clients are refused whoever they are: {string.Join(", ", JobClassNames.All)}", (o, t) =>
            t.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(JobClassNames.Find).ToList() is var jobs && jobs.All(job => job is not null)
                ? SettingResult.Ok(o with { DisabledJobs = [.. jobs.Select(job => job!.Value)] })
                : SettingResult.Bad(o, $"must be some of {string.Join(", ", JobClassNames.All)}, with commas between")),
        new("memory-limit", "SIZE", "the container's limit, else 2Gi", "bytes the process may use in all, with `Ki`, `Mi` or `Gi`; at least 128Mi", (o, t) =>
            !ByteSize.TryParse(t, out var bytes) ? SettingResult.Bad(o, "must be a number of bytes, such as 1073741824, 512Mi or 2Gi")
            : bytes < 128L << 20 ? SettingResult.Bad(o, "must be at least 128Mi")
            : SettingResult.Ok(o with { MemoryLimitBytes = bytes })),
        Number("stores", "64", "partitions that memory is divided for: what this node owns and stands in for, and it takes no more", 1, 1024, (o, n) => o with { StoresPerNode = n }),
        new("memory-backend", "SIZE", "a 32nd of the memory limit, less or none where requests and stores need it", "bytes for objects of bucket types with `backend: memory`, at 320 bytes each beside key and value; writes beyond are refused; 0 for none", (o, t) =>
            ByteSize.TryParse(t, out var bytes) ? SettingResult.Ok(o with { MemoryBackendBytes = bytes }) : SettingResult.Bad(o, "must be a number of bytes, such as 0, 67108864 or 1Gi")),
        new("hooks", "NAME=URL,...", "none", "HTTP callbacks that the bucket properties precommit and postcommit may name; NAME:ignore=URL where a write goes on when a precommit hook fails; at most 64", (o, t) =>
            HookEndpoint.TryParse(t, out var endpoints, out var problem)
                ? SettingResult.Ok(o with { Hooks = o.Hooks with { Endpoints = endpoints } })
                : SettingResult.Bad(o, problem)),
        Number("hook-timeout-milliseconds", "2000", "for a hook's answer", 1, 60_000, (o, n) => o with { Hooks = o.Hooks with { Timeout = TimeSpan.FromMilliseconds(n) } }),
        Number("hook-calls", "64", "precommit hooks asked at once; writes beyond are refused as overload", 1, 10_000, (o, n) => o with { Hooks = o.Hooks with { MaxCalls = n } }),
        Number("hook-queue", "1000", "writes that a postcommit hook is still to be told of; more are dropped", 1, 1_000_000, (o, n) => o with { Hooks = o.Hooks with { QueueLength = n } }),
        new("hook-max-object", "SIZE", "1Mi", "bytes of values and metadata of an object that hooks are shown; 1Ki to 8Mi", (o, t) =>
            ByteSize.TryParse(t, out var bytes) && bytes is >= 1024 and <= 8L << 20
                ? SettingResult.Ok(o with { Hooks = o.Hooks with { MaxObjectBytes = bytes } })
                : SettingResult.Bad(o, "must be 1Ki to 8Mi")),
        new("log-format", "text|json", "text", "one line per event either way", (o, t) => t switch
        {
            "text" => SettingResult.Ok(o with { JsonLog = false }),
            "json" => SettingResult.Ok(o with { JsonLog = true }),
            _ => SettingResult.Bad(o, "must be `text` or `json`"),
        }),
        new("log-level", "LEVEL", "info", "debug, info, warning or error", (o, t) => t switch
        {
            "debug" => SettingResult.Ok(o with { LogLevel = LogLevel.Debug }),
            "info" => SettingResult.Ok(o with { LogLevel = LogLevel.Information }),
            "warning" => SettingResult.Ok(o with { LogLevel = LogLevel.Warning }),
            "error" => SettingResult.Ok(o with { LogLevel = LogLevel.Error }),
            _ => SettingResult.Bad(o, "must be `debug`, `info`, `warning` or `error`"),
        }),
        Number("stop-timeout-seconds", "25", "how long a clean stop may take", 1, 3600, (o, n) => o with { StopTimeout = TimeSpan.FromSeconds(n) }),
        Number("max-client-connections", "10000", "per front end; more are closed at once", 1, 1_000_000, (o, n) => o with { MaxClientConnections = n }),
        Number("request-timeout-milliseconds", "60000", "for requests that name none", 1, 3_600_000, (o, n) =>
            o with { Cluster = o.Cluster with { RequestTimeout = TimeSpan.FromMilliseconds(n) } }),
        Number("max-concurrent-requests", "50000", "that this node coordinates at once; more are refused", 1, 10_000_000, (o, n) =>
            o with { Cluster = o.Cluster with { MaxConcurrentRequests = n } }),
        new("max-object-size", "SIZE", "50Mi", "larger objects are refused; at most 50Mi", (o, t) =>
            ByteSize.TryParse(t, out var bytes) && bytes is >= 1024 and <= 50L << 20
                ? SettingResult.Ok(o with { Cluster = o.Cluster with { MaxObjectBytes = bytes } })
                : SettingResult.Bad(o, "must be 1Ki to 50Mi")),
        Number("max-siblings", "100", "an object with more is refused", 1, 10_000, (o, n) => o with { Cluster = o.Cluster with { MaxSiblings = n } }),
        Number("handoff-concurrency", "2", "transfers from this node at once, and as many to it", 1, 64, (o, n) =>
            o with { Cluster = o.Cluster with { HandoffConcurrency = n } }),
        new("handoff-rate", "SIZE", "64Mi", "bytes a second of keys and objects that this node hands over, by all transfers together", (o, t) =>
            ByteSize.TryParse(t, out var bytes) && bytes is >= 64 << 10 and <= 64L << 30
                ? SettingResult.Ok(o with { Cluster = o.Cluster with { HandoffBytesPerSecond = bytes } })
                : SettingResult.Bad(o, "must be 64Ki to 64Gi")),
        new("anti-entropy", "on|off", "on", "whether replicas look for differences by themselves", (o, t) => t switch
        {
            "on" => SettingResult.Ok(o with { Cluster = o.Cluster with { AntiEntropy = true } }),
            "off" => SettingResult.Ok(o with { Cluster = o.Cluster with { AntiEntropy = false } }),
            _ => SettingResult.Bad(o, "must be `on` or `off`"),
        }),
        Number("exchange-interval-seconds", "300", "between two comparisons of a pair of replicas", 1, 604_800, (o, n) =>
            o with { Cluster = o.Cluster with { ExchangeInterval = TimeSpan.FromSeconds(n) } }),
        Number("exchange-concurrency", "2", "comparisons that this node asks for at once, and as many that it is asked for", 1, 64, (o, n) =>
            o with { Cluster = o.Cluster with { ExchangeConcurrency = n } }),
        new("exchange-rate", "SIZE", "8Mi", "bytes a second of hashes and keys that comparisons move, and of data that hash trees are built from", (o, t) =>
            ByteSize.TryParse(t, out var bytes) && bytes is >= 64 << 10 and <= 64L << 30
                ? SettingResult.Ok(o with { Cluster = o.Cluster with { ExchangeBytesPerSecond = bytes } })
                : SettingResult.Bad(o, "must be 64Ki to 64Gi")),
        Number("exchange-cpu-percent", "25", "of one processor, the most that comparing replicas and building hash trees may take", 1, 100, (o, n) =>
            o with { Cluster = o.Cluster with { ExchangeWorkShare = n / 100.0 } }),
        Number("tree-max-age-hours", "168", "hash trees that are older are built anew from the data, and data without trees is read as often", 1, 8760, (o, n) =>
            o with { Cluster = o.Cluster with { TreeMaxAge = TimeSpan.FromHours(n) } }),
        Number("peer-down-milliseconds", "3000", "a node not heard of for so long is taken for down", 500, 600_000, (o, n) =>
            o with { Cluster = o.Cluster with { PeerDownAfter = TimeSpan.FromMilliseconds(n) } }),
    ];

    private const string NoFile = "must name a file";

    private static bool IsFile(string text) => text.Trim().Length > 0;

    private static NodeSetting Port(string name, string fallback, string who, Func<NodeOptions, ListenPort, NodeOptions> set, bool canBeOff) =>
        new(name, canBeOff ? "PORT|0|off" : "PORT|0", fallback, $"for {who}; 0 for any that is free", (o, t) =>
            !ListenPort.TryParse(t, out var port) || (port.IsOff && !canBeOff)
                ? SettingResult.Bad(o, canBeOff ? "must be 1 to 65535, 0 for any, or `off`" : "must be 1 to 65535, or 0 for any")
                : SettingResult.Ok(set(o, port)));

    private static NodeSetting Number(string name, string fallback, string help, int least, int most, Func<NodeOptions, int, NodeOptions> set) =>
        new(name, "N", fallback, $"{help}; {least} to {most}", (o, t) =>
            int.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
                ? SettingResult.Ok(set(o, number))
                : SettingResult.Bad(o, $"must be {least} to {most}"));

    private static bool IsName(string text, int longest) =>
        text.Length >= 1 && text.Length <= longest && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_');

    private static bool IsHostAndPort(string text) =>
        text.LastIndexOf(':') is > 0 and var colon && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
        && IsHost(text[..colon].Trim('[', ']'));

    private static bool IsHost(string text) => IPAddress.TryParse(text, out var address)
        ? !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)
        : IsName(text, 253);
}
