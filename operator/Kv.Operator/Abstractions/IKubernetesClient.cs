using k8s;
using k8s.Models;

namespace Kv.Operator.Abstractions;

/// <summary>Objects of our kinds, as a controller reads them: as they are now, and not from a cache. Shape and names are KubeOps'.</summary>
internal interface IKubernetesClient
{
    /// <summary>Null if it is not there.</summary>
    Task<TEntity?> GetAsync<TEntity>(string name, string @namespace, CancellationToken cancellationToken)
        where TEntity : class, IKubernetesObject<V1ObjectMeta>;
}
