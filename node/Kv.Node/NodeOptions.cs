using System.Collections.Immutable;
using Kv.Cluster;
using Kv.Wire.Access;
using Kv.Wire.Hooks;

namespace Kv.Node;

/// <summary>
/// All settings of a node, checked. Each can be given on the command line (`--peer-port 9081`), in the environment (`KV_PEER_PORT=9081`)
/// or in the file that `--config` names (`peer-port = 9081`, or JSON); the command line wins over the environment and that over the file.
/// The table of names, units, ranges and defaults is <see cref="NodeSettingNames"/>, which `--help` prints.
/// </summary>
public sealed record NodeOptions
{
    /// <summary>For people, unique in the cluster: a pod's name, `node1`.</summary>
    public required string Name { get; init; }

    /// <summary>The failure domain; empty where none is given.</summary>
    public string Zone { get; init; } = "";

    /// <summary>Where everything durable lives. The node writes nowhere else.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The address that sockets are bound to; `0.0.0.0` or `::` for all.</summary>
    public string ListenHost { get; init; } = "127.0.0.1";

    /// <summary>The host under which others reach this node.</summary>
    public string AdvertiseHost { get; init; } = "127.0.0.1";

    public ListenPort GrpcPort { get; init; } = ListenPort.At(9080);

    public ListenPort PeerPort { get; init; } = ListenPort.At(9081);

    public ListenPort AdminPort { get; init; } = ListenPort.At(9082);

    public ListenPort RiakPbPort { get; init; } = ListenPort.At(8087);

    public ListenPort RiakHttpPort { get; init; } = ListenPort.At(8098);

    public ListenPort MetricsPort { get; init; } = ListenPort.At(9464);

    /// <summary>PEM; null where the node serves without TLS.</summary>
    public string? TlsCertificateFile { get; init; }

    public string? TlsKeyFile { get; init; }

    /// <summary>PEM; null where clients may show no certificates.</summary>
    public string? TlsClientAuthoritiesFile { get; init; }

    /// <summary>PEM; null where nodes have no certificates.</summary>
    public string? TlsPeerAuthoritiesFile { get; init; }

    public PeerTls PeerTls { get; init; }

    /// <summary>What this node does for no client.</summary>
    public ImmutableHashSet<JobClass> DisabledJobs { get; init; } = [];

    /// <summary>Bytes this process may use in all; null for the container's limit, else what the machine has.</summary>
    public long? MemoryLimitBytes { get; init; }

    /// <summary>Partitions that a node's memory is divided for.</summary>
    public int StoresPerNode { get; init; } = 64;

    /// <summary>Bytes that objects of bucket types with `backend: memory` may take on this node, with what they cost beside their values; null for a 32nd of the limit, as far as requests and stores leave it.</summary>
    public long? MemoryBackendBytes { get; init; }

    /// <summary>The commit hooks that buckets may name.</summary>
    public HookOptions Hooks { get; init; } = new();

    public bool JsonLog { get; init; }

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>How long a stop may take before the process ends regardless.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>Client connections at once, per front end.</summary>
    public int MaxClientConnections { get; init; } = 10_000;

    public ClusterOptions Cluster { get; init; } = new();
}
