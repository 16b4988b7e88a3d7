using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Kv.Cluster.Membership;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Protos.Admin.V1;
using Kv.Wire.Riak.Http;
using BucketType = Kv.Protos.Admin.V1.BucketType;

namespace Kv.Wire.Admin;

/// <summary>
/// What the operator and the command line call: the gRPC service `kv.admin.v1.Admin` over <see cref="ClusterAdmin"/>. Refusals are statuses whose message
/// begins with a stable word (<see cref="AdminErrors"/>). Works before the node is in a cluster.
/// </summary>
public sealed class AdminService(ClusterAdmin admin, ClusterState state, NodeFacts facts, RiakStatistics statistics, TimeProvider time) : Protos.Admin.V1.Admin.AdminBase
{
    private const int DefaultRingSize = 64;
    private const int MaxNameBytes = 253;
    private const int MaxPropsBytes = 256 * 1024;
    private const int MaxDrainSeconds = 600;

    private readonly long startedAt = time.GetTimestamp();

    public override Task<Node> GetNode(GetNodeRequest request, ServerCallContext context) =>
        Task.FromResult(AdminCodec.Encode(admin.GetNode(), facts, time.GetElapsedTime(startedAt), time.GetUtcNow()));

    public override Task<Protos.Admin.V1.Cluster> GetCluster(GetClusterRequest request, ServerCallContext context) =>
        Task.FromResult(AdminCodec.Encode(AdminErrors.ValueOf(admin.GetCluster())));

    public override async Task<Protos.Admin.V1.Cluster> CreateCluster(CreateClusterRequest request, ServerCallContext context)
    {
        Guid? id = null;
        if (request.ClusterId.Length > 0)
        {
            id = Guid.TryParse(request.ClusterId, out var given) && given != Guid.Empty
                ? given
                : throw AdminErrors.Invalid("invalid_cluster_id", "the cluster id must be a UUID, or empty for one that the node draws");
        }

        if (request.ClusterName.Length is 0 or > MaxNameBytes)
        {
            throw AdminErrors.Invalid("invalid_cluster_name", "the cluster's name must have 1 to 253 letters");
        }

        var size = request.RingSize == 0 ? DefaultRingSize : request.RingSize;
        if (!Ring.IsValidSize(size))
        {
            throw AdminErrors.Invalid("invalid_ring_size", string.Create(
                CultureInfo.InvariantCulture, $"the ring's size must be a power of two between {Ring.MinSize} and {Ring.MaxSize}, not {size}"));
        }

        return AdminCodec.Encode(AdminErrors.ValueOf(await admin.CreateClusterAsync(id, request.ClusterName, size, context.CancellationToken)));
    }

    public override async Task<Plan> StageJoin(StageJoinRequest request, ServerCallContext context)
    {
        if (request.PeerAddresses.Count is 0 or > ClusterDocument.MaxMembers)
        {
            throw AdminErrors.Invalid("no_nodes", string.Create(CultureInfo.InvariantCulture, $"name 1 to {ClusterDocument.MaxMembers} peer addresses (host:port)"));
        }

        RequireDocument(request.DocumentVersion);
        return AdminCodec.Encode(AdminErrors.ValueOf(await admin.StageJoinAsync([.. request.PeerAddresses], context.CancellationToken)));
    }

    public override async Task<Plan> StageLeave(StageLeaveRequest request, ServerCallContext context)
    {
        if (request.NodeIds.Count is 0 or > ClusterDocument.MaxMembers)
        {
            throw AdminErrors.Invalid("no_nodes", string.Create(CultureInfo.InvariantCulture, $"name 1 to {ClusterDocument.MaxMembers} node ids"));
        }

        var nodes = request.NodeIds.Select(Node).ToList();
        RequireDocument(request.DocumentVersion);
        return AdminCodec.Encode(AdminErrors.ValueOf(await admin.StageLeaveAsync(nodes, request.AllowFewerReplicas, request.AllowFewerZones, context.CancellationToken)));
    }

    public override async Task<Plan> StageReplace(StageReplaceRequest request, ServerCallContext context)
    {
        if (request.PeerAddress.Length == 0)
        {
            throw AdminErrors.Invalid("no_nodes", "name the peer address (host:port) of the node that joins in place of the dead member");
        }

        var dead = Node(request.DeadId);
        RequireDocument(request.DocumentVersion);
        return AdminCodec.Encode(AdminErrors.ValueOf(await admin.StageReplaceAsync(dead, request.PeerAddress, request.AllowDataLoss, context.CancellationToken)));
    }

    public override async Task<Plan> StageRemove(StageRemoveRequest request, ServerCallContext context)
    {
        var dead = Node(request.NodeId);
        RequireDocument(request.DocumentVersion);
        return AdminCodec.Encode(AdminErrors.ValueOf(await admin.StageRemoveAsync(dead, request.AllowFewerReplicas, request.AllowDataLoss, context.CancellationToken)));
    }

    public override async Task<Protos.Admin.V1.Cluster> RebuildPartition(RebuildPartitionRequest request, ServerCallContext context) => AdminCodec.Encode(AdminErrors.ValueOf(
        await admin.RebuildPartitionAsync(new PartitionId(request.Partition), request.AllowDataLoss, context.CancellationToken)));

    public override async Task<Protos.Admin.V1.Cluster> ConfirmExit(ConfirmExitRequest request, ServerCallContext context) =>
        AdminCodec.Encode(AdminErrors.ValueOf(await admin.ConfirmExitAsync(Node(request.NodeId), context.CancellationToken)));

    public override async Task<Protos.Admin.V1.Cluster> MarkDown(MarkDownRequest request, ServerCallContext context) =>
        AdminCodec.Encode(AdminErrors.ValueOf(await admin.MarkDownAsync(Node(request.NodeId), context.CancellationToken)));

    public override async Task<Protos.Admin.V1.Cluster> MarkUp(MarkUpRequest request, ServerCallContext context) =>
        AdminCodec.Encode(AdminErrors.ValueOf(await admin.MarkUpAsync(Node(request.NodeId), context.CancellationToken)));

    public override Task<Peers> GetPeers(GetPeersRequest request, ServerCallContext context)
    {
        var versions = admin.GetCluster() is { IsOk: true, Value: { } cluster } ? cluster.Members.ToDictionary(m => m.Node.Id, m => m.DocumentVersion) : [];
        return Task.FromResult(new Peers { Peers_ = { admin.GetPeers().Select(peer => AdminCodec.Encode(peer, NameOf(peer.Node), versions.GetValueOrDefault(peer.Node))) } });
    }

    public override Task<Preflists> GetPreflists(GetPreflistsRequest request, ServerCallContext context)
    {
        var lists = AdminErrors.ValueOf(admin.GetPreflists(request.MostAlive)).Lists;
        return Task.FromResult(new Preflists { Preflists_ = { lists.Select(list => AdminCodec.Encode(list, NameOf)) } });
    }

    public override async Task<DrainStatus> Drain(DrainRequest request, ServerCallContext context) => request.BudgetSeconds is >= 0 and <= MaxDrainSeconds
        ? AdminCodec.Encode(await admin.DrainAsync(TimeSpan.FromSeconds(request.BudgetSeconds), context.CancellationToken))
        : throw AdminErrors.Invalid("invalid_budget", string.Create(CultureInfo.InvariantCulture, $"a drain's budget is 0 to {MaxDrainSeconds} seconds"));

    public override Task<DrainStatus> Undrain(UndrainRequest request, ServerCallContext context) => Task.FromResult(AdminCodec.Encode(admin.Undrain()));

    public override async Task<Protos.Admin.V1.Cluster> ClearStaged(ClearStagedRequest request, ServerCallContext context)
    {
        RequireDocument(request.DocumentVersion);
        return AdminCodec.Encode(AdminErrors.ValueOf(await admin.ClearStagedAsync(context.CancellationToken)));
    }

    public override Task<Plan> GetPlan(GetPlanRequest request, ServerCallContext context) =>
        Task.FromResult(AdminCodec.Encode(AdminErrors.ValueOf(admin.GetPlan())));

    public override async Task<Protos.Admin.V1.Cluster> CommitPlan(CommitPlanRequest request, ServerCallContext context)
    {
        if (request.PlanId.Length == 0)
        {
            throw AdminErrors.Invalid("no_plan_id", "name the plan that was looked at (GetPlan)");
        }

        return AdminCodec.Encode(AdminErrors.ValueOf(await admin.CommitAsync(request.PlanId, context.CancellationToken)));
    }

    public override Task<Transfers> GetTransfers(GetTransfersRequest request, ServerCallContext context)
    {
        return Task.FromResult(AdminCodec.Encode(admin.GetTransfers(), NameOf));
    }

    public override Task<AntiEntropy> GetAntiEntropy(GetAntiEntropyRequest request, ServerCallContext context) =>
        Task.FromResult(AntiEntropyCodec.Encode(admin.GetAntiEntropy(), NameOf));

    public override Task<AntiEntropy> RepairPartition(RepairPartitionRequest request, ServerCallContext context) =>
        Task.FromResult(AntiEntropyCodec.Encode(AdminErrors.ValueOf(admin.RepairPartition(new PartitionId(request.Partition))), NameOf));

    public override Task<AntiEntropy> RepairKeys(RepairKeysRequest request, ServerCallContext context) => Task.FromResult(AntiEntropyCodec.Encode(
        AdminErrors.ValueOf(admin.RepairKeys(new BucketName(request.BucketType, request.Bucket.Memory), request.From.Memory, request.To.Memory)), NameOf));

    public override Task<Statistics> GetStatistics(GetStatisticsRequest request, ServerCallContext context)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, PlainJson.Writer))
        {
            statistics.Write(json);
        }

        return Task.FromResult(new Statistics { Json = Encoding.UTF8.GetString(buffer.WrittenSpan) });
    }

    public override async Task<BucketType> CreateBucketType(CreateBucketTypeRequest request, ServerCallContext context) =>
        AdminCodec.Encode(AdminErrors.ValueOf(await admin.CreateBucketTypeAsync(Named(request.Name), Props(request.PropsJson), context.CancellationToken)));

    public override async Task<BucketType> ActivateBucketType(ActivateBucketTypeRequest request, ServerCallContext context) =>
        AdminCodec.Encode(AdminErrors.ValueOf(await admin.ActivateBucketTypeAsync(Named(request.Name), context.CancellationToken)));

    public override async Task<BucketType> UpdateBucketType(UpdateBucketTypeRequest request, ServerCallContext context) =>
        AdminCodec.Encode(AdminErrors.ValueOf(await admin.UpdateBucketTypeAsync(Named(request.Name), Props(request.PropsJson), context.CancellationToken)));

    public override Task<BucketType> GetBucketType(GetBucketTypeRequest request, ServerCallContext context) =>
        Task.FromResult(AdminCodec.Encode(AdminErrors.ValueOf(admin.GetBucketType(Named(request.Name)))));

    public override Task<BucketTypes> ListBucketTypes(ListBucketTypesRequest request, ServerCallContext context)
    {
        var view = AdminErrors.ValueOf(admin.ListBucketTypes());
        var message = new BucketTypes();
        message.BucketTypes_.AddRange(view.Types.Select(AdminCodec.Encode));
        message.StrictBuckets.AddRange(view.StrictBuckets.Select(AdminCodec.Encode));
        return Task.FromResult(message);
    }

    public override Task<Protos.Admin.V1.Security> GetSecurity(GetSecurityRequest request, ServerCallContext context) =>
        Task.FromResult(SecurityCodec.Encode(AdminErrors.ValueOf(admin.GetSecurity())));

    public override async Task<Protos.Admin.V1.Security> ChangeSecurity(ChangeSecurityRequest request, ServerCallContext context)
    {
        if (request is { ChangeCase: ChangeSecurityRequest.ChangeOneofCase.Enable, Enable: true } && facts.Certificate is null)
        {
            throw AdminErrors.ToStatus(new AdminRefusal(
                AdminRefusalKind.FailedPrecondition, "no_certificate", "this node has no certificate (tls-certificate): with security on, its clients could show nothing of who they are"));
        }

        return SecurityCodec.Encode(AdminErrors.ValueOf(await admin.ChangeSecurityAsync(SecurityCodec.Decode(request), context.CancellationToken)));
    }

    private static NodeId Node(string text) =>
        NodeId.TryParse(text, out var node) ? node : throw AdminErrors.Invalid("invalid_node_id", $"`{text}` is not a node's id of 16 hexadecimal digits");

    /// <summary>What was decided by another document than this node's may be long on its way, or from somebody who acts no more: to stage it would be nobody's wish.</summary>
    private void RequireDocument(long version)
    {
        if (version != 0 && version != state.Current.DocumentVersion)
        {
            throw AdminErrors.ToStatus(new AdminRefusal(AdminRefusalKind.FailedPrecondition, "document_changed", string.Create(
                CultureInfo.InvariantCulture, $"this node holds version {state.Current.DocumentVersion} of the document, and not {version}")));
        }
    }

    private string NameOf(NodeId node) => state.Current.Document?.FindMember(node)?.Name ?? node.ToString();

    private static string Named(string name) =>
        name.Length > 0 ? name : throw AdminErrors.Invalid("invalid_name", "the bucket type's name is missing");

    private static string Props(string json) => json.Length switch
    {
        0 => "{}",
        <= MaxPropsBytes => json,
        _ => throw AdminErrors.Invalid("invalid_props", "the properties are longer than 262144 letters"),
    };
}
