using System.Text.Json.Nodes;

namespace Kv.Operator.Runtime;

/// <summary>
/// What we need of an API server, on JSON: typed models drop the fields that they do not know. Throws <see cref="KubernetesApiException"/>
/// for an answer that is an error, and <see cref="HttpRequestException"/> or <see cref="IOException"/> where none came.
/// </summary>
internal interface IKubernetesApi
{
    /// <summary>Null if it is not there.</summary>
    Task<JsonObject?> GetAsync(ResourceKind kind, string @namespace, string name, CancellationToken cancel);

    /// <summary>One page, consistent with the server's newest state.</summary>
    Task<ListPage> ListAsync(ResourceKind kind, string? @namespace, string? labelSelector, string? continueToken, CancellationToken cancel);

    /// <summary>Changes after a version, until the server ends the stream after about <paramref name="timeout"/>.</summary>
    IAsyncEnumerable<WatchEvent> WatchAsync(ResourceKind kind, string? @namespace, string? labelSelector, string resourceVersion, TimeSpan timeout, CancellationToken cancel);

    /// <summary>Server-side apply: makes the fields of <paramref name="intent"/> be as they are there, creating the object where it is not.</summary>
    Task<JsonObject> ApplyAsync(ResourceKind kind, string @namespace, string name, JsonObject intent, string fieldManager, CancellationToken cancel);

    /// <summary>A JSON patch; on a subresource if one is named.</summary>
    Task<JsonObject> PatchAsync(ResourceKind kind, string @namespace, string name, string? subresource, JsonArray patch, CancellationToken cancel);

    Task<JsonObject> CreateAsync(ResourceKind kind, string @namespace, JsonObject body, CancellationToken cancel);

    /// <summary>Replaces an object whole, if its resource version still is that of <paramref name="body"/>.</summary>
    Task<JsonObject> ReplaceAsync(ResourceKind kind, string @namespace, string name, JsonObject body, CancellationToken cancel);

    /// <summary>Deletes the object with this UID and no other of the same name; nothing if it is gone.</summary>
    Task DeleteAsync(ResourceKind kind, string @namespace, string name, string uid, CancellationToken cancel);

    /// <summary>Asks for the end of the pod with this UID as drains do: refused while its disruption budget does not allow it. Nothing if it is gone.</summary>
    Task EvictAsync(string @namespace, string pod, string uid, CancellationToken cancel);

    /// <summary>Whether the server has a kind: discovery.</summary>
    Task<bool> ServesAsync(ResourceKind kind, CancellationToken cancel);
}
