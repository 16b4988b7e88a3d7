namespace Kv.TestKit;

/// <summary>A machine's clocks: the monotonic one may run fast or slow, and the wall clock may jump besides. They outlive the processes that read them.</summary>
public sealed class SimClock(SimScheduler scheduler)
{
    private static readonly DateTimeOffset Beginning = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private long since;
    private long shown;

    /// <summary>Seconds of this clock in one of the world's.</summary>
    public double Rate { get; private set; } = 1;

    /// <summary>By how much the wall clock was set, all in all.</summary>
    public TimeSpan Jumped { get; private set; }

    /// <summary>Ticks; never goes back.</summary>
    public long Monotonic => shown + (long)((scheduler.Now - since) * Rate);

    public DateTimeOffset Wall => Beginning.AddTicks(Monotonic) + Jumped;

    /// <summary>From now on it runs at this rate.</summary>
    public void Drift(double rate)
    {
        (shown, since) = (Monotonic, scheduler.Now);
        Rate = rate;
    }

    /// <summary>The wall clock is set forward or back; timers and deadlines do not notice.</summary>
    public void Jump(TimeSpan by) => Jumped += by;

    internal long ToWorld(TimeSpan delay) => (long)(delay.Ticks / Rate);
}
