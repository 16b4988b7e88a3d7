namespace Kv.Kubectl.Connections;

/// <summary>A node and where its ports are, <c>host:port</c>; null for a port that is not known. On Kubernetes the host is the pod's name.</summary>
internal sealed record NodeAddress(string Name, string? Grpc, string? Admin)
{
    public string? Of(NodePort port) => port == NodePort.Grpc ? Grpc : Admin;
}
