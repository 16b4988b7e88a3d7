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

    /// <summary>Who is taken for dead by this change, so that what it owned gets owners without its data; null where nobody is.</summary>
    public NodeId? Lost => this switch
    {
        Replace replace => replace.Dead,
        Remove remove => remove.Dead,
        _ => null,
    };

    /// <summary>The node, already a member in state joining, becomes valid and claims its share.</summary>
    public sealed record Join(NodeId Joining) : StagedChange
    {
        public override NodeId Node => Joining;
    }

    /// <summary>The node, a member in state joining, takes over exactly what a dead member owned, and the dead one is a member no more.</summary>
    public sealed record Replace(NodeId Joining, NodeId Dead) : StagedChange
    {
        public override NodeId Node => Joining;
    }

    /// <summary>The dead node is a member no more; others own at once what it owned.</summary>
    public sealed record Remove(NodeId Dead) : StagedChange
    {
        public override NodeId Node => Dead;
    }

    /// <summary>The node gives away all it owns and goes.</summary>
    public sealed record Leave(NodeId Leaving) : StagedChange
    {
        public override NodeId Node => Leaving;
    }
}
