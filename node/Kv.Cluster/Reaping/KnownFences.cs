using Kv.Cluster.Peers;
using Kv.Core.Rings;

namespace Kv.Cluster.Reaping;

/// <summary>Nodes' fences as known at one moment. Immutable.</summary>
public sealed class KnownFences
{
    private readonly Dictionary<NodeId, Fence> fences;

    private KnownFences(Dictionary<NodeId, Fence> fences) => this.fences = fences;

    public static KnownFences None { get; } = new([]);

    /// <summary>The default, which nobody takes data under, of a node that has not been heard.</summary>
    // hot
    public Fence Of(NodeId node) => fences.GetValueOrDefault(node);

    internal KnownFences With(NodeId node, Fence fence) => new(new Dictionary<NodeId, Fence>(fences) { [node] = fence });
}
