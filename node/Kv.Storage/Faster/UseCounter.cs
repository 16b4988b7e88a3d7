namespace Kv.Storage.Faster;

/// <summary>Lets a store close only when nobody is inside it: FASTER's memory must outlive every call into it.</summary>
internal sealed class UseCounter
{
    // Guards the fields below.
    private readonly Lock gate = new();
    private TaskCompletionSource empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int users;
    private bool closed;

    public bool TryEnter()
    {
        lock (gate)
        {
            if (closed)
            {
                return false;
            }

            users++;
            return true;
        }
    }

    public void Exit()
    {
        lock (gate)
        {
            users--;
            if (closed && users == 0)
            {
                empty.TrySetResult();
            }
        }
    }

    /// <summary>Lets nobody in any more; false where that was so already. <paramref name="left"/> completes when the last one is out.</summary>
    public bool TryClose(out Task left)
    {
        lock (gate)
        {
            var isFirst = !closed;
            closed = true;
            if (users == 0)
            {
                empty.TrySetResult();
            }

            left = empty.Task;
            return isFirst;
        }
    }

    /// <summary>Whoever closed it and found it empty lets all in again.</summary>
    public void Reopen()
    {
        lock (gate)
        {
            closed = false;
            empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
