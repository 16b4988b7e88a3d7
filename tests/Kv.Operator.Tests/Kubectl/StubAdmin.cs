using Grpc.Core;
using Kv.Protos.Admin.V1;
using TypeList = Kv.Protos.Admin.V1.BucketTypes;

namespace Kv.Operator.Tests.Kubectl;

/// <summary>admin.v1 of a <see cref="StubNode"/>.</summary>
internal sealed class StubAdmin(StubNode node) : Admin.AdminBase
{
    public override Task<Node> GetNode(GetNodeRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Node>(request));

    public override Task<Cluster> GetCluster(GetClusterRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Cluster>(request));

    public override Task<Plan> StageJoin(StageJoinRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Plan>(request));

    public override Task<Plan> StageLeave(StageLeaveRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Plan>(request));

    public override Task<Plan> StageReplace(StageReplaceRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Plan>(request));

    public override Task<Plan> StageRemove(StageRemoveRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Plan>(request));

    public override Task<Cluster> ClearStaged(ClearStagedRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Cluster>(request));

    public override Task<Plan> GetPlan(GetPlanRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Plan>(request));

    public override Task<Cluster> CommitPlan(CommitPlanRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Cluster>(request));

    public override Task<Transfers> GetTransfers(GetTransfersRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Transfers>(request));

    public override Task<AntiEntropy> GetAntiEntropy(GetAntiEntropyRequest request, ServerCallContext context) => Task.FromResult(node.Reply<AntiEntropy>(request));

    public override Task<AntiEntropy> RepairPartition(RepairPartitionRequest request, ServerCallContext context) => Task.FromResult(node.Reply<AntiEntropy>(request));

    public override Task<Cluster> RebuildPartition(RebuildPartitionRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Cluster>(request));

    public override Task<AntiEntropy> RepairKeys(RepairKeysRequest request, ServerCallContext context) => Task.FromResult(node.Reply<AntiEntropy>(request));

    public override Task<Peers> GetPeers(GetPeersRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Peers>(request));

    public override Task<Preflists> GetPreflists(GetPreflistsRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Preflists>(request));

    public override Task<Statistics> GetStatistics(GetStatisticsRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Statistics>(request));

    public override Task<BucketType> CreateBucketType(CreateBucketTypeRequest request, ServerCallContext context) => Task.FromResult(node.Reply<BucketType>(request));

    public override Task<BucketType> ActivateBucketType(ActivateBucketTypeRequest request, ServerCallContext context) => Task.FromResult(node.Reply<BucketType>(request));

    public override Task<BucketType> UpdateBucketType(UpdateBucketTypeRequest request, ServerCallContext context) => Task.FromResult(node.Reply<BucketType>(request));

    public override Task<BucketType> GetBucketType(GetBucketTypeRequest request, ServerCallContext context) => Task.FromResult(node.Reply<BucketType>(request));

    public override Task<Security> GetSecurity(GetSecurityRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Security>(request));

    public override Task<Security> ChangeSecurity(ChangeSecurityRequest request, ServerCallContext context) => Task.FromResult(node.Reply<Security>(request));

    public override Task<TypeList> ListBucketTypes(ListBucketTypesRequest request, ServerCallContext context) => Task.FromResult(node.Reply<TypeList>(request));
}
