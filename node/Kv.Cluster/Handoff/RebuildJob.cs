using System.Collections.Immutable;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.Rings;

namespace Kv.Cluster.Handoff;

/// <summary>A partition that this node rebuilds, by one plan, and how far it has come. <see cref="Rebuilder"/>'s own, but for the problems, which anyone may read.</summary>
internal sealed class RebuildJob(Vnode vnode, long plannedAt, ulong attempt)
{
    /// <summary>Members that have done their part of the present step.</summary>
    private readonly HashSet<NodeId> answered = [];
    private ImmutableSortedDictionary<NodeId, string> problems = ImmutableSortedDictionary<NodeId, string>.Empty;

    /// <summary>Whose store is filled. Another vnode of the partition has another store, as when this one was found to be damaged: nothing that was sent is in that.</summary>
    public Vnode Vnode { get; } = vnode;

    public PartitionId Partition => Vnode.Partition;

    public long PlannedAt { get; } = plannedAt;

    /// <summary>Tells what was sent to the store that there is now from what was sent to another that is lost.</summary>
    public ulong Attempt { get; } = attempt;

    /// <summary>Null when all is here.</summary>
    public RebuildStep? Step { get; private set; } = RebuildStep.SendHeld;

    /// <summary>Whether the last asking ended a step, so that the next can begin at once.</summary>
    public bool HasStepped { get; set; }

    /// <summary>Members that are waited for in vain, and why.</summary>
    public ImmutableSortedDictionary<NodeId, string> Problems
    {
        get => Volatile.Read(ref problems);
        set => Volatile.Write(ref problems, value);
    }

    public bool HasAnswered(NodeId member) => answered.Contains(member);

    public void Answered(NodeId member) => answered.Add(member);

    public void NextStep()
    {
        answered.Clear();
        HasStepped = true;
        Step = Step == RebuildStep.SendHeld ? RebuildStep.Send : null;
    }
}
