using Kv.Core.Rings;

namespace Kv.Wire.Peer;

/// <summary>Who this node is in handshakes: its id, and the cluster it is in at the moment (null before it is in one).</summary>
public sealed record PeerIdentity(NodeId Self, Func<Guid?> ClusterId);
