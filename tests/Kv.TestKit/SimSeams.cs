using Kv.Cluster;
using Kv.Cluster.Peers;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.TestKit;

/// <summary>What stands between simulated nodes and the ports that they meet the world through: nothing, unless a test puts something there.</summary>
public class SimSeams
{
    /// <summary>The limits that the node goes by: those of its cluster.</summary>
    public virtual ClusterOptions Options(ClusterOptions real) => real;

    public virtual IPeerTransport Transport(SimNode node, SimContext context, IPeerTransport real) => real;

    public virtual IPeerHandler Handler(SimNode node, SimContext context, IPeerHandler real) => real;

    public virtual IPartitionStores Stores(SimNode node, SimContext context, IPartitionStores real) => real;

    public virtual INodeState State(SimNode node, SimContext context, INodeState real) => real;

    /// <summary>Under which id a node comes back that lost its volume: a new one.</summary>
    public virtual NodeId IdAfterLoss(SimNode node, NodeId fresh) => fresh;

    /// <summary>Between clients and the node's door.</summary>
    public virtual ValueTask<KvOutcome> Ask(SimNode node, KvRequest request, Func<KvRequest, ValueTask<KvOutcome>> real) => real(request);
}
