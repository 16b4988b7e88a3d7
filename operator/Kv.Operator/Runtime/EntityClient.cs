using System.Text.Json;
using k8s;
using k8s.Models;
using Kv.Operator.Abstractions;
using Kv.Operator.Api;

namespace Kv.Operator.Runtime;

/// <summary>Objects of our kinds out of the JSON of the API server.</summary>
internal sealed class EntityClient(IKubernetesApi api) : IKubernetesClient
{
    public async Task<TEntity?> GetAsync<TEntity>(string name, string @namespace, CancellationToken cancellationToken)
        where TEntity : class, IKubernetesObject<V1ObjectMeta> =>
        (await api.GetAsync(ResourceKind.Of(typeof(TEntity)), @namespace, name, cancellationToken))?.Deserialize<TEntity>(KvJson.Options);
}
