using Kv.Cluster;
using Kv.Cluster.Membership;
using Kv.Wire.Access;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kv.Wire.Riak.Http;

/// <summary>What the Riak HTTP front end speaks to: the door to the data, administration for properties, and what `/stats` shows.</summary>
public sealed record RiakHttpDoors(KvClient Client, ClusterAdmin Admin, ClusterState State, RiakStatistics Statistics, TimeProvider Time)
{
    public AccessControl Access { get; init; } = new(State, [], NullLogger<AccessControl>.Instance);
}
