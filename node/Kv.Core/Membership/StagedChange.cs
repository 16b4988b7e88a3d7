using Kv.Core.Rings;

namespace Kv.Core.Membership;

/// <summary>A membership change that waits for a plan and its commit. A node has at most one.</summary>
public abstract record StagedChange
{
    private StagedChange()
    {
    }

    /// <summary>The node whose membership changes.</summary>
    public abstract NodeId Node { get; }

    /// <summary>The node, already a member in state joining, becomes valid and claims its share.</summary>
    public sealed record Join(NodeId Joining) : StagedChange
    {
        public override NodeId Node => Joining;
    }

    /// <summary>The node gives away all it owns and goes.</summary>
    public sealed record Leave(NodeId Leaving) : StagedChange
    {
        public override NodeId Node => Leaving;
    }
}
