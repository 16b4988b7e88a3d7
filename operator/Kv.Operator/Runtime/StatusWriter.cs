using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Kv.Operator.Api;

namespace Kv.Operator.Runtime;

/// <summary>
/// Writes a status, whole, through its subresource, and only if it differs from what is there. It answers to the object as it was read: if anybody has written that
/// since (another spec, the status of a leader that took over meanwhile, a successor of the same name), the server refuses it with a conflict, and a new pass looks again.
/// </summary>
internal sealed class StatusWriter(IKubernetesApi api)
{
    /// <summary>Whether it was written.</summary>
    public async Task<bool> WriteAsync<TStatus>(ResourceKind kind, IKubernetesObject<V1ObjectMeta> entity, TStatus before, TStatus after, CancellationToken cancel)
    {
        var text = JsonSerializer.Serialize(after, KvJson.Options);
        if (JsonSerializer.Serialize(before, KvJson.Options) == text)
        {
            return false;
        }

        JsonArray patch = [JsonPatch.Unchanged(entity.Metadata), JsonPatch.Add("/status", JsonNode.Parse(text))];
        await api.PatchAsync(kind, entity.Metadata.NamespaceProperty, entity.Metadata.Name, "status", patch, cancel);
        return true;
    }
}
