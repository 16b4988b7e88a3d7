using Kv.Cluster;
using Kv.Cluster.Membership;

namespace Kv.Wire.Riak.Pb;

/// <summary>What the Riak Protocol Buffers front end speaks to: the door to the data, administration for properties, and the ring.</summary>
public sealed record RiakPbDoors(KvClient Client, ClusterAdmin Admin, ClusterState State, string NodeName);
