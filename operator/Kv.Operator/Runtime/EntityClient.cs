using System.Text.Json;
using System.Text.Json.Nodes;
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

    public async Task<IReadOnlyList<TEntity>> ListAsync<TEntity>(string @namespace, CancellationToken cancellationToken)
        where TEntity : class, IKubernetesObject<V1ObjectMeta>
    {
        var entities = new List<TEntity>();
        string? next = null;
        do
        {
            var page = await api.ListAsync(ResourceKind.Of(typeof(TEntity)), @namespace, null, next, cancellationToken);
            entities.AddRange(page.Items.Select(Read<TEntity>).OfType<TEntity>());
            next = page.ContinueToken;
        }
        while (next is not null);
        return entities;
    }

    private static TEntity? Read<TEntity>(JsonObject item)
        where TEntity : class
    {
        try
        {
            return item.Deserialize<TEntity>(KvJson.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
