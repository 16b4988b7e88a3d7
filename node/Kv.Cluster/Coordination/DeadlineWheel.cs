namespace Kv.Cluster.Coordination;

/// <summary>
/// Ends what is still under way at its deadline, without a timer or a cancellation source for each request: entries hang in chains by the tick that
/// their deadline falls in, one timer fires per tick while there are any. An entry fires at most one tick late, never early. Safe from any thread.
/// </summary>
internal sealed class DeadlineWheel(TimeProvider time) : IDisposable
{
    public static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);

    private readonly long timestampsPerTick = Math.Max(1, (long)(Tick.TotalSeconds * time.TimestampFrequency));

    // Guards everything below and the entries' links.
    private readonly Lock gate = new();
    private readonly Dictionary<long, Entry> heads = [];
    private ITimer? timer;
    private long firedTick;
    private int count;
    private bool isArmed;

    /// <summary>Something with a deadline. It is in at most one wheel, at most once.</summary>
    internal abstract class Entry
    {
        internal Entry? Previous { get; set; }

        internal Entry? Next { get; set; }

        internal long AtTick { get; set; } = -1;

        /// <summary>The deadline has passed. Called on the timer's thread, outside of the wheel's lock; must be quick and not throw.</summary>
        protected internal abstract void OnDeadline();
    }

    public void Add(Entry entry, Deadline deadline)
    {
        lock (gate)
        {
            if (count++ == 0)
            {
                firedTick = time.GetTimestamp() / timestampsPerTick;
            }

            entry.AtTick = Math.Max(firedTick + 1, (deadline.Timestamp / timestampsPerTick) + 1);
            if (heads.TryGetValue(entry.AtTick, out var head))
            {
                entry.Next = head;
                head.Previous = entry;
            }

            heads[entry.AtTick] = entry;
            Arm();
        }
    }

    public void Remove(Entry entry)
    {
        lock (gate)
        {
            if (entry.AtTick < 0)
            {
                return;
            }

            if (entry.Previous is { } previous)
            {
                previous.Next = entry.Next;
            }
            else if (entry.Next is { } next)
            {
                heads[entry.AtTick] = next;
            }
            else
            {
                heads.Remove(entry.AtTick);
            }

            if (entry.Next is { } follower)
            {
                follower.Previous = entry.Previous;
            }

            Detach(entry);
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            timer?.Dispose();
        }
    }

    private void Detach(Entry entry)
    {
        entry.Previous = entry.Next = null;
        entry.AtTick = -1;
        count--;
    }

    private void Arm()
    {
        if (!isArmed)
        {
            isArmed = true;
            timer ??= time.CreateTimer(static wheel => ((DeadlineWheel)wheel!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            timer.Change(Tick, Timeout.InfiniteTimeSpan);
        }
    }

    private void Fire()
    {
        List<Entry>? due = null;
        lock (gate)
        {
            isArmed = false;
            var now = time.GetTimestamp() / timestampsPerTick;
            for (; firedTick < now && count > 0; firedTick++)
            {
                if (!heads.Remove(firedTick + 1, out var entry))
                {
                    continue;
                }

                for (var next = entry; next is not null;)
                {
                    (due ??= []).Add(next);
                    var following = next.Next;
                    Detach(next);
                    next = following;
                }
            }

            firedTick = Math.Max(firedTick, now);
            if (count > 0)
            {
                Arm();
            }
        }

        foreach (var entry in due ?? [])
        {
            entry.OnDeadline();
        }
    }
}
