using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;
using Kv.Protos.Admin.V1;
using Admin = Kv.Protos.Admin.V1;

namespace Kv.Operator.NodeAdmin;

/// <summary>admin.v1 over gRPC. A channel is kept for each address, up to a bound; deadlines are short for questions and longer for what needs the agreement of the members.</summary>
internal sealed class GrpcNodeAdmin : INodeAdmin, IDisposable
{
    private const int MaxChannels = 1024;
    private static readonly TimeSpan QuestionTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ChangeTimeout = TimeSpan.FromSeconds(30);
    private readonly ConcurrentDictionary<string, GrpcChannel> channels = new(StringComparer.Ordinal);

    public Task<Admin.Node> GetNodeAsync(string address, CancellationToken cancel) =>
        CallAsync(address, QuestionTimeout, (client, options) => client.GetNodeAsync(new GetNodeRequest(), options), cancel);

    public Task<Admin.Cluster> GetClusterAsync(string address, CancellationToken cancel) =>
        CallAsync(address, QuestionTimeout, (client, options) => client.GetClusterAsync(new GetClusterRequest(), options), cancel);

    public Task<Admin.Cluster> CreateClusterAsync(string address, string clusterId, string name, int ringSize, CancellationToken cancel)
    {
        var request = new CreateClusterRequest { ClusterId = clusterId, ClusterName = name, RingSize = ringSize };
        return CallAsync(address, ChangeTimeout, (client, options) => client.CreateClusterAsync(request, options), cancel);
    }

    public Task<Plan> StageJoinAsync(string address, long documentVersion, IEnumerable<string> peerAddresses, CancellationToken cancel)
    {
        var request = new StageJoinRequest { DocumentVersion = documentVersion };
        request.PeerAddresses.AddRange(peerAddresses);
        return CallAsync(address, ChangeTimeout, (client, options) => client.StageJoinAsync(request, options), cancel);
    }

    public Task<Plan> StageLeaveAsync(string address, long documentVersion, IEnumerable<string> nodeIds, bool allowFewerZones, CancellationToken cancel)
    {
        var request = new StageLeaveRequest { AllowFewerZones = allowFewerZones, DocumentVersion = documentVersion };
        request.NodeIds.AddRange(nodeIds);
        return CallAsync(address, ChangeTimeout, (client, options) => client.StageLeaveAsync(request, options), cancel);
    }

    public Task<Plan> StageReplaceAsync(string address, long documentVersion, string deadId, string peerAddress, CancellationToken cancel)
    {
        var request = new StageReplaceRequest { DeadId = deadId, PeerAddress = peerAddress, DocumentVersion = documentVersion };
        return CallAsync(address, ChangeTimeout, (client, options) => client.StageReplaceAsync(request, options), cancel);
    }

    public Task<Plan> StageRemoveAsync(string address, long documentVersion, string deadId, CancellationToken cancel)
    {
        var request = new StageRemoveRequest { NodeId = deadId, DocumentVersion = documentVersion };
        return CallAsync(address, ChangeTimeout, (client, options) => client.StageRemoveAsync(request, options), cancel);
    }

    public Task<Admin.Cluster> ClearStagedAsync(string address, long documentVersion, CancellationToken cancel) =>
        CallAsync(address, ChangeTimeout, (client, options) => client.ClearStagedAsync(new ClearStagedRequest { DocumentVersion = documentVersion }, options), cancel);

    public Task<Admin.Cluster> ConfirmExitAsync(string address, string nodeId, CancellationToken cancel) =>
        CallAsync(address, ChangeTimeout, (client, options) => client.ConfirmExitAsync(new ConfirmExitRequest { NodeId = nodeId }, options), cancel);

    public Task<Admin.Cluster> RebuildPartitionAsync(string address, int partition, CancellationToken cancel) =>
        CallAsync(address, ChangeTimeout, (client, options) => client.RebuildPartitionAsync(new RebuildPartitionRequest { Partition = partition }, options), cancel);

    public Task<Plan> GetPlanAsync(string address, CancellationToken cancel) =>
        CallAsync(address, QuestionTimeout, (client, options) => client.GetPlanAsync(new GetPlanRequest(), options), cancel);

    public Task<Admin.Cluster> CommitPlanAsync(string address, string planId, CancellationToken cancel) =>
        CallAsync(address, ChangeTimeout, (client, options) => client.CommitPlanAsync(new CommitPlanRequest { PlanId = planId }, options), cancel);

    public Task<Peers> GetPeersAsync(string address, CancellationToken cancel) =>
        CallAsync(address, QuestionTimeout, (client, options) => client.GetPeersAsync(new GetPeersRequest(), options), cancel);

    public Task<Transfers> GetTransfersAsync(string address, CancellationToken cancel) =>
        CallAsync(address, QuestionTimeout, (client, options) => client.GetTransfersAsync(new GetTransfersRequest(), options), cancel);

    public Task<BucketType> CreateBucketTypeAsync(string address, string name, string propsJson, CancellationToken cancel)
    {
        var request = new CreateBucketTypeRequest { Name = name, PropsJson = propsJson };
        return CallAsync(address, ChangeTimeout, (client, options) => client.CreateBucketTypeAsync(request, options), cancel);
    }

    public Task<BucketType> ActivateBucketTypeAsync(string address, string name, CancellationToken cancel) =>
        CallAsync(address, ChangeTimeout, (client, options) => client.ActivateBucketTypeAsync(new ActivateBucketTypeRequest { Name = name }, options), cancel);

    public Task<BucketType> UpdateBucketTypeAsync(string address, string name, string propsJson, CancellationToken cancel)
    {
        var request = new UpdateBucketTypeRequest { Name = name, PropsJson = propsJson };
        return CallAsync(address, ChangeTimeout, (client, options) => client.UpdateBucketTypeAsync(request, options), cancel);
    }

    public Task<Admin.BucketTypes> ListBucketTypesAsync(string address, CancellationToken cancel) =>
        CallAsync(address, QuestionTimeout, (client, options) => client.ListBucketTypesAsync(new ListBucketTypesRequest(), options), cancel);

    public async Task<BucketType?> FindBucketTypeAsync(string address, string name, CancellationToken cancel)
    {
        try
        {
            return await CallAsync(address, QuestionTimeout, (client, options) => client.GetBucketTypeAsync(new GetBucketTypeRequest { Name = name }, options), cancel);
        }
        catch (NodeRefusedException refused) when (refused.Code == StatusCode.NotFound)
        {
            return null;
        }
    }

    public void Dispose()
    {
        foreach (var channel in channels.Values)
        {
            channel.Dispose();
        }

        channels.Clear();
    }

    private async Task<T> CallAsync<T>(string address, TimeSpan timeout, Func<Admin.Admin.AdminClient, CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancel)
    {
        var options = new CallOptions(deadline: DateTime.UtcNow + timeout, cancellationToken: cancel);
        try
        {
            return await call(new Admin.Admin.AdminClient(ChannelOf(address)), options);
        }
        catch (RpcException) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancel);
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Internal or StatusCode.Unimplemented or StatusCode.Cancelled)
        {
            throw new NodeUnreachableException(address, e.StatusCode == StatusCode.DeadlineExceeded ? $"did not answer within {timeout.TotalSeconds} s" : $"cannot be asked: {e.Status.Detail}", e);
        }
        catch (RpcException e)
        {
            throw new NodeRefusedException(e.StatusCode, e.Status.Detail);
        }
    }

    private GrpcChannel ChannelOf(string address)
    {
        if (channels.Count > MaxChannels)
        {
            // Addresses come and go with pods; starting over is simpler than telling which are still used.
            foreach (var key in channels.Keys)
            {
                if (channels.TryRemove(key, out var channel))
                {
                    channel.Dispose();
                }
            }
        }

        return channels.GetOrAdd(address, one => GrpcChannel.ForAddress($"http://{one}", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2), PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2) },
            DisposeHttpClient = true,
        }));
    }
}
