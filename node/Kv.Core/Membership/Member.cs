using System.Collections.Immutable;
using Kv.Core.Rings;

namespace Kv.Core.Membership;

/// <summary>
/// A node as the cluster document knows it. <see cref="Name"/> is for people (a pod's name, `node1`) and unique in the cluster;
/// <see cref="Zone"/> is the failure domain, empty where none is given; <see cref="Endpoints"/> is `host:port` by protocol name
/// (design section 2: riak-pb, riak-http, dynamodb, grpc, peer, admin, metrics), where the node can be reached now.
/// </summary>
public sealed record Member(NodeId Id, string Name, string Zone, MemberState State, ImmutableSortedDictionary<string, string> Endpoints)
{
    /// <summary>Whether its acceptor counts towards the majority that changes the document.</summary>
    public bool HasVote => State is MemberState.Valid or MemberState.Leaving or MemberState.Exiting or MemberState.Down;
}
