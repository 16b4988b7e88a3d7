using Kv.Operator.Abstractions;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Runtime;

namespace Kv.Operator.Clusters;

/// <summary>A pass over a Cluster object: reconcile, tell of transitions, write the status if it changed.</summary>
internal sealed class ClusterController(ClusterReconciler reconciler, StatusWriter status, EventRecorder events) : IEntityController<Cluster>
{
    public async Task<ReconciliationResult<Cluster>> ReconcileAsync(Cluster entity, CancellationToken cancellationToken)
    {
        var pass = await reconciler.RunAsync(entity, cancellationToken);

        // Told first: the status is all that is remembered, and who ends between the two finds the same transitions again.
        foreach (var transition in Transition.Between(entity.Status.Conditions, pass.Status.Conditions))
        {
            await events.PublishAsync(entity, transition, cancellationToken);
        }

        await status.WriteAsync(ResourceKind.Cluster, entity, entity.Status, pass.Status, cancellationToken);
        entity.Status = pass.Status;
        return pass.Error is null
            ? ReconciliationResult<Cluster>.Success(entity, pass.RequeueAfter)
            : ReconciliationResult<Cluster>.Failure(entity, pass.Error, pass.RequeueAfter);
    }

    /// <summary>The objects go by their owner, and the data stays: there is nothing to do.</summary>
    public Task<ReconciliationResult<Cluster>> DeletedAsync(Cluster entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<Cluster>.Success(entity));
}
