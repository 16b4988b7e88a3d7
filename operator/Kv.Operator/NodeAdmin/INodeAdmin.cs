using Admin = Kv.Protos.Admin.V1;

namespace Kv.Operator.NodeAdmin;

/// <summary>
/// What the operator asks of a node, by the address of its admin port. Each call has a deadline of its own, is safe to repeat, and throws
/// <see cref="NodeRefusedException"/> for an answer that says no and <see cref="NodeUnreachableException"/> for none. Where a document's version goes with it, it is
/// refused by a node that holds another: a call that comes late changes nothing.
/// </summary>
internal interface INodeAdmin
{
    Task<Admin.Node> GetNodeAsync(string address, CancellationToken cancel);

    Task<Admin.Cluster> GetClusterAsync(string address, CancellationToken cancel);

    /// <summary>How that node sees each other member, and for how long it has.</summary>
    Task<Admin.Peers> GetPeersAsync(string address, CancellationToken cancel);

    Task<Admin.Cluster> CreateClusterAsync(string address, string clusterId, string name, int ringSize, CancellationToken cancel);

    Task<Admin.Plan> StageJoinAsync(string address, long documentVersion, IEnumerable<string> peerAddresses, CancellationToken cancel);

    /// <summary>Refused where the members that stay have not the room, or one is away; where fewer zones stay unless <paramref name="allowFewerZones"/>.</summary>
    Task<Admin.Plan> StageLeaveAsync(string address, long documentVersion, IEnumerable<string> nodeIds, bool allowFewerZones, CancellationToken cancel);

    /// <summary>Stages that the node at a peer address takes over what a dead member owned; refused while anybody reaches that one, and where keys would have no copy left.</summary>
    Task<Admin.Plan> StageReplaceAsync(string address, long documentVersion, string deadId, string peerAddress, CancellationToken cancel);

    /// <summary>Stages that a dead member is removed; refused as a replacement is.</summary>
    Task<Admin.Plan> StageRemoveAsync(string address, long documentVersion, string deadId, CancellationToken cancel);

    Task<Admin.Cluster> ClearStagedAsync(string address, long documentVersion, CancellationToken cancel);

    /// <summary>Forgets an exiting member; refused while it holds anything. Not asked of that member itself.</summary>
    Task<Admin.Cluster> ConfirmExitAsync(string address, string nodeId, CancellationToken cancel);

    /// <summary>
    /// Has the node that owns a partition give up its damaged data and rebuild it; nothing where it does already. Refused <c>not_damaged</c>, and <c>data_loss</c> where keys would have no copy left or the node held
    /// it for another.
    /// </summary>
    Task<Admin.Cluster> RebuildPartitionAsync(string address, int partition, CancellationToken cancel);

    Task<Admin.Plan> GetPlanAsync(string address, CancellationToken cancel);

    Task<Admin.Cluster> CommitPlanAsync(string address, string planId, CancellationToken cancel);

    Task<Admin.Transfers> GetTransfersAsync(string address, CancellationToken cancel);

    Task<Admin.BucketType> CreateBucketTypeAsync(string address, string name, string propsJson, CancellationToken cancel);

    Task<Admin.BucketType> ActivateBucketTypeAsync(string address, string name, CancellationToken cancel);

    Task<Admin.BucketType> UpdateBucketTypeAsync(string address, string name, string propsJson, CancellationToken cancel);

    /// <summary>All types, the default one too.</summary>
    Task<Admin.BucketTypes> ListBucketTypesAsync(string address, CancellationToken cancel);

    /// <summary>Null if the cluster does not have it.</summary>
    Task<Admin.BucketType?> FindBucketTypeAsync(string address, string name, CancellationToken cancel);
}
