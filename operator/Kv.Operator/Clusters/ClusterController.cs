using Kv.Operator.Abstractions;
using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Clusters;

/// <summary>A pass over a Cluster object, and what it came to made known.</summary>
internal sealed class ClusterController(ClusterReconciler reconciler, IPassReporter reporter) : IEntityController<Cluster>
{
    public async Task<ReconciliationResult<Cluster>> ReconcileAsync(Cluster entity, CancellationToken cancellationToken)
    {
        var pass = await reconciler.RunAsync(entity, cancellationToken);
        await reporter.ReportAsync(entity, entity.Status, pass.Status, cancellationToken);
        entity.Status = pass.Status;
        return ReconciliationResult<Cluster>.Of(entity, pass.Error, pass.RequeueAfter, pass.LongestBackoff);
    }

    /// <summary>The objects go by their owner, and the data stays: there is nothing to do.</summary>
    public Task<ReconciliationResult<Cluster>> DeletedAsync(Cluster entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<Cluster>.Success(entity));
}
