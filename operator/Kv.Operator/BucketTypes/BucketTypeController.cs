using Kv.Operator.Abstractions;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;

namespace Kv.Operator.BucketTypes;

/// <summary>A pass over a BucketType object on its cluster, and what it came to made known.</summary>
internal sealed class BucketTypeController(IKubernetesClient objects, IBucketTypeClaims claims, BucketTypeReconciler reconciler, IPassReporter reporter) : IEntityController<BucketType>
{
    public async Task<ReconciliationResult<BucketType>> ReconcileAsync(BucketType entity, CancellationToken cancellationToken)
    {
        var cluster = await objects.GetAsync<Cluster>(entity.Spec.ClusterRef.Name, entity.Metadata.NamespaceProperty, cancellationToken);
        var all = await claims.AllBesideAsync(entity, cancellationToken);
        var pass = await reconciler.RunAsync(entity, cluster, all, cancellationToken);
        await reporter.ReportAsync(entity, entity.Status, pass.Status, cancellationToken);
        entity.Status = pass.Status;
        return ReconciliationResult<BucketType>.Of(entity, pass.Error, pass.RequeueAfter, pass.LongestBackoff);
    }

    /// <summary>The type stays in the cluster, as in Riak: buckets may use it.</summary>
    public Task<ReconciliationResult<BucketType>> DeletedAsync(BucketType entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<BucketType>.Success(entity));
}
