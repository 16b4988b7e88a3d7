using Kv.Core.Rings;

namespace Kv.Cluster.Coordination;

/// <summary>Nodes that stand in, in one put, for replicas which could not be reached: each for one of them, since two copies on one disk go together.</summary>
internal sealed class StandIns
{
    private readonly Lock gate = new();
    private HashSet<NodeId>? taken;

    /// <summary>False where it stands in already.</summary>
    public bool TryTake(NodeId node)
    {
        lock (gate)
        {
            return (taken ??= []).Add(node);
        }
    }
}
