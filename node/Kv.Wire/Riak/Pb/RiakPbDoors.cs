using Kv.Cluster;
using Kv.Cluster.Membership;
using Kv.Wire.Access;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kv.Wire.Riak.Pb;

/// <summary>What the Riak Protocol Buffers front end speaks to: the door to the data, administration for properties, and the ring.</summary>
public sealed record RiakPbDoors(KvClient Client, ClusterAdmin Admin, ClusterState State, string NodeName)
{
    public AccessControl Access { get; init; } = new(State, [], NullLogger<AccessControl>.Instance);

    /// <summary>Null where the node has no certificate: clients that have to show who they are cannot.</summary>
    public NodeTls? Tls { get; init; }
}
