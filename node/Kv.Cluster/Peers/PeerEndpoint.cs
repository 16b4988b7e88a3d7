namespace Kv.Cluster.Peers;

/// <summary>The protocol name under which a member's endpoints give the address that other nodes reach it by (design section 2).</summary>
public static class PeerEndpoint
{
    public const string Name = "peer";
}
