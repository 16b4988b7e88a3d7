using Kv.Core.Membership;
using Kv.Core.Rings;

namespace Kv.Cluster.Peers;

/// <summary>The protocol name under which a member's endpoints give the address that other nodes reach it by (design section 2).</summary>
public static class PeerEndpoint
{
    public const string Name = "peer";

    /// <summary>
    /// Where <paramref name="self"/> reaches the other members. One that the document has at the node's own address is not there: it was here before this node,
    /// whose volume is a new one.
    /// </summary>
    public static Dictionary<NodeId, string> OthersOf(ClusterDocument document, Member self)
    {
        var own = self.Endpoints.GetValueOrDefault(Name);
        return document.Members
            .Where(m => m.Id != self.Id && m.Endpoints.TryGetValue(Name, out var address) && address != own)
            .ToDictionary(m => m.Id, m => m.Endpoints[Name]);
    }
}
