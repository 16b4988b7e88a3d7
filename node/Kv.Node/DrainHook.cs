using System.Globalization;
using Kv.Cluster.Membership;

namespace Kv.Node;

/// <summary>
/// `/drain?budget=SECONDS`: what a pod's preStop hook asks before the process is told to end. Answers when clients have gone elsewhere and no owner waits for hints of
/// this node, or when the budget ends. Whoever reaches the port can ask it, so a node that is not ended within <see cref="Patience"/> of the first question's budget serves again by itself,
/// whatever is asked meanwhile, and is not drained so again for <see cref="Pause"/>.
/// </summary>
public sealed class DrainHook(Func<ClusterAdmin?> admin, TimeProvider time) : IDisposable
{
    public const int MaxBudgetSeconds = 60;

    /// <summary>Between the end of the hook and the signal lie moments.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>A process that a hook drains ends: only another caller comes twice.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMinutes(15);

    private readonly Lock gate = new();
    private ITimer? undrain;
    private long? undrainedAt;

    public void Map(IEndpointRouteBuilder endpoints) => endpoints.MapGet("/drain", AnswerAsync);

    public void Dispose()
    {
        lock (gate)
        {
            undrain?.Dispose();
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (admin() is not { } node)
        {
            await WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "not serving yet");
            return;
        }

        if (!int.TryParse(context.Request.Query["budget"], NumberStyles.None, CultureInfo.InvariantCulture, out var budget) || budget > MaxBudgetSeconds)
        {
            await WriteAsync(context, StatusCodes.Status400BadRequest, string.Create(CultureInfo.InvariantCulture, $"budget: seconds, 0 to {MaxBudgetSeconds}"));
            return;
        }

        if (TryDrain(node, TimeSpan.FromSeconds(budget), context.RequestAborted) is not { } draining)
        {
            await WriteAsync(context, StatusCodes.Status429TooManyRequests, "drained just now, and not ended: serving again");
            return;
        }

        var drain = await draining;
        await WriteAsync(context, StatusCodes.Status200OK, string.Create(
            CultureInfo.InvariantCulture,
            $"{(drain.IsDone ? "drained" : "not drained")}: {drain.RequestsUnderWay} requests under way, {drain.HintsToReturn} hints to return, {drain.HintsToKeep} to keep"));
    }

    /// <summary>Null where it is too early. A drain that an administrator began lasts until it is taken back.</summary>
    private Task<DrainView>? TryDrain(ClusterAdmin node, TimeSpan budget, CancellationToken cancel)
    {
        lock (gate)
        {
            if (!node.GetDrain().IsDraining)
            {
                if (undrainedAt is { } before && time.GetElapsedTime(before) < Pause)
                {
                    return null;
                }

                undrain?.Dispose();
                undrain = time.CreateTimer(_ => Undrain(node), null, budget + Patience, Timeout.InfiniteTimeSpan);
            }

            return node.DrainAsync(budget, cancel).AsTask();
        }
    }

    private void Undrain(ClusterAdmin node)
    {
        lock (gate)
        {
            undrain?.Dispose();
            undrain = null;
            undrainedAt = time.GetTimestamp();
            node.Undrain();
        }
    }

    private static Task WriteAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text + "\n", context.RequestAborted);
    }
}
