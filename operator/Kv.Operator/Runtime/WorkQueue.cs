namespace Kv.Operator.Runtime;

/// <summary>
/// Keys that want a pass. A key is in it once, however often it is added; one that is added while it is worked on comes again afterwards, never
/// at the same time. A delayed add keeps the earliest time. Back-off is per key. Thread-safe: one lock guards all of it.
/// </summary>
internal sealed class WorkQueue<TKey>(TimeProvider time, Random random)
    where TKey : notnull
{
    public static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LastBackoff = TimeSpan.FromMinutes(5);

    private readonly Lock gate = new();
    private readonly Dictionary<TKey, DateTimeOffset> waiting = [];
    private readonly HashSet<TKey> processing = [];
    private readonly Dictionary<TKey, int> failures = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Depth
    {
        get
        {
            lock (gate)
            {
                return waiting.Count;
            }
        }
    }

    /// <summary>Whether nobody works on a key and the time of none has come.</summary>
    public bool IsIdle
    {
        get
        {
            lock (gate)
            {
                return processing.Count == 0 && waiting.Values.All(at => at > time.GetUtcNow());
            }
        }
    }

    public void Add(TKey key, TimeSpan delay = default)
    {
        lock (gate)
        {
            var at = time.GetUtcNow() + delay;
            if (!waiting.TryGetValue(key, out var earlier) || at < earlier)
            {
                waiting[key] = at;
                Wake();
            }
        }
    }

    /// <summary>Adds a key that failed, after a delay that doubles with each failure in a row.</summary>
    /// <param name="key">The key.</param>
    /// <param name="atLeast">No sooner, even the first time.</param>
    /// <param name="longest">Where the delay doubles no more; null for <see cref="LastBackoff"/>, which it is never above.</param>
    public TimeSpan AddAfterFailure(TKey key, TimeSpan atLeast = default, TimeSpan? longest = null)
    {
        int count;
        lock (gate)
        {
            count = failures[key] = failures.GetValueOrDefault(key) + 1;
        }

        var delay = FirstBackoff * Math.Pow(2, Math.Min(count - 1, 16));
        var last = longest < LastBackoff ? longest.Value : LastBackoff;
        delay = delay < last ? delay : last;
        delay = delay > atLeast ? delay : atLeast;
        // A tenth of jitter, so that keys that failed together do not come back together.
        delay *= 1 + (random.NextDouble() / 10);
        Add(key, delay);
        return delay;
    }

    /// <summary>Its failures are history.</summary>
    public void Forget(TKey key)
    {
        lock (gate)
        {
            failures.Remove(key);
        }
    }

    /// <summary>Waits for a key whose time has come and that nobody works on; it is the caller's until <see cref="Done"/>.</summary>
    public async Task<TKey> TakeAsync(CancellationToken cancel)
    {
        while (true)
        {
            Task wake;
            TimeSpan? wait = null;
            lock (gate)
            {
                var now = time.GetUtcNow();
                var ready = waiting.Where(pair => !processing.Contains(pair.Key)).OrderBy(pair => pair.Value).Take(1).ToList();
                if (ready.Count > 0 && ready[0].Value <= now)
                {
                    waiting.Remove(ready[0].Key);
                    processing.Add(ready[0].Key);
                    return ready[0].Key;
                }

                if (ready.Count > 0)
                {
                    wait = ready[0].Value - now;
                }

                wake = changed.Task;
            }

            if (wait is { } until)
            {
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                await Task.WhenAny(wake, Task.Delay(until, time, stop.Token));
                await stop.CancelAsync();
                cancel.ThrowIfCancellationRequested();
            }
            else
            {
                await wake.WaitAsync(cancel);
            }
        }
    }

    public void Done(TKey key)
    {
        lock (gate)
        {
            processing.Remove(key);
            Wake();
        }
    }

    private void Wake()
    {
        changed.TrySetResult();
        changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
