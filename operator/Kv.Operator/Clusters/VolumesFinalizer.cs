using System.Globalization;
using System.Text.Json.Nodes;
using Kv.Operator.Abstractions;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Manifests;
using Kv.Operator.Runtime;

namespace Kv.Operator.Clusters;

/// <summary>
/// Deletes the volumes of a Cluster that is deleted, where its spec says so; in all other cases there is no finalizer, and volumes stay. The StatefulSets
/// go first, then the pods, and only then the claims: none is deleted under a node that runs, and none that was there before the Cluster, which is an earlier one's
/// of that name, unless the Cluster took its ring over.
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

    private async Task<IReadOnlyList<JsonObject>> ListAsync(ResourceKind kind, Cluster cluster, CancellationToken cancel)
    {
        var items = new List<JsonObject>();
        string? next = null;
        do
        {
            var page = await api.ListAsync(kind, cluster.Metadata.NamespaceProperty, $"{Names.ClusterLabel}={cluster.Metadata.Name},app.kubernetes.io/managed-by={Names.ManagedBy}", next, cancel);
            items.AddRange(page.Items.Where(item => kind != ResourceKind.VolumeClaim || IsOurs(cluster, item)));
            next = page.ContinueToken;
        }
        while (next is not null);
        return items;
    }

    /// <summary>Made for this Cluster; or for the one whose ring it took over, of which its nodes have told.</summary>
    private static bool IsOurs(Cluster cluster, JsonObject claim) =>
        (cluster.Metadata.Annotations?.ContainsKey(ClusterBlocks.ClusterIdAnnotation) == true && cluster.Status.Ring is not null)
        || (claim["metadata"]?["creationTimestamp"]?.ToString() is { } text && DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal) >= cluster.Metadata.CreationTimestamp);
}
