using System.Text.Json.Nodes;
using Kv.Operator.Abstractions;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Manifests;
using Kv.Operator.Runtime;

namespace Kv.Operator.Clusters;

/// <summary>
/// Deletes the volumes of a Cluster that is deleted, where its spec says so; in all other cases there is no finalizer, and volumes stay. The StatefulSets
/// go first, then the pods, and only then the claims: none is deleted under a node that runs.
/// </summary>
internal sealed class VolumesFinalizer(IKubernetesApi api) : IEntityFinalizer<Cluster>
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);

    public string Identifier => "kv.dev/volumes";

    public bool IsNeeded(Cluster entity) => entity.Spec.Storage.Retention.WhenDeleted == RetentionPolicy.Delete;

    public async Task<ReconciliationResult<Cluster>> FinalizeAsync(Cluster entity, CancellationToken cancellationToken)
    {
        if (!IsNeeded(entity))
        {
            return ReconciliationResult<Cluster>.Success(entity);
        }

        foreach (var kind in new[] { ResourceKind.StatefulSet, ResourceKind.Pod, ResourceKind.VolumeClaim })
        {
            if (await ListAsync(kind, entity, cancellationToken) is { Count: > 0 } left)
            {
                // Pods go with their StatefulSet, each in its own time.
                foreach (var item in left.Where(item => kind != ResourceKind.Pod && item["metadata"]?["deletionTimestamp"] is null))
                {
                    var key = ObjectKey.Of(item);
                    await api.DeleteAsync(kind, key.Namespace, key.Name, item["metadata"]!["uid"]!.ToString(), cancellationToken);
                }

                return ReconciliationResult<Cluster>.Success(entity, Poll);
            }
        }

        return ReconciliationResult<Cluster>.Success(entity);
    }

    private async Task<IReadOnlyList<JsonObject>> ListAsync(ResourceKind kind, Cluster cluster, CancellationToken cancel) =>
        (await api.ListAsync(kind, cluster.Metadata.NamespaceProperty, $"{Names.ClusterLabel}={cluster.Metadata.Name},app.kubernetes.io/managed-by={Names.ManagedBy}", null, cancel)).Items;
}
