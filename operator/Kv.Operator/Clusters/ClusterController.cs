using Kv.Operator.Abstractions;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Runtime;

namespace Kv.Operator.Clusters;

/// <summary>A pass over a Cluster object: reconcile, write the status if it changed, tell of transitions.</summary>
internal sealed class ClusterController(ClusterReconciler reconciler, StatusWriter status, EventRecorder events) : IEntityController<Cluster>
{
    public async Task<ReconciliationResult<Cluster>> ReconcileAsync(Cluster entity, CancellationToken cancellationToken)
    {
        var pass = await reconciler.RunAsync(entity, cancellationToken);
        if (await status.WriteAsync(ResourceKind.Cluster, entity, entity.Status, pass.Status, cancellationToken))
        {
            foreach (var transition in Transition.Between(entity.Status.Conditions, pass.Status.Conditions))
            {
                await events.PublishAsync(entity, transition, cancellationToken);
            }
        }

        entity.Status = pass.Status;
        return pass.Error is null
            ? ReconciliationResult<Cluster>.Success(entity, pass.RequeueAfter)
            : ReconciliationResult<Cluster>.Failure(entity, pass.Error, pass.RequeueAfter);
    }

    /// <summary>The objects go by their owner, and the data stays: there is nothing to do.</summary>
    public Task<ReconciliationResult<Cluster>> DeletedAsync(Cluster entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<Cluster>.Success(entity));
}
