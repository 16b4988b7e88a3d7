using Grpc.Core;
using k8s;
using k8s.Autorest;
using k8s.Exceptions;
using k8s.Models;

namespace Kv.Kubectl.Connections;

/// <summary>
/// The pods of a Cluster, each reached by a port-forward through the API server, so that it works from wherever kubectl does. A connection is a
/// WebSocket of its own; no port is opened on this machine.
/// </summary>
internal sealed class PodAccess : INodeAccess
{
    private const string ClusterLabel = "kv.dev/cluster";
    private const int MaxPods = 500;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    private readonly Kubernetes client;
    private readonly string kubeNamespace;
    private readonly ChannelCache channels;

    private PodAccess(Kubernetes client, string kubeNamespace, string cluster, IReadOnlyList<NodeAddress> nodes, DataSecurity? security)
    {
        this.client = client;
        this.kubeNamespace = kubeNamespace;
        Nodes = nodes;
        Origin = $"the pods of Cluster {cluster} in namespace {kubeNamespace}";
        channels = new ChannelCache(() => new SocketsHttpHandler { UseProxy = false, ConnectTimeout = ConnectTimeout, ConnectCallback = ConnectAsync }, security, checksNames: false);
    }

    public IReadOnlyList<NodeAddress> Nodes { get; }

    public string Origin { get; }

    /// <summary>A port-forward goes by the API server, and by TLS.</summary>
    public bool IsPrivate => true;

    public static async Task<PodAccess> FindAsync(ConnectionSettings settings, CancellationToken cancel)
    {
        var (configuration, kubeNamespace) = Configure(settings);
        var client = new Kubernetes(configuration);
        try
        {
            var pods = await PodsAsync(client, kubeNamespace, settings, cancel);
            var cluster = ClusterOf(pods, kubeNamespace, settings.Cluster);
            var nodes = pods.Where(pod => pod.GetLabel(ClusterLabel) == cluster && pod.Status?.Phase == "Running" && pod.Metadata.DeletionTimestamp is null)
                .OrderByDescending(IsReady).ThenBy(pod => pod.Name(), StringComparer.Ordinal).Select(AddressOf).ToList();
            return nodes.Count > 0
                ? new PodAccess(client, kubeNamespace, cluster, nodes, settings.Security)
                : throw new CliException(ExitCode.Unavailable, $"no pod of Cluster {cluster} in namespace {kubeNamespace} runs");
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public CallInvoker Open(NodeAddress node, NodePort port) => channels.Get(node.Of(port)!, port);

    /// <summary>Its address in the cluster is of no use from here: a member is the pod of its name.</summary>
    public NodeAddress? Find(string name, string? adminAddress) => Nodes.FirstOrDefault(node => node.Name == name);

    public void Dispose()
    {
        channels.Dispose();
        client.Dispose();
    }

    private static (KubernetesClientConfiguration Configuration, string Namespace) Configure(ConnectionSettings settings)
    {
        try
        {
            var isInPod = settings.Kubeconfig is null && settings.KubeContext is null && Environment.GetEnvironmentVariable("KUBECONFIG") is null
                && !File.Exists(KubernetesClientConfiguration.KubeConfigDefaultLocation) && KubernetesClientConfiguration.IsInCluster();
            var configuration = isInPod
                ? KubernetesClientConfiguration.InClusterConfig()
                : KubernetesClientConfiguration.BuildConfigFromConfigFile(KubeconfigFile(settings), settings.KubeContext);
            return (configuration, settings.Namespace ?? (string.IsNullOrEmpty(configuration.Namespace) ? "default" : configuration.Namespace));
        }
        catch (Exception e) when (e is KubeConfigException or KubernetesClientException or IOException or UnauthorizedAccessException or YamlDotNet.Core.YamlException or ArgumentException)
        {
            var hint = settings.NamesKubernetes ? "" : "; nor is there a local run (.kv/endpoints) in this directory or above it. Name a node with --endpoint";
            throw new CliException(settings.NamesKubernetes ? ExitCode.Failed : ExitCode.Unavailable, $"no kubeconfig to use: {e.Message.TrimEnd('.')}{hint}", e);
        }
    }

    /// <summary>The file that is named; else the first of $KUBECONFIG that exists, or its first, which the error then names; else the one at home.</summary>
    private static FileInfo KubeconfigFile(ConnectionSettings settings)
    {
        var listed = (Environment.GetEnvironmentVariable("KUBECONFIG") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return new FileInfo(settings.Kubeconfig ?? listed.FirstOrDefault(File.Exists) ?? listed.FirstOrDefault() ?? KubernetesClientConfiguration.KubeConfigDefaultLocation);
    }

    private static async Task<IReadOnlyList<V1Pod>> PodsAsync(Kubernetes client, string kubeNamespace, ConnectionSettings settings, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(settings.Timeout);
        try
        {
            var selector = settings.Cluster is { } name ? $"{ClusterLabel}={name}" : ClusterLabel;
            return [.. (await client.CoreV1.ListNamespacedPodAsync(kubeNamespace, labelSelector: selector, limit: MaxPods, cancellationToken: limit.Token)).Items];
        }
        catch (HttpOperationException e)
        {
            var code = (int)e.Response.StatusCode is >= 500 or 429 ? ExitCode.Unavailable : ExitCode.Failed;
            throw new CliException(code, $"the API server refused to list pods in namespace {kubeNamespace}: {PortForward.MessageOf(e.Response.Content) ?? e.Response.ReasonPhrase}", e);
        }
        catch (HttpRequestException e)
        {
            throw new CliException(ExitCode.Unavailable, $"the API server {client.BaseUri.Authority} cannot be reached: {e.GetBaseException().Message}", e);
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new CliException(ExitCode.Unavailable, $"the API server {client.BaseUri.Authority} did not answer within {settings.Timeout.TotalSeconds} s", e);
        }
    }

    private static string ClusterOf(IReadOnlyList<V1Pod> pods, string kubeNamespace, string? named)
    {
        var found = pods.Select(pod => pod.GetLabel(ClusterLabel)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        return found switch
        {
            [] => throw new CliException(ExitCode.NotFound, named is null
                ? $"there is no Cluster with pods in namespace {kubeNamespace}; name another with --namespace, or a node with --endpoint"
                : $"there is no Cluster {named} with pods in namespace {kubeNamespace}"),
            [var only] => only,
            _ => throw CliException.Usage($"there are several Clusters in namespace {kubeNamespace}: name one with --cluster: {string.Join(", ", found)}"),
        };
    }

    private static bool IsReady(V1Pod pod) => pod.Status?.Conditions?.Any(condition => condition is { Type: "Ready", Status: "True" }) ?? false;

    private static NodeAddress AddressOf(V1Pod pod)
    {
        string Address(string name, int usual) =>
            $"{pod.Name()}:{pod.Spec.Containers.SelectMany(one => one.Ports ?? []).FirstOrDefault(port => port.Name == name)?.ContainerPort ?? usual}";
        return new NodeAddress(pod.Name(), Address("grpc", 9080), Address("admin", 9082));
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel) =>
        await PortForward.OpenAsync(client, kubeNamespace, context.DnsEndPoint.Host, context.DnsEndPoint.Port, cancel);
}
