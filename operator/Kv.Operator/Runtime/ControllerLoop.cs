using System.Text.Json.Nodes;
using System.Diagnostics;
using System.Text.Json;
using k8s;
using k8s.Models;
using Kv.Operator.Abstractions;
using Kv.Operator.Api;

namespace Kv.Operator.Runtime;

/// <summary>
/// Takes the objects of a kind through their controller: keys from the queue, each object read anew, its finalizers attached or run, the controller asked,
/// and the key queued again as its result says. Several objects at once, one never twice at once. What goes wrong is retried for ever, ever more slowly.
/// </summary>
internal sealed partial class ControllerLoop<TEntity>(
    IKubernetesApi api,
    ResourceKind kind,
    IEntityController<TEntity> controller,
    IReadOnlyList<IEntityFinalizer<TEntity>> finalizers,
    WorkQueue<ObjectKey> queue,
    OperatorMetrics metrics,
    ILogger logger)
    where TEntity : class, IKubernetesObject<V1ObjectMeta>, new()
{
    private const int Workers = 4;

    public WorkQueue<ObjectKey> Queue => queue;

    /// <summary>Until cancelled. A worker that ends by itself ends the others: fewer of them would look alive and be ever slower.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var all = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var workers = Enumerable.Range(0, Workers).Select(_ => WorkAsync(all.Token)).ToList();
        await Task.WhenAny(workers);
        await all.CancelAsync();
        await Task.WhenAll(workers);
    }

    private async Task WorkAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            ObjectKey key;
            try
            {
                key = await queue.TakeAsync(cancel);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            try
            {
                await HandleAsync(key, cancel);
            }
            finally
            {
                queue.Done(key);
            }
        }
    }

    /// <summary>One pass. One of the three places that catch everything: an object that cannot be handled must not end the operator.</summary>
    internal async Task HandleAsync(ObjectKey key, CancellationToken cancel)
    {
        var began = Stopwatch.GetTimestamp();
        var ok = false;
        try
        {
            var json = await api.GetAsync(kind, key.Namespace, key.Name, cancel);
            var result = json is null ? await controller.DeletedAsync(Gone(key), cancel) : await TakeAsync(key, json, cancel);
            ok = result.IsSuccess;
            Requeue(key, result);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The end was asked for.
        }
        catch (KubernetesApiException e) when (e.IsConflict)
        {
            // Somebody wrote in between: look again at once, with what is there now.
            queue.Add(key);
        }
        catch (Exception e)
        {
            LogFailed(kind.Kind, key.ToString(), e.Message, queue.AddAfterFailure(key).TotalSeconds, e is HttpRequestException or KubernetesApiException or IOException ? null : e);
        }
        finally
        {
            metrics.Reconciled(kind.Kind, ok, Stopwatch.GetElapsedTime(began));
        }
    }

    private static TEntity Gone(ObjectKey key) => new() { Metadata = new V1ObjectMeta { NamespaceProperty = key.Namespace, Name = key.Name } };

    private async Task<ReconciliationResult<TEntity>> TakeAsync(ObjectKey key, JsonObject json, CancellationToken cancel)
    {
        var entity = json.Deserialize<TEntity>(KvJson.Options) ?? throw new JsonException($"{key} is no {kind.Kind}");
        return await (entity.Metadata.DeletionTimestamp is null ? ReconcileAsync(entity, cancel) : FinalizeAsync(entity, cancel));
    }

    private void Requeue(ObjectKey key, ReconciliationResult<TEntity> result)
    {
        if (!result.IsSuccess)
        {
            var delay = queue.AddAfterFailure(key, result.RequeueAfter ?? TimeSpan.Zero, result.LongestBackoff);
            LogFailed(kind.Kind, key.ToString(), result.ErrorMessage ?? "", delay.TotalSeconds, null);
            return;
        }

        queue.Forget(key);
        if (result.RequeueAfter is { } after)
        {
            queue.Add(key, after);
        }
    }

    private async Task<ReconciliationResult<TEntity>> ReconcileAsync(TEntity entity, CancellationToken cancel)
    {
        foreach (var finalizer in finalizers)
        {
            var has = entity.Metadata.Finalizers?.Contains(finalizer.Identifier) == true;
            if (has != finalizer.IsNeeded(entity))
            {
                await api.PatchAsync(kind, entity.Metadata.NamespaceProperty, entity.Metadata.Name, null, has ? Without(entity, finalizer.Identifier) : With(entity, finalizer.Identifier), cancel);
                return ReconciliationResult<TEntity>.Success(entity, TimeSpan.Zero);
            }
        }

        return await controller.ReconcileAsync(entity, cancel);
    }

    private async Task<ReconciliationResult<TEntity>> FinalizeAsync(TEntity entity, CancellationToken cancel)
    {
        // Ours, wherever in the list it is: another's may come first and take its time.
        var finalizer = finalizers.FirstOrDefault(one => entity.Metadata.Finalizers?.Contains(one.Identifier) == true);
        if (finalizer is null)
        {
            // It waits for somebody else's: it is told as gone when it is.
            return ReconciliationResult<TEntity>.Success(entity);
        }

        var result = await finalizer.FinalizeAsync(entity, cancel);
        if (result.IsSuccess && result.RequeueAfter is null)
        {
            await api.PatchAsync(kind, entity.Metadata.NamespaceProperty, entity.Metadata.Name, null, Without(entity, finalizer.Identifier), cancel);
        }

        return result;
    }

    /// <summary>Nobody else's finalizer is lost: whoever changed the list meanwhile makes it a conflict.</summary>
    private static JsonArray Without(TEntity entity, string identifier) =>
        [JsonPatch.Unchanged(entity.Metadata), JsonPatch.Remove($"/metadata/finalizers/{entity.Metadata.Finalizers.IndexOf(identifier)}")];

    private static JsonArray With(TEntity entity, string identifier) =>
    [
        JsonPatch.Unchanged(entity.Metadata),
        entity.Metadata.Finalizers is { Count: > 0 } ? JsonPatch.Add("/metadata/finalizers/-", identifier) : JsonPatch.Add("/metadata/finalizers", new JsonArray(identifier)),
    ];

    [LoggerMessage(EventId = 131, Level = LogLevel.Warning, Message = "{Kind} {Key}: {Why}; again in {Seconds:0.#} s")]
    private partial void LogFailed(string kind, string key, string why, double seconds, Exception? exception);
}
