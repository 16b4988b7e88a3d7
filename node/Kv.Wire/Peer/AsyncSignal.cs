using System.Threading.Tasks.Sources;

namespace Kv.Wire.Peer;

/// <summary>
/// Wakes one waiter, any number of setters. A signal that nobody waits for is remembered once. The waiter goes on on the pool, so that whoever sets
/// it is not held up and more can queue meanwhile: that is what fills batches.
/// </summary>
internal sealed class AsyncSignal : IValueTaskSource
{
    // Guards both fields and the source's transitions.
    private readonly Lock gate = new();
    private ManualResetValueTaskSourceCore<bool> source = new() { RunContinuationsAsynchronously = true };
    private bool isSet;
    private bool isWaiting;

    public void Set()
    {
        lock (gate)
        {
            if (!isWaiting)
            {
                isSet = true;
                return;
            }

            isWaiting = false;
        }

        source.SetResult(true);
    }

    /// <summary>One waiter at a time.</summary>
    public ValueTask WaitAsync()
    {
        lock (gate)
        {
            if (isSet)
            {
                isSet = false;
                return default;
            }

            source.Reset();
            isWaiting = true;
            return new ValueTask(this, source.Version);
        }
    }

    void IValueTaskSource.GetResult(short token) => source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        source.OnCompleted(continuation, state, token, flags);
}
