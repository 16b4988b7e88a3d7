namespace Kv.Kubectl.Connections;

/// <summary>The two ports of a node that the command line speaks to.</summary>
internal enum NodePort
{
    /// <summary>Data: <c>kv.v1</c>.</summary>
    Grpc,

    /// <summary>Members, plans, bucket types: <c>admin.v1</c>.</summary>
    Admin,
}
