namespace Kv.Cluster.Async;

/// <summary>
/// Work that nobody waits for until the end. A task that fails with anything but cancellation goes to <paramref name="onFailure"/>:
/// nothing is lost in silence.
/// </summary>
internal sealed class BackgroundTasks(Action<Exception> onFailure)
{
    /// <summary>Guards <see cref="running"/>.</summary>
    private readonly Lock gate = new();
    private readonly HashSet<Task> running = [];

    public void Start(Func<CancellationToken, Task> work, CancellationToken cancel)
    {
        var task = RunAsync(work, cancel);
        lock (gate)
        {
            running.Add(task);
        }

        _ = ForgetAsync(task);
    }

    /// <summary>Waits for everything that was started; cancel it first.</summary>
    public async Task DrainAsync()
    {
        while (true)
        {
            Task[] left;
            lock (gate)
            {
                left = [.. running];
            }

            if (left.Length == 0)
            {
                return;
            }

            await Task.WhenAll(left);
            foreach (var task in left)
            {
                Remove(task);
            }
        }
    }

    private async Task RunAsync(Func<CancellationToken, Task> work, CancellationToken cancel)
    {
        await Task.Yield();
        try
        {
            await work(cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The node stops.
        }
        catch (Exception failure)
        {
            onFailure(failure);
        }
    }

    private async Task ForgetAsync(Task task)
    {
        await task;
        Remove(task);
    }

    private void Remove(Task task)
    {
        lock (gate)
        {
            running.Remove(task);
        }
    }
}
