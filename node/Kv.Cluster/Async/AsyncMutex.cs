namespace Kv.Cluster.Async;

/// <summary>One at a time, in the order they came. In place of SemaphoreSlim, whose cancellable wait leaves the scheduler of the one who waits.</summary>
internal sealed class AsyncMutex
{
    /// <summary>Guards both fields.</summary>
    private readonly Lock gate = new();
    private readonly Queue<TaskCompletionSource> waiters = new();
    private bool isHeld;

    /// <summary>Await it, and dispose what it gives.</summary>
    public async ValueTask<Holder> EnterAsync()
    {
        TaskCompletionSource? turn = null;
        lock (gate)
        {
            if (isHeld)
            {
                turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                waiters.Enqueue(turn);
            }

            isHeld = true;
        }

        if (turn is not null)
        {
            await turn.Task;
        }

        return new Holder(this);
    }

    private void Leave()
    {
        TaskCompletionSource? next;
        lock (gate)
        {
            isHeld = waiters.TryDequeue(out next);
        }

        next?.TrySetResult();
    }

    public readonly struct Holder(AsyncMutex mutex) : IDisposable
    {
        public void Dispose() => mutex.Leave();
    }
}
