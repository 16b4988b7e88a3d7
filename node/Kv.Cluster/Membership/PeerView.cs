using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>
/// How one member sees another: up or down, for how long, and how long ago it answered last. <paramref name="SinceAnswer"/> is null where it has not
/// answered since the seeing node started: then it is taken for up until its first heartbeat tells.
/// </summary>
public sealed record PeerView(NodeId Node, bool IsUp, TimeSpan InState, TimeSpan? SinceAnswer);
