using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Kv.Operator.Runtime;

namespace Kv.Operator.Tests.Stubs;

/// <summary>An API server in memory, good enough for watches and conflicts: pages, bookmarks, expired versions, streams that break. Apply is a merge that remembers what was applied.</summary>
internal sealed class FakeKubernetes : IKubernetesApi
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, JsonObject> objects = new(StringComparer.Ordinal);
    private readonly List<(long Version, string Path, WatchEvent Event)> history = [];
    private readonly List<(string Prefix, Channel<WatchEvent> Channel)> watchers = [];
    private readonly Dictionary<string, int> ended = [];
    private long version = 10;
    private long oldest;

    /// <summary>Changes that were asked for, of any kind.</summary>
    public int Writes { get; private set; }

    public int Gets { get; private set; }

    public int Lists { get; private set; }

    public int Watches { get; private set; }

    public int PageSize { get; set; } = 2;

    /// <summary>The namespace is being deleted: what is there can be changed, and nothing is made.</summary>
    public bool IsEnding { get; set; }

    /// <summary>Whether the disruption budget lets a pod be evicted now.</summary>
    public Func<string, bool> Evicts { get; set; } = _ => true;

    public void Put(ResourceKind kind, string name, string @namespace = "default") =>
        Put(kind, new JsonObject { ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = @namespace } });

    /// <summary>Somebody else's write: an object as it is from now on.</summary>
    public void Put(ResourceKind kind, JsonObject body)
    {
        lock (gate)
        {
            Store(kind, body["metadata"]!["namespace"]!.ToString(), body["metadata"]!["name"]!.ToString(), body);
        }
    }

    public void Remove(ResourceKind kind, string name, string @namespace = "default")
    {
        lock (gate)
        {
            var path = kind.PathOf(@namespace, name);
            if (objects.Remove(path, out var gone))
            {
                ended[path] = ended.GetValueOrDefault(path) + 1;
                Publish(path, new WatchEvent(WatchEventType.Deleted, Stamped(gone)));
            }
        }
    }

    /// <summary>Watches from before now are told that they are too old.</summary>
    public void Expire()
    {
        lock (gate)
        {
            oldest = ++version;
        }
    }

    /// <summary>Gone while nobody looked: the watches of its kind end as too old, and the next list lacks it.</summary>
    public void VanishUnseen(ResourceKind kind, string name, string @namespace = "default")
    {
        lock (gate)
        {
            objects.Remove(kind.PathOf(@namespace, name));
            Expire();
            var blind = watchers.Where(watcher => watcher.Prefix.EndsWith($"/{kind.Plural}", StringComparison.Ordinal)).ToList();
            blind.ForEach(watcher => watcher.Channel.Writer.TryComplete(new KubernetesApiException(HttpStatusCode.Gone, "too old resource version")));
            watchers.RemoveAll(blind.Contains);
        }
    }

    public void Bookmark()
    {
        lock (gate)
        {
            version++;
            var mark = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture) } };
            watchers.ForEach(watcher => watcher.Channel.Writer.TryWrite(new WatchEvent(WatchEventType.Bookmark, mark)));
        }
    }

    /// <summary>Ends all watches; cleanly, or with an error.</summary>
    public void BreakWatches(Exception? error = null)
    {
        lock (gate)
        {
            watchers.ForEach(watcher => watcher.Channel.Writer.TryComplete(error));
            watchers.Clear();
        }
    }

    public int OpenWatches
    {
        get
        {
            lock (gate)
            {
                return watchers.Count;
            }
        }
    }

    public async Task<JsonObject?> GetAsync(ResourceKind kind, string @namespace, string name, CancellationToken cancel)
    {
        await BeforeGet(cancel);
        lock (gate)
        {
            Gets++;
            return objects.TryGetValue(kind.PathOf(@namespace, name), out var found) ? found.DeepClone().AsObject() : null;
        }
    }

    /// <summary>What a read waits for.</summary>
    public Func<CancellationToken, Task> BeforeGet { get; set; } = _ => Task.CompletedTask;

    /// <summary>What a list fails with; null where it does not.</summary>
    public Func<ResourceKind, Exception?> FailList { get; set; } = _ => null;

    public Task<ListPage> ListAsync(ResourceKind kind, string? @namespace, string? labelSelector, string? continueToken, CancellationToken cancel)
    {
        lock (gate)
        {
            Lists++;
            if (FailList(kind) is { } error)
            {
                throw error;
            }

            var all = objects.Where(pair => IsUnder(pair.Key, kind, @namespace) && Matches(pair.Value, labelSelector)).Select(pair => pair.Value.DeepClone().AsObject()).ToList();
            var from = continueToken is null ? 0 : int.Parse(continueToken, CultureInfo.InvariantCulture);
            var next = from + PageSize < all.Count ? (from + PageSize).ToString(CultureInfo.InvariantCulture) : null;
            return Task.FromResult(new ListPage([.. all.Skip(from).Take(PageSize)], version.ToString(CultureInfo.InvariantCulture), next));
        }
    }

    public async IAsyncEnumerable<WatchEvent> WatchAsync(
        ResourceKind kind, string? @namespace, string? labelSelector, string resourceVersion, TimeSpan timeout, [EnumeratorCancellation] CancellationToken cancel)
    {
        var channel = Channel.CreateUnbounded<WatchEvent>();
        lock (gate)
        {
            Watches++;
            var from = long.Parse(resourceVersion, CultureInfo.InvariantCulture);
            if (from < oldest)
            {
                throw new KubernetesApiException(HttpStatusCode.Gone, "too old resource version");
            }

            foreach (var (_, _, missed) in history.Where(one => one.Version > from && IsUnder(one.Path, kind, @namespace)))
            {
                channel.Writer.TryWrite(missed);
            }

            watchers.Add((kind.PathOf(@namespace), channel));
        }

        await foreach (var change in channel.Reader.ReadAllAsync(cancel))
        {
            yield return change;
        }
    }

    public Task<JsonObject> ApplyAsync(ResourceKind kind, string @namespace, string name, JsonObject intent, string fieldManager, CancellationToken cancel)
    {
        lock (gate)
        {
            Writes++;
            var exists = objects.TryGetValue(kind.PathOf(@namespace, name), out var live);
            foreach (var precondition in new[] { "uid", "resourceVersion" })
            {
                // Where there is nothing, an object with a UID is refused too: it is not made anew.
                if (intent["metadata"]?[precondition]?.ToString() is { } seen && seen != live?["metadata"]?[precondition]?.ToString())
                {
                    throw new KubernetesApiException(HttpStatusCode.Conflict, "the object has been modified");
                }
            }

            var body = exists ? Merged(live!, intent) : intent.DeepClone().AsObject();
            body["metadata"]!["managedFields"] = new JsonArray(new JsonObject { ["manager"] = fieldManager, ["operation"] = "Apply", ["fieldsV1"] = FieldsOf(intent) });
            return Task.FromResult(Store(kind, @namespace, name, body));
        }
    }

    public Task<JsonObject> PatchAsync(ResourceKind kind, string @namespace, string name, string? subresource, JsonArray patch, CancellationToken cancel)
    {
        lock (gate)
        {
            Writes++;
            BeforePatch?.Invoke();
            BeforePatch = null;
            var path = kind.PathOf(@namespace, name);
            var live = objects.TryGetValue(path, out var found) ? found : throw new KubernetesApiException(HttpStatusCode.NotFound, "not found");
            var body = live.DeepClone().AsObject();
            foreach (var step in patch)
            {
                Patch(body, step!.AsObject());
            }

            if (body["metadata"]!["resourceVersion"]!.ToString() != live["metadata"]!["resourceVersion"]!.ToString())
            {
                throw new KubernetesApiException(HttpStatusCode.Conflict, "the object has been modified");
            }

            var stored = Store(kind, @namespace, name, body);
            if (body["metadata"]!["deletionTimestamp"] is not null && body["metadata"]!["finalizers"] is not JsonArray { Count: > 0 })
            {
                Remove(kind, name, @namespace);
            }

            return Task.FromResult(stored);
        }
    }

    /// <summary>What somebody else does just before the next patch arrives.</summary>
    public Action? BeforePatch { get; set; }

    public Task<JsonObject> CreateAsync(ResourceKind kind, string @namespace, JsonObject body, CancellationToken cancel)
    {
        lock (gate)
        {
            Writes++;
            var name = body["metadata"]!["name"]!.ToString();
            return objects.ContainsKey(kind.PathOf(@namespace, name))
                ? throw new KubernetesApiException(HttpStatusCode.Conflict, "already exists")
                : Task.FromResult(Store(kind, @namespace, name, body.DeepClone().AsObject()));
        }
    }

    public Task<JsonObject> ReplaceAsync(ResourceKind kind, string @namespace, string name, JsonObject body, CancellationToken cancel)
    {
        lock (gate)
        {
            Writes++;
            var live = objects[kind.PathOf(@namespace, name)];
            return live["metadata"]!["resourceVersion"]!.ToString() != body["metadata"]!["resourceVersion"]?.ToString()
                ? throw new KubernetesApiException(HttpStatusCode.Conflict, "the object has been modified")
                : Task.FromResult(Store(kind, @namespace, name, body.DeepClone().AsObject()));
        }
    }

    public Task DeleteAsync(ResourceKind kind, string @namespace, string name, string uid, CancellationToken cancel)
    {
        lock (gate)
        {
            Writes++;
            if (!objects.TryGetValue(kind.PathOf(@namespace, name), out var live))
            {
                return Task.CompletedTask;
            }

            if (live["metadata"]!["uid"]!.ToString() != uid)
            {
                throw new KubernetesApiException(HttpStatusCode.Conflict, "the UID in the precondition is another");
            }

            Delete(kind, name, @namespace);
            return Task.CompletedTask;
        }
    }

    /// <summary>As a person does it: at once, or as soon as the last finalizer is gone.</summary>
    public void Delete(ResourceKind kind, string name, string @namespace = "default")
    {
        lock (gate)
        {
            if (objects.TryGetValue(kind.PathOf(@namespace, name), out var live) && live["metadata"]!["finalizers"] is JsonArray { Count: > 0 })
            {
                var body = live.DeepClone().AsObject();
                body["metadata"]!["deletionTimestamp"] ??= "2026-01-02T03:04:05Z";
                Store(kind, @namespace, name, body);
                return;
            }

            Remove(kind, name, @namespace);
        }
    }

    public Task EvictAsync(string @namespace, string pod, string uid, CancellationToken cancel) => Evicts(pod)
        ? DeleteAsync(ResourceKind.Pod, @namespace, pod, uid, cancel)
        : throw new KubernetesApiException(HttpStatusCode.TooManyRequests, "Cannot evict pod as it would violate the pod's disruption budget.");

    /// <summary>Everything that there is, by path, as it is.</summary>
    public IReadOnlyDictionary<string, JsonObject> Snapshot()
    {
        lock (gate)
        {
            return objects.ToDictionary(pair => pair.Key, pair => pair.Value.DeepClone().AsObject());
        }
    }

    public Task<bool> ServesAsync(ResourceKind kind, CancellationToken cancel) => Task.FromResult(kind.Version == "v1");

    private JsonObject Store(ResourceKind kind, string @namespace, string name, JsonObject body)
    {
        var path = kind.PathOf(@namespace, name);
        var isNew = !objects.TryGetValue(path, out var old);
        if (isNew && IsEnding)
        {
            throw new KubernetesApiException(HttpStatusCode.Forbidden, $"{kind.Plural} \"{name}\" is forbidden: unable to create new content in namespace {@namespace} because it is being terminated");
        }

        if (kind.Kind == "PodDisruptionBudget" && body["spec"]?["minAvailable"] is not null && body["spec"]?["maxUnavailable"] is not null)
        {
            throw new KubernetesApiException(HttpStatusCode.UnprocessableEntity, "minAvailable and maxUnavailable cannot be both set");
        }

        (body["apiVersion"], body["kind"]) = (kind.ApiVersion, kind.Kind);
        body["metadata"]!["uid"] ??= old?["metadata"]?["uid"]?.ToString() ?? (ended.GetValueOrDefault(path) is > 0 and var before ? $"uid-{name}-{before}" : $"uid-{name}");
        objects[path] = Stamped(body);
        Publish(path, new WatchEvent(isNew ? WatchEventType.Added : WatchEventType.Modified, objects[path].DeepClone().AsObject()));
        return objects[path].DeepClone().AsObject();
    }

    private JsonObject Stamped(JsonObject body)
    {
        body["metadata"]!["resourceVersion"] = (++version).ToString(CultureInfo.InvariantCulture);
        return body;
    }

    private void Publish(string path, WatchEvent change)
    {
        history.Add((version, path, change));
        foreach (var (prefix, channel) in watchers.Where(watcher => path.StartsWith(watcher.Prefix, StringComparison.Ordinal) || watcher.Prefix.Split('/')[^1] == path.Split('/')[^2]))
        {
            channel.Writer.TryWrite(change);
        }
    }

    private static bool IsUnder(string path, ResourceKind kind, string? @namespace) =>
        @namespace is null ? path.StartsWith(kind.PathOf(null)[..^kind.Plural.Length], StringComparison.Ordinal) && path.Contains($"/{kind.Plural}/", StringComparison.Ordinal) : path.StartsWith(kind.PathOf(@namespace) + "/", StringComparison.Ordinal);

    private static bool Matches(JsonObject item, string? selector) => string.IsNullOrEmpty(selector)
        || selector.Split(',').All(one => item["metadata"]?["labels"]?[one.Split('=')[0]]?.ToString() == one.Split('=')[1]);

    private static void Patch(JsonObject body, JsonObject step)
    {
        var names = step["path"]!.ToString().Split('/')[1..];
        var parent = names[..^1].Aggregate((JsonNode)body, (node, name) => node[name] ?? throw new KubernetesApiException(HttpStatusCode.UnprocessableEntity, $"no {name}"));
        var value = step["value"]?.DeepClone();
        switch (step["op"]!.ToString(), parent, names[^1])
        {
            case ("add", JsonArray list, "-"):
                list.Add(value);
                break;
            case ("remove", JsonArray list, var index):
                list.RemoveAt(int.Parse(index, CultureInfo.InvariantCulture));
                break;
            case ("remove", JsonObject map, var name):
                map.Remove(name);
                break;
            case ("add" or "replace", JsonObject map, var name):
                map[name] = value;
                break;
            default:
                throw new KubernetesApiException(HttpStatusCode.UnprocessableEntity, $"not understood: {step}");
        }
    }

    private static JsonObject Merged(JsonObject live, JsonObject intent)
    {
        var merged = live.DeepClone().AsObject();
        foreach (var (key, value) in intent)
        {
            merged[key] = merged[key] is JsonObject old && value is JsonObject wanted ? Merged(old, wanted) : value?.DeepClone();
        }

        return merged;
    }

    private static JsonObject FieldsOf(JsonObject intent) => new(intent
        .Where(pair => pair.Key is not ("apiVersion" or "kind"))
        .Select(pair => KeyValuePair.Create($"f:{pair.Key}", (JsonNode?)(pair.Value is JsonObject inner && pair.Key is not "metadata" ? FieldsOf(inner) : new JsonObject()))));
}
