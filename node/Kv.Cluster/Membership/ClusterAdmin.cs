using System.Collections.Immutable;
using Kv.Cluster.Handoff;
using Kv.Core.Buckets;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>
/// What an administrator (the operator, the command line, a front end that changes bucket properties) can ask of a node. Any member
/// answers; every call is safe to repeat. Refusals are values: see <see cref="AdminRefusal"/>.
/// </summary>
public abstract class ClusterAdmin
{
    public abstract NodeView GetNode();

    /// <summary>Refused `not_in_cluster` where there is no document.</summary>
    public abstract AdminResult<ClusterView> GetCluster();

    /// <summary>
    /// Begins a cluster with this node as its one member. Repeated with the same id it changes nothing; refused `already_member` in another cluster.
    /// A null <paramref name="clusterId"/> draws one.
    /// </summary>
    public abstract ValueTask<AdminResult<ClusterView>> CreateClusterAsync(Guid? clusterId, string clusterName, int ringSize, CancellationToken cancel);

    /// <summary>Meets the nodes at these peer addresses and stages their joins. Refused `not_reachable`, `self_join`, `not_single_node` (it is in another cluster), `name_taken`.</summary>
    public abstract ValueTask<AdminResult<PlanView>> StageJoinAsync(IReadOnlyList<string> peerAddresses, CancellationToken cancel);

    public abstract ValueTask<AdminResult<PlanView>> StageLeaveAsync(IReadOnlyList<NodeId> nodes, CancellationToken cancel);

    public abstract ValueTask<AdminResult<ClusterView>> ClearStagedAsync(CancellationToken cancel);

    public abstract AdminResult<PlanView> GetPlan();

    /// <summary>Carries the plan out. Refused `plan_changed`, `pending_transfers`, `ring_not_ready` (a member that is up has not the current document yet).</summary>
    public abstract ValueTask<AdminResult<ClusterView>> CommitAsync(string planId, CancellationToken cancel);

    /// <summary>Ownership transfers of the whole cluster and this node's hinted ones.</summary>
    public abstract ImmutableArray<TransferView> GetTransfers();

    /// <summary><paramref name="propsJson"/>: an object with Riak's property names.</summary>
    public abstract ValueTask<AdminResult<BucketTypeView>> CreateBucketTypeAsync(string name, string propsJson, CancellationToken cancel);

    /// <summary>Refused `not_ready` with the members that have not shown that they hold the type; members marked down are not waited for.</summary>
    public abstract ValueTask<AdminResult<BucketTypeView>> ActivateBucketTypeAsync(string name, CancellationToken cancel);

    public abstract ValueTask<AdminResult<BucketTypeView>> UpdateBucketTypeAsync(string name, string propsJson, CancellationToken cancel);

    public abstract AdminResult<BucketTypeView> GetBucketType(string name);

    public abstract AdminResult<BucketTypesView> ListBucketTypes();

    /// <summary>What is in force for a bucket; refused `unknown_bucket_type`.</summary>
    public abstract AdminResult<BucketProps> GetBucketProps(BucketName bucket);

    public abstract ValueTask<AdminResult<BucketProps>> SetBucketPropsAsync(BucketName bucket, string propsJson, CancellationToken cancel);

    /// <summary>Takes the bucket's own properties away; answers with its type's.</summary>
    public abstract ValueTask<AdminResult<BucketProps>> ResetBucketPropsAsync(BucketName bucket, CancellationToken cancel);
}
