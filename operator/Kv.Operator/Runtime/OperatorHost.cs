using System.Text.Json.Nodes;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Manifests;

namespace Kv.Operator.Runtime;

/// <summary>Leads, watches, and keeps the queues of both kinds fed: by their own objects, by what their objects own, and by the clock.</summary>
internal sealed partial class OperatorHost(
    OperatorOptions options,
    IKubernetesApi api,
    ControllerLoop<Cluster> clusters,
    ControllerLoop<BucketType> bucketTypes,
    OperatorMetrics metrics,
    TimeProvider time,
    ILoggerFactory loggers)
{
    private static readonly TimeSpan Resync = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);
    private readonly ILogger<OperatorHost> logger = loggers.CreateLogger<OperatorHost>();

    /// <summary>Until cancelled: 0. If leadership is lost, or part of the work ended by itself: 1, and the process must end, so that two never act at once and none acts by halves.</summary>
    public async Task<int> RunAsync(CancellationToken cancel)
    {
        var election = new LeaderElection(api, options.Namespace, options.LeaseName, options.Identity, time, loggers.CreateLogger<LeaderElection>());
        try
        {
            await election.AcquireAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            return 0;
        }

        metrics.IsLeader = true;
        using var leading = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var holding = new CancellationTokenSource();
        var work = WorkAsync(leading);
        var hold = election.HoldAsync(holding.Token);
        await Task.WhenAny(work, hold, Task.Delay(Timeout.InfiniteTimeSpan, time, leading.Token)).ConfigureAwait(ConfigureAwaitOptions.None);
        var isAsked = cancel.IsCancellationRequested;

        // First the work ends, then the lease is given back: never the other way round.
        await leading.CancelAsync();
        await Task.WhenAny(work, Task.Delay(StopTimeout, time, CancellationToken.None));
        await holding.CancelAsync();
        var lost = await hold;
        metrics.IsLeader = false;
        if (work.IsFaulted)
        {
            LogBroken(work.Exception.InnerException);
        }

        return lost || work.IsFaulted || !isAsked ? 1 : 0;
    }

    /// <summary>All loops at once. None ends by itself: the first that does ends the others, and with them the operator.</summary>
    private async Task WorkAsync(CancellationTokenSource leading)
    {
        var cancel = leading.Token;
        var namespaces = options.WatchNamespaces.IsEmpty ? [null] : options.WatchNamespaces.Select(one => (string?)one).ToList();
        var owned = $"app.kubernetes.io/managed-by={Names.ManagedBy}";
        ResourceKind[] children = [ResourceKind.StatefulSet, ResourceKind.Pod, ResourceKind.Service, ResourceKind.ConfigMap, ResourceKind.ServiceAccount, await BudgetKindAsync(cancel)];
        var tasks = new List<Task> { clusters.RunAsync(cancel), bucketTypes.RunAsync(cancel) };
        foreach (var one in namespaces)
        {
            tasks.Add(WatchAsync(ResourceKind.Cluster, one, null, Enqueue, cancel));
            tasks.Add(WatchAsync(ResourceKind.BucketType, one, null, item => bucketTypes.Queue.Add(ObjectKey.Of(item)), cancel));
            tasks.AddRange(children.Select(kind => WatchAsync(kind, one, owned, EnqueueOwner, cancel)));
            tasks.Add(ResyncAsync(one, cancel));
        }

        await Task.WhenAny(tasks);
        await leading.CancelAsync();
        await Task.WhenAll(tasks);
    }

    private async Task<ResourceKind> BudgetKindAsync(CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                var newest = ResourceKind.DisruptionBudget("v1");
                return await api.ServesAsync(newest, cancel) ? newest : ResourceKind.DisruptionBudget("v1beta1");
            }
            catch (Exception e) when (e is KubernetesApiException or HttpRequestException or IOException)
            {
                LogWaiting(e.Message);
                await Task.Delay(TimeSpan.FromSeconds(2), time, cancel);
            }
        }
    }

    private Task WatchAsync(ResourceKind kind, string? @namespace, string? selector, Action<JsonObject> changed, CancellationToken cancel)
    {
        var reflector = new Reflector(api, kind, @namespace, selector, time, metrics, loggers.CreateLogger<Reflector>(), new Random());
        return reflector.RunAsync(changed, cancel);
    }

    private void Enqueue(JsonObject cluster) => clusters.Queue.Add(ObjectKey.Of(cluster));

    /// <summary>By label and not by owner: pods are owned by their StatefulSet.</summary>
    private void EnqueueOwner(JsonObject child)
    {
        if (child["metadata"]?["labels"]?[Names.ClusterLabel]?.ToString() is { } cluster)
        {
            clusters.Queue.Add(new ObjectKey(ObjectKey.Of(child).Namespace, cluster));
        }
    }

    /// <summary>A net under the watches: every object now and then, whatever they told.</summary>
    private async Task ResyncAsync(string? @namespace, CancellationToken cancel)
    {
        var random = new Random();
        while (!cancel.IsCancellationRequested)
        {
            await Task.Delay(Resync * (0.9 + (random.NextDouble() / 5)), time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                foreach (var kind in new[] { ResourceKind.Cluster, ResourceKind.BucketType })
                {
                    var queue = kind == ResourceKind.Cluster ? clusters.Queue : bucketTypes.Queue;
                    string? next = null;
                    do
                    {
                        var page = await api.ListAsync(kind, @namespace, null, next, cancel);
                        foreach (var item in page.Items)
                        {
                            queue.Add(ObjectKey.Of(item));
                        }

                        next = page.ContinueToken;
                    }
                    while (next is not null);
                }
            }
            catch (Exception e) when (e is KubernetesApiException or HttpRequestException or IOException or OperationCanceledException)
            {
                if (!cancel.IsCancellationRequested)
                {
                    LogWaiting(e.Message);
                }
            }
        }
    }

    [LoggerMessage(EventId = 141, Level = LogLevel.Warning, Message = "the API server cannot be asked: {Why}")]
    private partial void LogWaiting(string why);

    [LoggerMessage(EventId = 142, Level = LogLevel.Critical, Message = "the operator broke")]
    private partial void LogBroken(Exception? exception);
}
