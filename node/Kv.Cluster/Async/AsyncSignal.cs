namespace Kv.Cluster.Async;

/// <summary>
/// Wakes a loop before its time. One waiter; a signal that comes while nobody waits is kept for the next wait. Time is the provider's, and nothing
/// leaves the scheduler of whoever waits.
/// </summary>
internal sealed class AsyncSignal(TimeProvider time)
{
    /// <summary>Guards both fields.</summary>
    private readonly Lock gate = new();
    private TaskCompletionSource? waiter;
    private bool isSet;

    public void Set()
    {
        TaskCompletionSource? woken;
        lock (gate)
        {
            isSet = waiter is null;
            woken = waiter;
            waiter = null;
        }

        woken?.TrySetResult();
    }

    /// <summary>Ends at the signal, after <paramref name="longest"/>, or when cancelled; it does not tell which, and does not throw.</summary>
    public async ValueTask WaitAsync(TimeSpan longest, CancellationToken cancel)
    {
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            if (isSet || cancel.IsCancellationRequested)
            {
                isSet = false;
                return;
            }

            waiter = mine;
        }

        await using var timer = time.CreateTimer(static s => ((TaskCompletionSource)s!).TrySetResult(), mine, longest, Timeout.InfiniteTimeSpan);
        await using var registration = cancel.UnsafeRegister(static s => ((TaskCompletionSource)s!).TrySetResult(), mine);
        await mine.Task;
        lock (gate)
        {
            waiter = waiter == mine ? null : waiter;
        }
    }
}
