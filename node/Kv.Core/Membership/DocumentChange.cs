using System.Collections.Immutable;
using Kv.Core.Buckets;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Security;

namespace Kv.Core.Membership;

/// <summary>
/// What can be done to a cluster document. Each is safe to send twice: applied to a document that already has its effect it
/// changes nothing and succeeds. The rules are DocumentRules.
/// </summary>
public abstract record DocumentChange
{
    private DocumentChange()
    {
    }

    /// <summary>Stages the join of a new node, which becomes a member in state joining.</summary>
    public sealed record StageJoin(Member Node) : DocumentChange;

    /// <summary>Stages the leave of a member.</summary>
    public sealed record StageLeave(NodeId Node) : DocumentChange;

    /// <summary>Stages that a new node takes over what a dead member owned; the node becomes a member in state joining, and may have the dead one's name.</summary>
    public sealed record StageReplace(NodeId Dead, Member Node) : DocumentChange;

    /// <summary>Stages that a dead member is removed, its data with it.</summary>
    public sealed record StageRemove(NodeId Dead) : DocumentChange;

    /// <summary>Forgets an exiting member. The caller has seen that it holds nothing, and that others know that it is exiting.</summary>
    public sealed record ConfirmExit(NodeId Node) : DocumentChange;

    /// <summary>
    /// The owner's data of these partitions is lost, and it is to rebuild them from the other replicas; if the last plan is still that of version <paramref name="PlannedAt"/>. The caller has
    /// seen that the keys have other replicas. What it rebuilds already was lost once more: it is a new plan, by which what was sent before is not whole.
    /// </summary>
    public sealed record BeginRebuild(NodeId Owner, ImmutableArray<PartitionId> Partitions, long PlannedAt) : DocumentChange;

    /// <summary>The owner has all the data of partitions that it took over without, by the plan of version <paramref name="PlannedAt"/> of the document.</summary>
    public sealed record CompleteRebuild(NodeId Owner, ImmutableArray<PartitionId> Partitions, long PlannedAt) : DocumentChange;

    /// <summary>Forgets everything that is staged; joining members are members no more.</summary>
    public sealed record ClearStaged : DocumentChange;

    /// <summary>Carries out what is staged, if it is still what <paramref name="PlanId"/> was computed from.</summary>
    public sealed record CommitPlan(string PlanId) : DocumentChange;

    /// <summary>The data of these partitions is with their next owners: they own them from now on.</summary>
    public sealed record CompleteTransfers(ImmutableArray<Transfer> Transfers) : DocumentChange;

    /// <summary>A member is to be reached elsewhere.</summary>
    public sealed record SetEndpoints(NodeId Node, ImmutableSortedDictionary<string, string> Endpoints) : DocumentChange;

    /// <summary>Marks a member that cannot be reached as down, so that the others need not wait for it.</summary>
    public sealed record MarkDown(NodeId Node) : DocumentChange;

    /// <summary>The member marked down is back.</summary>
    public sealed record MarkUp(NodeId Node) : DocumentChange;

    /// <summary>Creates a bucket type, or creates anew one that is not active yet. Properties are what the caller gave, validated against the rules.</summary>
    public sealed record CreateBucketType(string Name, BucketProps Props) : DocumentChange;

    /// <summary>Makes a created type exist for clients. The caller has seen every member hold its creation.</summary>
    public sealed record ActivateBucketType(string Name) : DocumentChange
    {
        /// <summary>What the caller has seen: one that was created anew since is not activated. Null where it does not say, as older programs do not.</summary>
        public BucketProps? Props { get; init; }
    }

    /// <summary>Changes an active type.</summary>
    public sealed record UpdateBucketType(string Name, BucketProps Props) : DocumentChange;

    /// <summary>Gives a bucket properties of its own.</summary>
    public sealed record SetBucketProps(BucketName Bucket, BucketProps Props) : DocumentChange;

    /// <summary>Takes a bucket's own properties away, so that its type's hold again.</summary>
    public sealed record ResetBucketProps(BucketName Bucket) : DocumentChange;

    /// <summary>Changes who may connect and do what. The first change of a cluster is refused unless all its members are among <see cref="Knowing"/>.</summary>
    public sealed record ChangeSecurity(SecurityChange Change) : DocumentChange
    {
        /// <summary>Members that said that they know of security. Held against the document that the change is decided on, whose members may be others than those who were asked.</summary>
        public ImmutableArray<NodeId> Knowing { get; init; } = [];
    }
}
