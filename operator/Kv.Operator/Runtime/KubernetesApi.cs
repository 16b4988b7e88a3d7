using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;

namespace Kv.Operator.Runtime;

/// <summary>The API server over HTTP. KubernetesClient finds it, and brings TLS and credentials; the requests are ours, since its own watch of custom kinds takes no resource version.</summary>
internal sealed class KubernetesApi(Kubernetes client, OperatorMetrics metrics) : IKubernetesApi
{
    private const int PageSize = 500;
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(30);
    private string? evictionVersion;

    public async Task<JsonObject?> GetAsync(ResourceKind kind, string @namespace, string name, CancellationToken cancel)
    {
        try
        {
            return await SendAsync(HttpMethod.Get, kind.PathOf(@namespace, name), null, "application/json", cancel);
        }
        catch (KubernetesApiException e) when (e.Code == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    public async Task<ListPage> ListAsync(ResourceKind kind, string? @namespace, string? labelSelector, string? continueToken, CancellationToken cancel)
    {
        var query = $"?limit={PageSize}" + Query("labelSelector", labelSelector) + Query("continue", continueToken);
        var list = await SendAsync(HttpMethod.Get, kind.PathOf(@namespace) + query, null, "application/json", cancel);
        var next = list["metadata"]?["continue"]?.ToString();
        // Items of a list have no kind of their own.
        var items = (list["items"] as JsonArray ?? []).OfType<JsonObject>().Select(item =>
        {
            item["apiVersion"] ??= kind.ApiVersion;
            item["kind"] ??= kind.Kind;
            return item;
        });
        return new ListPage([.. items], list["metadata"]?["resourceVersion"]?.ToString() ?? "", string.IsNullOrEmpty(next) ? null : next);
    }

    public async IAsyncEnumerable<WatchEvent> WatchAsync(
        ResourceKind kind, string? @namespace, string? labelSelector, string resourceVersion, TimeSpan timeout, [EnumeratorCancellation] CancellationToken cancel)
    {
        var query = $"?watch=true&allowWatchBookmarks=true&timeoutSeconds={(int)timeout.TotalSeconds}&resourceVersion={Uri.EscapeDataString(resourceVersion)}" + Query("labelSelector", labelSelector);
        using var request = await RequestAsync(HttpMethod.Get, kind.PathOf(@namespace) + query, null, "application/json", cancel);
        using var response = await client.HttpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        metrics.ApiRequest("watch", response.StatusCode);
        await ThrowIfErrorAsync(response, cancel);
        await using var stream = await response.Content.ReadAsStreamAsync(cancel);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        while (await reader.ReadLineAsync(cancel) is { } line)
        {
            if (line.Length > 0)
            {
                yield return ParseEvent(line);
            }
        }
    }

    public Task<JsonObject> ApplyAsync(ResourceKind kind, string @namespace, string name, JsonObject intent, string fieldManager, CancellationToken cancel) =>
        // JSON is YAML, which is what the content type asks for.
        SendAsync(HttpMethod.Patch, kind.PathOf(@namespace, name) + $"?fieldManager={fieldManager}&force=true", intent, "application/apply-patch+yaml", cancel);

    public Task<JsonObject> PatchAsync(ResourceKind kind, string @namespace, string name, string? subresource, JsonArray patch, CancellationToken cancel) =>
        SendAsync(HttpMethod.Patch, kind.PathOf(@namespace, name, subresource), patch, "application/json-patch+json", cancel);

    public Task<JsonObject> CreateAsync(ResourceKind kind, string @namespace, JsonObject body, CancellationToken cancel) =>
        SendAsync(HttpMethod.Post, kind.PathOf(@namespace), body, "application/json", cancel);

    public Task<JsonObject> ReplaceAsync(ResourceKind kind, string @namespace, string name, JsonObject body, CancellationToken cancel) =>
        SendAsync(HttpMethod.Put, kind.PathOf(@namespace, name), body, "application/json", cancel);

    public async Task DeleteAsync(ResourceKind kind, string @namespace, string name, string uid, CancellationToken cancel)
    {
        var body = new JsonObject { ["preconditions"] = new JsonObject { ["uid"] = uid }, ["propagationPolicy"] = "Background" };
        try
        {
            await SendAsync(HttpMethod.Delete, kind.PathOf(@namespace, name), body, "application/json", cancel);
        }
        catch (KubernetesApiException e) when (e.Code is HttpStatusCode.NotFound)
        {
            // Somebody was quicker.
        }
    }

    public async Task EvictAsync(string @namespace, string pod, string uid, CancellationToken cancel)
    {
        evictionVersion ??= await EvictionVersionAsync(cancel);
        var body = new JsonObject
        {
            ["apiVersion"] = evictionVersion,
            ["kind"] = "Eviction",
            ["metadata"] = new JsonObject { ["name"] = pod, ["namespace"] = @namespace },
            ["deleteOptions"] = new JsonObject { ["preconditions"] = new JsonObject { ["uid"] = uid } },
        };
        try
        {
            await SendAsync(HttpMethod.Post, ResourceKind.Pod.PathOf(@namespace, pod, "eviction"), body, "application/json", cancel);
        }
        catch (KubernetesApiException e) when (e.Code is HttpStatusCode.NotFound)
        {
            // Somebody was quicker.
        }
    }

    public async Task<bool> ServesAsync(ResourceKind kind, CancellationToken cancel)
    {
        try
        {
            var served = await SendAsync(HttpMethod.Get, kind.Group.Length == 0 ? $"api/{kind.Version}" : $"apis/{kind.Group}/{kind.Version}", null, "application/json", cancel);
            return (served["resources"] as JsonArray ?? []).Any(one => one?["name"]?.ToString() == kind.Plural);
        }
        catch (KubernetesApiException e) when (e.Code == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>policy/v1 from Kubernetes 1.22 on, before it v1beta1, which 1.25 dropped: 1.21 has budgets in v1 and evictions not, so the subresource itself is asked for.</summary>
    private async Task<string> EvictionVersionAsync(CancellationToken cancel)
    {
        var core = await SendAsync(HttpMethod.Get, "api/v1", null, "application/json", cancel);
        var served = (core["resources"] as JsonArray ?? []).FirstOrDefault(one => one?["name"]?.ToString() == "pods/eviction");
        return served is null ? "policy/v1" : $"{served["group"]}/{served["version"]}";
    }

    private static WatchEvent ParseEvent(string line)
    {
        var json = ParseObject(line) ?? throw Senseless("a watch sent something that is no event");
        var body = json["object"] as JsonObject ?? throw Senseless("a watch sent an event without its object");
        switch (json["type"]?.ToString())
        {
            case "ADDED":
                return new WatchEvent(WatchEventType.Added, body);
            case "MODIFIED":
                return new WatchEvent(WatchEventType.Modified, body);
            case "DELETED":
                return new WatchEvent(WatchEventType.Deleted, body);
            case "BOOKMARK":
                return new WatchEvent(WatchEventType.Bookmark, body);
            case "ERROR":
                // A version that is too old is told in the stream as often as by a status code.
                var code = int.TryParse(body["code"]?.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? (HttpStatusCode)number : HttpStatusCode.InternalServerError;
                throw new KubernetesApiException(code, body["message"]?.ToString() ?? "a watch ended with an error");
            default:
                throw Senseless($"a watch sent an event of the unknown type {json["type"]}");
        }
    }

    private static KubernetesApiException Senseless(string message) => new(HttpStatusCode.BadGateway, message);

    private static JsonObject? ParseObject(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<JsonObject> SendAsync(HttpMethod method, string path, JsonNode? body, string contentType, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(RequestTimeout);
        try
        {
            using var request = await RequestAsync(method, path, body, contentType, limit.Token);
            using var response = await client.HttpClient.SendAsync(request, limit.Token);
            metrics.ApiRequest(method.Method.ToLowerInvariant(), response.StatusCode);
            await ThrowIfErrorAsync(response, limit.Token);
            return ParseObject(await response.Content.ReadAsStringAsync(limit.Token)) ?? throw Senseless($"the API server answered {method} {path} with something that is no object");
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new HttpRequestException($"the API server did not answer {method} {path} within {RequestTimeout.TotalSeconds} s", e);
        }
    }

    private async Task<HttpRequestMessage> RequestAsync(HttpMethod method, string path, JsonNode? body, string contentType, CancellationToken cancel)
    {
        var request = new HttpRequestMessage(method, new Uri(client.BaseUri, path));
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8);
            request.Content.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue(contentType);
        }

        if (client.Credentials is not null)
        {
            await AuthorizeAsync(client.Credentials, request, cancel);
        }

        return request;
    }

    /// <summary>Credentials come from files and programs, which fail in ways of their own: to a caller it is a request that could not be sent, and that may be sent later.</summary>
    private static async Task AuthorizeAsync(k8s.Authentication.ServiceClientCredentials credentials, HttpRequestMessage request, CancellationToken cancel)
    {
        try
        {
            await credentials.ProcessHttpRequestAsync(request, cancel);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested && e is not (HttpRequestException or IOException))
        {
            throw new HttpRequestException($"the credentials for the API server cannot be had: {e.Message}", e);
        }
    }

    private static async Task ThrowIfErrorAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        var text = await response.Content.ReadAsStringAsync(cancel);
        // Of a proxy's page the status says enough.
        throw new KubernetesApiException(response.StatusCode, ParseObject(text)?["message"]?.ToString() ?? $"the API server answered {(int)response.StatusCode} {response.ReasonPhrase}");
    }

    private static string Query(string name, string? value) => string.IsNullOrEmpty(value) ? "" : $"&{name}={Uri.EscapeDataString(value)}";
}
