namespace Kv.Kubectl.Connections;

/// <summary>Finds the cluster that a command is meant for: what is named, else a local run, else Kubernetes.</summary>
internal static class AccessFinder
{
    private const int GrpcPort = 9080;
    private const int AdminPort = 9082;

    public static async Task<INodeAccess> FindAsync(ConnectionSettings settings, Surroundings surroundings, CancellationToken cancel)
    {
        if (settings.Endpoint is not null || settings.AdminEndpoint is not null)
        {
            return settings.NamesKubernetes
                ? throw CliException.Usage("--endpoint and --admin-endpoint name a node, --cluster, --namespace, --kubeconfig and --kube-context a Kubernetes cluster: give one kind")
                : Named(settings, surroundings);
        }

        var file = settings.NamesKubernetes || surroundings.IsPlugin ? null : EndpointsFile.Find(surroundings.Directory);
        return file is null ? await PodAccess.FindAsync(settings, cancel) : Local(file, settings);
    }

    private static DirectAccess Local(string file, ConnectionSettings settings)
    {
        var nodes = EndpointsFile.Read(file);
        return nodes.Count > 0
            ? new DirectAccess(nodes, $"the endpoints in {file} (does the local run that wrote it still run?)", settings.Security)
            : throw new CliException(ExitCode.Unavailable, $"{file} names no node: the local run has not started one yet, or has ended");
    }

    /// <summary>One node. The port that is not named: of the same node in a local run's file, else the usual one where the other is the usual one.</summary>
    private static DirectAccess Named(ConnectionSettings settings, Surroundings surroundings)
    {
        var known = EndpointsFile.Find(surroundings.Directory) is { } file
            ? EndpointsFile.Read(file).FirstOrDefault(node => node.Grpc == settings.Endpoint || node.Admin == settings.AdminEndpoint)
            : null;
        var grpc = settings.Endpoint ?? known?.Grpc ?? Counterpart(settings.AdminEndpoint, AdminPort, GrpcPort);
        var admin = settings.AdminEndpoint ?? known?.Admin ?? Counterpart(settings.Endpoint, GrpcPort, AdminPort);
        return new DirectAccess([new NodeAddress(known?.Name ?? grpc ?? admin!, grpc, admin)], settings.Endpoint is null ? "--admin-endpoint" : "--endpoint", settings.Security);
    }

    private static string? Counterpart(string? address, int usual, int other) =>
        address is not null && HostAndPort.Port(address) == usual ? HostAndPort.WithPort(address, other) : null;
}
