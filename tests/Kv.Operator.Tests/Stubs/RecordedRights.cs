using System.Text.Json.Nodes;
using Kv.Operator.Runtime;

namespace Kv.Operator.Tests.Stubs;

/// <summary>An API server that remembers what whoever calls it needs the right to, as roles say it: <c>verb resource of group</c>.</summary>
internal sealed class RecordedRights(IKubernetesApi api) : IKubernetesApi
{
    private readonly Lock gate = new();
    private readonly SortedSet<string> rights = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Rights
    {
        get
        {
            lock (gate)
            {
                return [.. rights];
            }
        }
    }

    public static string Right(string verb, string resource, string group) => $"{verb} {resource} of {(group.Length == 0 ? "core" : group)}";

    public Task<JsonObject?> GetAsync(ResourceKind kind, string @namespace, string name, CancellationToken cancel)
    {
        Need("get", kind);
        return api.GetAsync(kind, @namespace, name, cancel);
    }

    public Task<ListPage> ListAsync(ResourceKind kind, string? @namespace, string? labelSelector, string? continueToken, CancellationToken cancel)
    {
        Need("list", kind);
        return api.ListAsync(kind, @namespace, labelSelector, continueToken, cancel);
    }

    public IAsyncEnumerable<WatchEvent> WatchAsync(ResourceKind kind, string? @namespace, string? labelSelector, string resourceVersion, TimeSpan timeout, CancellationToken cancel)
    {
        Need("watch", kind);
        return api.WatchAsync(kind, @namespace, labelSelector, resourceVersion, timeout, cancel);
    }

    /// <summary>One that names what it found there makes nothing.</summary>
    public Task<JsonObject> ApplyAsync(ResourceKind kind, string @namespace, string name, JsonObject intent, string fieldManager, CancellationToken cancel)
    {
        Need("patch", kind);
        if (intent["metadata"]!["uid"] is null && intent["metadata"]!["resourceVersion"] is null)
        {
            Need("create", kind);
        }

        return api.ApplyAsync(kind, @namespace, name, intent, fieldManager, cancel);
    }

    public Task<JsonObject> PatchAsync(ResourceKind kind, string @namespace, string name, string? subresource, JsonArray patch, CancellationToken cancel)
    {
        Need("patch", kind, subresource);
        return api.PatchAsync(kind, @namespace, name, subresource, patch, cancel);
    }

    public Task<JsonObject> CreateAsync(ResourceKind kind, string @namespace, JsonObject body, CancellationToken cancel)
    {
        Need("create", kind);
        return api.CreateAsync(kind, @namespace, body, cancel);
    }

    public Task<JsonObject> ReplaceAsync(ResourceKind kind, string @namespace, string name, JsonObject body, CancellationToken cancel)
    {
        Need("update", kind);
        return api.ReplaceAsync(kind, @namespace, name, body, cancel);
    }

    public Task DeleteAsync(ResourceKind kind, string @namespace, string name, string uid, CancellationToken cancel)
    {
        Need("delete", kind);
        return api.DeleteAsync(kind, @namespace, name, uid, cancel);
    }

    public Task EvictAsync(string @namespace, string pod, string uid, CancellationToken cancel)
    {
        Need("create", ResourceKind.Pod, "eviction");
        return api.EvictAsync(@namespace, pod, uid, cancel);
    }

    /// <summary>Everybody may.</summary>
    public Task<bool> ServesAsync(ResourceKind kind, CancellationToken cancel) => api.ServesAsync(kind, cancel);

    private void Need(string verb, ResourceKind kind, string? subresource = null)
    {
        lock (gate)
        {
            rights.Add(Right(verb, subresource is null ? kind.Plural : $"{kind.Plural}/{subresource}", kind.Group));
        }
    }
}
