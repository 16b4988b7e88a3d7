using Grpc.Core;

namespace Kv.Kubectl.Connections;

/// <summary>The way to a cluster's nodes: over the network, or through a Kubernetes API server.</summary>
internal interface INodeAccess : IDisposable
{
    /// <summary>Who can be asked, in the order to try them. Never empty.</summary>
    IReadOnlyList<NodeAddress> Nodes { get; }

    /// <summary>Where the nodes were found, for the text of an error: <c>the endpoints in …</c>.</summary>
    string Origin { get; }

    /// <summary>Whether nobody on the way can read what is said to a node.</summary>
    bool IsPrivate { get; }

    /// <summary>A way to a port of a node; kept for later calls. Nothing is connected before the first call.</summary>
    CallInvoker Open(NodeAddress node, NodePort port);

    /// <summary>The node of this name, with the address that it is known by in the cluster, if it can be reached by this access.</summary>
    NodeAddress? Find(string name, string? adminAddress);
}
