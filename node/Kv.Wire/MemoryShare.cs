namespace Kv.Wire;

/// <summary>
/// A number of bytes that many requests share. Who finds no room waits in turn, up to a bound; what is small does not wait behind what is large, since
/// <paramref name="smallBytes"/> of them are kept for it. A single request for more than there is at all counts as all but these, and so keeps only the large ones out. Safe from any thread.
/// </summary>
public sealed class MemoryShare(long bytes, long smallBytes, TimeSpan longestWait, TimeProvider time)
{
    /// <summary>Takers of no more than this go first.</summary>
    public const int SmallBytes = 64 * 1024;

    // Guards the three fields below and the waiters' states.
    private readonly Lock gate = new();
    private readonly LinkedList<Waiter> waiting = new();
    private long used;
    private long largeUsed;

    private sealed record Waiter(long Bytes)
    {
        public TaskCompletionSource<bool> Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public long Bytes { get; } = bytes;

    public long Used
    {
        get
        {
            lock (gate)
            {
                return used;
            }
        }
    }

    /// <summary>Takes room if there is some now and nobody waits for it. Whoever gets it gives it back, as one piece, by <see cref="Release"/>.</summary>
    // hot
    public bool TryTake(long wanted)
    {
        lock (gate)
        {
            return (wanted <= SmallBytes || waiting.Count == 0) && TryTakeMore(wanted);
        }
    }

    /// <summary>As <see cref="TryTake"/>, for somebody who has some: past those who wait, since they wait for that too.</summary>
    public bool TryTakeMore(long wanted)
    {
        lock (gate)
        {
            if (!HasRoom(wanted))
            {
                return false;
            }

            Count(wanted);
            return true;
        }
    }

    /// <summary>As <see cref="TryTake"/>, and waits in turn. False where there was no room in time, or the wait was canceled.</summary>
    public async ValueTask<bool> TakeAsync(long wanted, CancellationToken cancel)
    {
        LinkedListNode<Waiter> place;
        lock (gate)
        {
            if (TryTake(wanted))
            {
                return true;
            }

            place = waiting.AddLast(new Waiter(wanted));
        }

        using var limit = new CancellationTokenSource(longestWait, time);
        using var onLimit = limit.Token.UnsafeRegister(_ => GiveUp(place), null);
        using var onCancel = cancel.UnsafeRegister(_ => GiveUp(place), null);
        return await place.Value.Admitted.Task;
    }

    public void Release(long taken)
    {
        lock (gate)
        {
            Count(taken, -1);
            AdmitWaiting();
        }
    }

    // Needs the gate.
    private bool HasRoom(long wanted) => used + Counted(wanted) <= Bytes && (wanted <= SmallBytes || largeUsed + Counted(wanted) <= Bytes - smallBytes);

    // Needs the gate.
    private void Count(long bytes, int sign = 1)
    {
        used += sign * Counted(bytes);
        largeUsed += bytes <= SmallBytes ? 0 : sign * Counted(bytes);
    }

    private long Counted(long bytes) => Math.Min(bytes, Bytes - smallBytes);

    // Needs the gate.
    private void AdmitWaiting()
    {
        while (waiting.First is { } first && HasRoom(first.Value.Bytes))
        {
            waiting.RemoveFirst();
            Count(first.Value.Bytes);
            first.Value.Admitted.SetResult(true);
        }
    }

    private void GiveUp(LinkedListNode<Waiter> place)
    {
        lock (gate)
        {
            if (place.List is not null)
            {
                waiting.Remove(place);
                place.Value.Admitted.SetResult(false);
                AdmitWaiting();
            }
        }
    }
}
