using System.Collections.Immutable;
using Kv.Operator.Gates;

namespace Kv.Operator.Clusters;

/// <summary>The one thing to do next. Each is safe to repeat: the operator can be ended before, in the middle of or after any of them.</summary>
internal abstract record ClusterAction
{
    private ClusterAction()
    {
    }

    /// <summary>The reason word of the condition Progressing, and the phase in <c>status.operation</c>.</summary>
    public abstract string Phase { get; }

    /// <summary>What is being done or waited for, in a sentence.</summary>
    public abstract string Message { get; }

    /// <summary>Whether it is a step towards the spec; if not, there is nothing to do.</summary>
    public virtual bool IsProgress => true;

    /// <summary>The node that it is about; null where it is about none or several.</summary>
    public virtual string? Target => null;

    /// <summary>What does not allow it now; null where nothing stands in the way.</summary>
    public virtual GateVerdict.Closed? Verdict => null;

    private static string NamesOf(ImmutableArray<ObservedMember> members) => string.Join(", ", members.Select(member => member.Name));

    /// <summary>Nothing changes, since the spec says so; the budget for drains follows the gate all the same.</summary>
    public sealed record Paused : ClusterAction
    {
        public override string Phase => Api.Conditions.Reasons.Paused;

        public override string Message => "spec.paused is true";

        public override bool IsProgress => false;
    }

    /// <summary>Creates objects that are missing, or puts back those that somebody changed.</summary>
    public sealed record ApplyChildren(ImmutableArray<ObservedChild> Children) : ClusterAction
    {
        public override string Phase => Api.Conditions.Reasons.CreatingChildren;

        public override string Message => "applying " + string.Join(", ", Children.Select(child => $"{child.Kind} {child.Name}"));
    }

    /// <summary>Gives zones more replicas. Never fewer.</summary>
    public sealed record GrowStatefulSets(ImmutableSortedDictionary<string, int> ReplicasByZone) : ClusterAction
    {
        public override string Phase => Api.Conditions.Reasons.Growing;

        public override string Message => $"growing to {ReplicasByZone.Values.Sum()} nodes";
    }

    /// <summary>Starts a node again that runs with another image or other settings than it should.</summary>
    public sealed record RestartNode(ObservedNode Node, bool IsBroken, int Left, string? Warning) : ClusterAction
    {
        public override string? Target => Node.Name;

        public override string Phase => Api.Conditions.Reasons.Restarting;

        public override string Message => $"restarting {Node.Name}, {Left} nodes to go{(Warning is null ? "" : $"; {Warning}")}";
    }

    /// <summary>Nodes are to be restarted, and none may go down now.</summary>
    public sealed record WaitForGate(GateVerdict.Closed Why, string NodeName, int Left) : ClusterAction
    {
        public override string? Target => NodeName;

        public override string Phase => Why.Reason;

        public override string Message => $"{NodeName} is to be restarted ({Left} nodes to go): {Why.Message}";

        public override GateVerdict.Closed? Verdict => Why;
    }

    public sealed record WaitForPods(ImmutableArray<string> Names, string Why) : ClusterAction
    {
        public override string Phase => Api.Conditions.Reasons.WaitingForPods;

        public override string Message => $"waiting for {Names.Length} {(Names.Length == 1 ? "node" : "nodes")}: {Why}";
    }

    /// <summary>Makes a ring of one node, on a node that everybody who looks again would choose too.</summary>
    public sealed record CreateRing(string NodeName, string AdminAddress) : ClusterAction
    {
        public override string? Target => NodeName;

        public override string Phase => Api.Conditions.Reasons.CreatingRing;

        public override string Message => $"creating the ring on {NodeName}";
    }

    /// <summary>Stages the joins of all nodes that can join, so that they become one plan.</summary>
    public sealed record StageJoins(ImmutableArray<ObservedNode> Nodes) : ClusterAction
    {
        public override string Phase => Api.Conditions.Reasons.Joining;

        public override string Message => $"staging the joins of {string.Join(", ", Nodes.Select(node => node.Name))}";
    }

    /// <summary>Commits the plan with this id, if what is staged still is what was looked at.</summary>
    public sealed record CommitPlan(string PlanId, int Transfers) : ClusterAction
    {
        public override string Phase => Api.Conditions.Reasons.Committing;

        /// <summary>What a person should know before.</summary>
        public ImmutableArray<string> Warnings { get; init; } = [];

        public override string Message => $"committing plan {PlanId}: {Transfers} transfers{string.Concat(Warnings.Select(warning => "; " + warning))}";
    }

    /// <summary>Writes down who is to leave before anything is asked of the ring, so that it can be told from what somebody else staged.</summary>
    public sealed record BeginLeave(ImmutableArray<ObservedMember> Members) : ClusterAction
    {
        public override string Phase => Api.Conditions.Reasons.PlanningLeave;

        public override string Message => $"{NamesOf(Members)} are to leave the ring";
    }

    /// <summary>Writes down who is given up, as with <see cref="BeginLeave"/>.</summary>
    public sealed record BeginLoss(ImmutableArray<ObservedMember> Members) : ClusterAction
    {
        public override string Phase => Api.Conditions.Reasons.Replacing;

        public override string Message => $"{NamesOf(Members)} are given up";
    }

    /// <summary>Stages that an empty node takes over what a dead one of the same name owned.</summary>
    public sealed record StageReplace(ObservedMember Lost, ObservedNode Node) : ClusterAction
    {
        public override string Phase => Api.Conditions.Reasons.Replacing;

        public override string Message => $"staging that node {Node.Answer?.Id} replaces node {Lost.Id} as {Node.Name}";
    }

    /// <summary>Stages that a dead node is removed, and others take over what it owned.</summary>
    public sealed record StageRemove(ObservedMember Lost) : ClusterAction
    {
        public override string Phase => Api.Conditions.Reasons.Removing;

        public override string Message => $"staging that {Lost.Name} (node {Lost.Id}) is removed";
    }

    /// <summary>Stages leaves; the nodes check space, replicas, and that nobody is away.</summary>
    public sealed record StageLeaves(ImmutableArray<ObservedMember> Members) : ClusterAction
    {
        /// <summary>They are the last of their zones, and each of these gets a new node.</summary>
        public bool AreZonesRefilled { get; init; }

        public override string Phase => Api.Conditions.Reasons.Leaving;

        public override string Message => $"staging that {NamesOf(Members)} leave";
    }

    /// <summary>Takes back what the operator staged and the spec does not want any more.</summary>
    public sealed record ClearStaged(string Names) : ClusterAction
    {
        public override string Phase => Api.Conditions.Reasons.Cancelling;

        public override string Message => $"{Names} are to stay after all: taking back what is staged";
    }

    /// <summary>A member that owns nothing any more is forgotten, if it says that it holds nothing and others know.</summary>
    public sealed record ConfirmExit(ObservedMember Member) : ClusterAction
    {
        public override string? Target => Member.Name;

        public override string Phase => Api.Conditions.Reasons.ConfirmingExit;

        public override string Message => $"confirming that {Member.Name} has left";
    }

    public sealed record WaitForExit(ObservedMember Member, int? Held) : ClusterAction
    {
        public override string? Target => Member.Name;

        public override string Phase => Api.Conditions.Reasons.HandingOff;

        public override string Message => Held is null ? $"{Member.Name} leaves, and does not say what it still holds" : $"{Member.Name} leaves, and still holds data of {Held} partitions";
    }

    /// <summary>Takes replicas away that are no members any more, and marks the volumes of those that left.</summary>
    public sealed record ShrinkStatefulSets(ImmutableSortedDictionary<string, int> ReplicasByZone, ImmutableArray<ObservedVolume> Released) : ClusterAction
    {
        public override string Phase => Api.Conditions.Reasons.Shrinking;

        public override string Message => $"shrinking to {ReplicasByZone.Values.Sum()} nodes";
    }

    /// <summary>Gives a node that left and whose place is wanted an empty volume, so that a new node takes it.</summary>
    public sealed record RenewVolume(ObservedNode Node) : ClusterAction
    {
        public override string? Target => Node.Name;

        public override string Phase => Api.Conditions.Reasons.RenewingVolume;

        public override string Message => $"giving {Node.Name} an empty volume";
    }

    /// <summary>Deletes the volumes of nodes that left, where the spec says so.</summary>
    public sealed record DeleteVolumes(ImmutableArray<ObservedVolume> Volumes) : ClusterAction
    {
        public override string Phase => Api.Conditions.Reasons.ReleasingStorage;

        public override string Message => $"deleting the volumes of {string.Join(", ", Volumes.Select(volume => volume.NodeName))}, which left";
    }

    /// <summary>Has an owner give up what it has left of a partition whose data is damaged or gone there, and get it anew from the other copies.</summary>
    public sealed record RebuildPartition(ObservedNode Node, int Partition) : ClusterAction
    {
        public override string? Target => Node.Name;

        public override string Phase => Api.Conditions.Reasons.Rebuilding;

        public override string Message => $"having {Node.Name} rebuild partition {Partition}, whose data there is damaged or gone, from its other copies";
    }

    /// <summary>Sets how many nodes others may take down: none where a preference list would lose its quorum. A step aside: what it is on the way to is told.</summary>
    public sealed record SetBudget(int Disruptions, ClusterAction Next) : ClusterAction
    {
        public override string? Target => Next.Target;

        public override string Phase => Next.Phase;

        public override string Message => Next.Message;

        public override bool IsProgress => Next.IsProgress;
    }

    /// <summary>An action that the nodes or the API server do not allow now.</summary>
    public sealed record Postponed(ClusterAction Of, GateVerdict.Closed Why) : ClusterAction
    {
        public override string? Target => Of.Target;

        public override string Phase => Why.Reason;

        public override string Message => $"{Of.Message}: {Why.Message}";

        public override GateVerdict.Closed? Verdict => Why;
    }

    public sealed record WaitForTransfers(int Pending) : ClusterAction
    {
        /// <summary>None moves to another owner: owners that have not the data get it.</summary>
        public bool AreRebuilds { get; init; }

        public override string Phase => AreRebuilds ? Api.Conditions.Reasons.Rebuilding : Api.Conditions.Reasons.HandingOff;

        public override string Message => AreRebuilds ? $"{Pending} partitions are rebuilt from their other copies" : $"{Pending} partitions are on their way";
    }

    /// <summary>Waits until the members that are up hold the same document.</summary>
    public sealed record WaitForRing(string Why) : ClusterAction
    {
        public override string Phase => Api.Conditions.Reasons.RingConverging;

        public override string Message => Why;
    }

    /// <summary>Something that is wished for is not done; the reason is one of the condition Blocked.</summary>
    public sealed record Refuse(string Reason, string Why) : ClusterAction
    {
        public override string Phase => Reason;

        public override string Message => Why;

        public override bool IsProgress => false;
    }

    /// <summary>What is there is what was wished for.</summary>
    public sealed record Steady : ClusterAction
    {
        public override string Phase => Api.Conditions.Reasons.AsExpected;

        public override string Message => "the cluster is as the spec says";

        public override bool IsProgress => false;
    }
}
