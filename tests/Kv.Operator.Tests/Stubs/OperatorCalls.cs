using System.Text.Json.Nodes;
using Kv.Operator.NodeAdmin;
using Kv.Operator.Runtime;
using Admin = Kv.Protos.Admin.V1;

namespace Kv.Operator.Tests.Stubs;

/// <summary>What becomes of the call at which an operator ends.</summary>
internal enum LastCall
{
    /// <summary>It was never sent.</summary>
    Unsent,

    /// <summary>It took effect, and nobody heard the answer.</summary>
    Unanswered,

    /// <summary>The process stands still before it while the next operator works, and goes on afterwards, with this call and all that follow in its pass.</summary>
    Late,
}

/// <summary>
/// The calls of an operator's process, to the API server and to nodes. It counts those that change anything, and the process ends at one of them, whatever the operator's own code
/// makes of that: none of its calls does anything from then on.
/// </summary>
internal sealed class OperatorCalls(IKubernetesApi api, INodeAdmin nodes) : IKubernetesApi, INodeAdmin
{
    private readonly TaskCompletionSource paused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private (int Call, LastCall How) end;

    /// <summary>Those that change anything, in words.</summary>
    public List<string> Changes { get; } = [];

    public bool IsOver { get; private set; }

    /// <summary>Done when the process stands still.</summary>
    public Task Paused => paused.Task;

    public void Resume() => resumed.TrySetResult();

    /// <summary>From now on changes are counted, from one, and the process ends or stands still at this one.</summary>
    public void EndAt(int call, LastCall how)
    {
        Changes.Clear();
        end = (call, how);
    }

    public Task<JsonObject?> GetAsync(ResourceKind kind, string @namespace, string name, CancellationToken cancel) => Alive(api).GetAsync(kind, @namespace, name, cancel);

    public Task<ListPage> ListAsync(ResourceKind kind, string? @namespace, string? labelSelector, string? continueToken, CancellationToken cancel) =>
        Alive(api).ListAsync(kind, @namespace, labelSelector, continueToken, cancel);

    public IAsyncEnumerable<WatchEvent> WatchAsync(ResourceKind kind, string? @namespace, string? labelSelector, string resourceVersion, TimeSpan timeout, CancellationToken cancel) =>
        Alive(api).WatchAsync(kind, @namespace, labelSelector, resourceVersion, timeout, cancel);

    public Task<bool> ServesAsync(ResourceKind kind, CancellationToken cancel) => Alive(api).ServesAsync(kind, cancel);

    public Task<JsonObject> ApplyAsync(ResourceKind kind, string @namespace, string name, JsonObject intent, string fieldManager, CancellationToken cancel) =>
        ChangeAsync($"apply {kind.Kind} {name}", () => api.ApplyAsync(kind, @namespace, name, intent, fieldManager, cancel));

    public Task<JsonObject> PatchAsync(ResourceKind kind, string @namespace, string name, string? subresource, JsonArray patch, CancellationToken cancel) =>
        ChangeAsync($"patch {subresource ?? "object"} of {kind.Kind} {name}", () => api.PatchAsync(kind, @namespace, name, subresource, patch, cancel));

    public Task<JsonObject> CreateAsync(ResourceKind kind, string @namespace, JsonObject body, CancellationToken cancel) =>
        ChangeAsync($"create {kind.Kind} {body["message"]}", () => api.CreateAsync(kind, @namespace, body, cancel));

    public Task<JsonObject> ReplaceAsync(ResourceKind kind, string @namespace, string name, JsonObject body, CancellationToken cancel) =>
        ChangeAsync($"replace {kind.Kind} {name}", () => api.ReplaceAsync(kind, @namespace, name, body, cancel));

    public Task DeleteAsync(ResourceKind kind, string @namespace, string name, string uid, CancellationToken cancel) =>
        ChangeAsync($"delete {kind.Kind} {name}", () => Done(api.DeleteAsync(kind, @namespace, name, uid, cancel)));

    public Task EvictAsync(string @namespace, string pod, string uid, CancellationToken cancel) =>
        ChangeAsync($"evict {pod}", () => Done(api.EvictAsync(@namespace, pod, uid, cancel)));

    public Task<Admin.Node> GetNodeAsync(string address, CancellationToken cancel) => Alive(nodes).GetNodeAsync(NodeOf(address), cancel);

    public Task<Admin.Cluster> GetClusterAsync(string address, CancellationToken cancel) => Alive(nodes).GetClusterAsync(NodeOf(address), cancel);

    public Task<Admin.Peers> GetPeersAsync(string address, CancellationToken cancel) => Alive(nodes).GetPeersAsync(NodeOf(address), cancel);

    public Task<Admin.Plan> GetPlanAsync(string address, CancellationToken cancel) => Alive(nodes).GetPlanAsync(NodeOf(address), cancel);

    public Task<Admin.Transfers> GetTransfersAsync(string address, CancellationToken cancel) => Alive(nodes).GetTransfersAsync(NodeOf(address), cancel);

    public Task<Admin.BucketTypes> ListBucketTypesAsync(string address, CancellationToken cancel) => Alive(nodes).ListBucketTypesAsync(NodeOf(address), cancel);

    public Task<Admin.BucketType?> FindBucketTypeAsync(string address, string name, CancellationToken cancel) => Alive(nodes).FindBucketTypeAsync(NodeOf(address), name, cancel);

    public Task<Admin.Cluster> CreateClusterAsync(string address, string clusterId, string name, int ringSize, CancellationToken cancel) =>
        ChangeAsync($"create the ring on {NodeOf(address)}", () => nodes.CreateClusterAsync(NodeOf(address), clusterId, name, ringSize, cancel));

    public Task<Admin.Plan> StageJoinAsync(string address, long documentVersion, IEnumerable<string> peerAddresses, CancellationToken cancel)
    {
        var peers = peerAddresses.Select(NodeOf).ToList();
        return ChangeAsync($"stage the joins of {string.Join(", ", peers)}", () => nodes.StageJoinAsync(NodeOf(address), documentVersion, peers, cancel));
    }

    public Task<Admin.Plan> StageLeaveAsync(string address, long documentVersion, IEnumerable<string> nodeIds, bool allowFewerZones, CancellationToken cancel)
    {
        var ids = nodeIds.ToList();
        return ChangeAsync($"stage the leaves of {string.Join(", ", ids)}", () => nodes.StageLeaveAsync(NodeOf(address), documentVersion, ids, allowFewerZones, cancel));
    }

    public Task<Admin.Plan> StageReplaceAsync(string address, long documentVersion, string deadId, string peerAddress, CancellationToken cancel) =>
        ChangeAsync($"stage that {NodeOf(peerAddress)} replaces {deadId}", () => nodes.StageReplaceAsync(NodeOf(address), documentVersion, deadId, NodeOf(peerAddress), cancel));

    public Task<Admin.Plan> StageRemoveAsync(string address, long documentVersion, string deadId, CancellationToken cancel) =>
        ChangeAsync($"stage the removal of {deadId}", () => nodes.StageRemoveAsync(NodeOf(address), documentVersion, deadId, cancel));

    public Task<Admin.Cluster> ClearStagedAsync(string address, long documentVersion, CancellationToken cancel) => ChangeAsync("clear what is staged", () => nodes.ClearStagedAsync(NodeOf(address), documentVersion, cancel));

    public Task<Admin.Cluster> ConfirmExitAsync(string address, string nodeId, CancellationToken cancel) =>
        ChangeAsync($"confirm the exit of {nodeId}", () => nodes.ConfirmExitAsync(NodeOf(address), nodeId, cancel));

    public Task<Admin.Cluster> RebuildPartitionAsync(string address, int partition, CancellationToken cancel) =>
        ChangeAsync($"rebuild partition {partition} of {NodeOf(address)}", () => nodes.RebuildPartitionAsync(NodeOf(address), partition, cancel));

    public Task<Admin.Cluster> CommitPlanAsync(string address, string planId, CancellationToken cancel) =>
        ChangeAsync($"commit plan {planId}", () => nodes.CommitPlanAsync(NodeOf(address), planId, cancel));

    public Task<Admin.BucketType> CreateBucketTypeAsync(string address, string name, string propsJson, CancellationToken cancel) =>
        ChangeAsync($"create bucket type {name}", () => nodes.CreateBucketTypeAsync(NodeOf(address), name, propsJson, cancel));

    public Task<Admin.BucketType> ActivateBucketTypeAsync(string address, string name, CancellationToken cancel) =>
        ChangeAsync($"activate bucket type {name}", () => nodes.ActivateBucketTypeAsync(NodeOf(address), name, cancel));

    public Task<Admin.BucketType> UpdateBucketTypeAsync(string address, string name, string propsJson, CancellationToken cancel) =>
        ChangeAsync($"update bucket type {name}", () => nodes.UpdateBucketTypeAsync(NodeOf(address), name, propsJson, cancel));

    /// <summary>A simulated node's address is its name.</summary>
    private static string NodeOf(string address) => address.Split('.')[0];

    private static async Task<bool> Done(Task call)
    {
        await call;
        return true;
    }

    private T Alive<T>(T of) => IsOver ? throw new OperatorStoppedException() : of;

    private async Task<T> ChangeAsync<T>(string what, Func<Task<T>> call)
    {
        Alive(this).Changes.Add(what);
        if (Changes.Count != end.Call)
        {
            return await call();
        }

        if (end.How == LastCall.Late)
        {
            paused.SetResult();
            await resumed.Task;
            return await call();
        }

        IsOver = true;
        if (end.How == LastCall.Unanswered)
        {
            await call();
        }

        throw new OperatorStoppedException();
    }
}
