using Grpc.Core;

namespace Kv.Kubectl.Connections;

/// <summary>Nodes at addresses that can be connected to from here.</summary>
internal sealed class DirectAccess(IReadOnlyList<NodeAddress> nodes, string origin, DataSecurity? security) : INodeAccess
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);
    private readonly ChannelCache channels = new(() => new SocketsHttpHandler { UseProxy = false, ConnectTimeout = ConnectTimeout }, security, checksNames: true);

    public IReadOnlyList<NodeAddress> Nodes { get; } = nodes;

    public string Origin { get; } = origin;

    public bool IsPrivate => security is not null || Nodes.All(node => node.Admin is null || HostAndPort.IsLoopback(node.Admin));

    public CallInvoker Open(NodeAddress node, NodePort port) =>
        channels.Get(node.Of(port) ?? throw new CliException(ExitCode.Failed, $"the {port} address of {node.Name} is not known"), port);

    public NodeAddress? Find(string name, string? adminAddress) =>
        Nodes.FirstOrDefault(node => node.Name == name && node.Admin is not null)
        ?? (adminAddress is null ? null : new NodeAddress(name, null, adminAddress));

    public void Dispose() => channels.Dispose();
}
