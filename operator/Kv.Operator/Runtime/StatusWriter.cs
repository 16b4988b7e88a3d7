using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Kv.Operator.Api;

namespace Kv.Operator.Runtime;

/// <summary>Writes a status, whole, through its subresource, and only if it differs from what is there.</summary>
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

        // Of this object and no other of its name: with the UID tested, a status never lands on a successor.
        JsonArray patch =
        [
            new JsonObject { ["op"] = "test", ["path"] = "/metadata/uid", ["value"] = entity.Metadata.Uid },
            new JsonObject { ["op"] = "add", ["path"] = "/status", ["value"] = JsonNode.Parse(text) },
        ];
        await api.PatchAsync(kind, entity.Metadata.NamespaceProperty, entity.Metadata.Name, "status", patch, cancel);
        return true;
    }
}
