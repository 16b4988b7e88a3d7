namespace Kv.TestKit;

/// <summary>
/// One incarnation of a simulated process: whatever is begun in it continues in it, its timers are its own, and when it is killed nothing of it happens any
/// more, wherever it was: exactly as when a process dies between two instructions that await.
/// </summary>
public sealed class SimContext : SynchronizationContext
{
    private readonly SimScheduler scheduler;

    private readonly Queue<Action> held = new();

    internal SimContext(SimScheduler scheduler, string name, SimClock clock)
    {
        this.scheduler = scheduler;
        Name = name;
        Time = new SimTime(scheduler, this, clock);
    }

    public string Name { get; }

    public TimeProvider Time { get; }

    public bool IsDead { get; private set; }

    /// <summary>Stopped as by SIGSTOP: nothing of it happens, its connections stay, and its clock goes on.</summary>
    public bool IsPaused { get; private set; }

    public void Kill()
    {
        IsDead = true;
        held.Clear();
    }

    public void Pause() => IsPaused = true;

    /// <summary>What came while it was paused happens now, in the order in which it came.</summary>
    public void Resume()
    {
        IsPaused = false;
        while (held.TryDequeue(out var work))
        {
            scheduler.Post(this, work);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (!IsDead)
        {
            scheduler.Post(this, () => d(state));
        }
    }

    public override void Send(SendOrPostCallback d, object? state) => Invoke(() => d(state));

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Begins something in this context.</summary>
    public T Enter<T>(Func<T> begin)
    {
        var outer = Current;
        SetSynchronizationContext(this);
        try
        {
            return begin();
        }
        finally
        {
            SetSynchronizationContext(outer);
        }
    }

    /// <summary>
    /// Calls something in this context and waits for it. (Never turn a value task into a task by hand here: that would go on on another thread.)
    /// </summary>
    public Task<T> CallAsync<T>(Func<ValueTask<T>> call) => Enter(async () => await call());

    public Task CallAsync(Func<ValueTask> call) => Enter(async () => await call());

    /// <summary>Does something in this context after a delay, unless it is dead by then.</summary>
    public void After(TimeSpan delay, Action work) => scheduler.Schedule(this, delay.Ticks, work);

    /// <summary>Does it now; after the pause where the context is paused, and never where it is dead.</summary>
    public void Invoke(Action work)
    {
        if (IsDead)
        {
            return;
        }

        if (IsPaused)
        {
            held.Enqueue(work);
            return;
        }

        Enter(() =>
        {
            work();
            return true;
        });
    }
}
