namespace Kv.Cluster.Peers;

/// <summary>Which of a peer's two streams a message takes.</summary>
public enum PeerLane
{
    Request = 0,
    Bulk = 1,
}
