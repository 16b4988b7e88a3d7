using Kv.Cluster.Peers;

namespace Kv.Wire.Peer;

/// <summary>
/// One message of a frame, its body not yet read. <paramref name="DeadlineMilliseconds"/> is the time a request has left (0 in replies);
/// <paramref name="Body"/> belongs to the message alone.
/// </summary>
public readonly record struct PeerEnvelope(ulong Id, byte Code, uint DeadlineMilliseconds, long DocumentVersion, Fence Fence, ReadOnlyMemory<byte> Body);
