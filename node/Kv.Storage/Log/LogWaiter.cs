using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;

namespace Kv.Storage.Log;

/// <summary>
/// A pooled completion of one append. It continues on the pool and never on the log's thread, which has the next group to write.
/// </summary>
internal sealed class LogWaiter : IValueTaskSource
{
    private const int MaxPooled = 4096;
    private static readonly ConcurrentQueue<LogWaiter> Pool = new();

    private ManualResetValueTaskSourceCore<bool> core = new() { RunContinuationsAsynchronously = true };

    public ValueTask Task => new(this, core.Version);

    public static LogWaiter Rent() => Pool.TryDequeue(out var waiter) ? waiter : new LogWaiter();

    public void Complete(Exception? failure)
    {
        if (failure is null)
        {
            core.SetResult(true);
        }
        else
        {
            core.SetException(failure);
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        try
        {
            core.GetResult(token);
        }
        finally
        {
            core.Reset();
            if (Pool.Count < MaxPooled)
            {
                Pool.Enqueue(this);
            }
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        core.OnCompleted(continuation, state, token, flags);
}
