namespace Kv.Kubectl.Connections;

/// <summary>What the command line says of the cluster to speak to. Checked already; null where nothing is said.</summary>
internal sealed record ConnectionSettings
{
    public string? Endpoint { get; init; }

    public string? AdminEndpoint { get; init; }

    public string? Kubeconfig { get; init; }

    public string? KubeContext { get; init; }

    public string? Namespace { get; init; }

    public string? Cluster { get; init; }

    /// <summary>Null for data in the open.</summary>
    public DataSecurity? Security { get; init; }

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    public bool NamesKubernetes => Kubeconfig is not null || KubeContext is not null || Namespace is not null || Cluster is not null;
}
