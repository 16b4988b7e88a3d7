using System.Text.Json;
using Kv.Operator.Abstractions;
using Kv.Operator.Api;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Runtime;

namespace Kv.Operator.BucketTypes;

/// <summary>A pass over a BucketType object: reconcile on its cluster, tell of transitions, write the status if it changed.</summary>
internal sealed class BucketTypeController(IKubernetesApi api, BucketTypeReconciler reconciler, StatusWriter status, EventRecorder events) : IEntityController<BucketType>
{
    public async Task<ReconciliationResult<BucketType>> ReconcileAsync(BucketType entity, CancellationToken cancellationToken)
    {
        var json = await api.GetAsync(ResourceKind.Cluster, entity.Metadata.NamespaceProperty, entity.Spec.ClusterRef.Name, cancellationToken);
        var cluster = json?.Deserialize<Cluster>(KvJson.Options);
        var pass = await reconciler.RunAsync(entity, cluster, cancellationToken);

        // Told first: the status is all that is remembered, and who ends between the two finds the same transitions again.
        foreach (var transition in Transition.Between(entity.Status.Conditions, pass.Status.Conditions))
        {
            await events.PublishAsync(entity, transition, cancellationToken);
        }

        await status.WriteAsync(ResourceKind.BucketType, entity, entity.Status, pass.Status, cancellationToken);
        entity.Status = pass.Status;
        return pass.Error is null
            ? ReconciliationResult<BucketType>.Success(entity, pass.RequeueAfter)
            : ReconciliationResult<BucketType>.Failure(entity, pass.Error, pass.RequeueAfter);
    }

    /// <summary>The type stays in the cluster, as in Riak: buckets may use it.</summary>
    public Task<ReconciliationResult<BucketType>> DeletedAsync(BucketType entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<BucketType>.Success(entity));
}
