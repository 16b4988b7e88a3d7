using System.Text.Json.Nodes;

namespace Kv.Operator.Runtime;

/// <summary>
/// Keeps an eye on all objects of a kind: lists them in pages, then watches from there on, for ever. Survives a dropped stream (goes on from the
/// last version it saw), one that hangs half open (its own watchdog), and a version that is too old, told by status or in the stream (lists anew, and
/// tells of objects that vanished meanwhile). It keeps names and labels only: whoever is told reads the object itself.
/// </summary>
internal sealed partial class Reflector(
    IKubernetesApi api, ResourceKind kind, string? @namespace, string? labelSelector, TimeProvider time, OperatorMetrics metrics, ILogger logger, Random random)
{
    private static readonly TimeSpan WatchTimeout = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan WatchdogMargin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);

    /// <summary>A watch that lived for so long was none that ends as soon as it begins: the next one follows at once, and the waits begin anew.</summary>
    private static readonly TimeSpan LivedAfter = TimeSpan.FromSeconds(10);

    /// <summary>The labels of each object that there is: what is gone is told with them, since they say whose it was.</summary>
    private readonly Dictionary<ObjectKey, JsonNode?> labels = [];

    /// <summary>
    /// Runs until cancelled. <paramref name="changed"/> is called for each object that is new, changed or gone: with its last known form, or, where it vanished unseen, only its
    /// name and labels.
    /// </summary>
    public async Task RunAsync(Action<JsonObject> changed, CancellationToken cancel)
    {
        string? version = null;
        var retry = FirstRetry;
        while (!cancel.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            var isBroken = false;
            try
            {
                version ??= await ListAsync(changed, cancel);
                began = time.GetTimestamp();
                version = await WatchAsync(version, changed, cancel);
            }
            catch (KubernetesApiException e) when (e.IsExpired)
            {
                metrics.WatchRestarted(kind.Kind, "expired");
                version = null;
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Everything, as in a pass: a watch that ends for want of a case here would leave an operator that looks alive and sees nothing.
                metrics.WatchRestarted(kind.Kind, e is OperationCanceledException ? "silent" : "error");
                LogBroken(kind.Kind, e.Message);
                // A dropped stream goes on where it was; anything stranger is cheaper to list anew than to understand.
                version = e is IOException or OperationCanceledException ? version : null;
                isBroken = true;
            }

            // However it ended: an end that comes at once, again and again, must not become a loop without a pause.
            var hasLived = time.GetElapsedTime(began) >= LivedAfter;
            retry = hasLived ? FirstRetry : retry;
            if (isBroken || !hasLived)
            {
                await Task.Delay(retry * (1 + random.NextDouble()), time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                retry = retry * 2 < LastRetry ? retry * 2 : LastRetry;
            }
        }
    }

    private string? lastSeen;

    private async Task<string> ListAsync(Action<JsonObject> changed, CancellationToken cancel)
    {
        var listed = new Dictionary<ObjectKey, JsonNode?>();
        string? next = null;
        string version;
        do
        {
            var page = await api.ListAsync(kind, @namespace, labelSelector, next, cancel);
            foreach (var item in page.Items)
            {
                listed[ObjectKey.Of(item)] = LabelsOf(item);
                changed(item);
            }

            (version, next) = (page.ResourceVersion, page.ContinueToken);
        }
        while (next is not null);

        foreach (var gone in labels.Keys.Except(listed.Keys).ToList())
        {
            changed(Tombstone(gone));
        }

        labels.Clear();
        foreach (var (key, one) in listed)
        {
            labels[key] = one;
        }

        return lastSeen = version;
    }

    /// <summary>One watch, to its end. The version to go on from.</summary>
    private async Task<string> WatchAsync(string from, Action<JsonObject> changed, CancellationToken cancel)
    {
        lastSeen = from;
        var timeout = WatchTimeout * (1 + random.NextDouble());
        using var watchdog = new CancellationTokenSource(timeout + WatchdogMargin, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, watchdog.Token);
        try
        {
            await foreach (var change in api.WatchAsync(kind, @namespace, labelSelector, from, timeout, either.Token))
            {
                lastSeen = VersionOf(change.Object);
                if (change.Type == WatchEventType.Bookmark)
                {
                    continue;
                }

                var key = ObjectKey.Of(change.Object);
                if (change.Type == WatchEventType.Deleted)
                {
                    labels.Remove(key);
                }
                else
                {
                    labels[key] = LabelsOf(change.Object);
                }

                changed(change.Object);
            }
        }
        catch (Exception e) when (e is IOException or HttpRequestException && lastSeen != from)
        {
            // The stream broke after it had told something: it goes on from there, as after an end.
            metrics.WatchRestarted(kind.Kind, "dropped");
        }

        return lastSeen;
    }

    private JsonObject Tombstone(ObjectKey key) => new()
    {
        ["apiVersion"] = kind.ApiVersion,
        ["kind"] = kind.Kind,
        ["metadata"] = new JsonObject { ["namespace"] = key.Namespace, ["name"] = key.Name, ["labels"] = labels[key]?.DeepClone() },
    };

    private static JsonNode? LabelsOf(JsonObject item) => item["metadata"]?["labels"]?.DeepClone();

    private static string VersionOf(JsonObject item) => item["metadata"]?["resourceVersion"]?.ToString() ?? "";

    [LoggerMessage(EventId = 101, Level = LogLevel.Warning, Message = "watching {Kind} broke off: {Why}")]
    private partial void LogBroken(string kind, string why);
}
