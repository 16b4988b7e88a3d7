namespace Kv.TestKit;

/// <summary>Virtual time for one context: what its machine's clock shows, and timers that fire in the context as long as it lives.</summary>
internal sealed class SimTime(SimScheduler scheduler, SimContext context, SimClock clock) : TimeProvider
{
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => clock.Monotonic;

    public override DateTimeOffset GetUtcNow() => clock.Wall;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(scheduler, context, clock, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class SimTimer(SimScheduler scheduler, SimContext context, SimClock clock, Action fire) : ITimer
    {
        private SimScheduler.Due? next;
        private TimeSpan period = Timeout.InfiniteTimeSpan;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            this.period = period;
            Arm(dueTime);
            return true;
        }

        public void Dispose() => Arm(Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Arm(TimeSpan delay)
        {
            if (next is not null)
            {
                next.IsCanceled = true;
            }

            next = delay == Timeout.InfiniteTimeSpan ? null : scheduler.Schedule(context, clock.ToWorld(delay), Fire);
        }

        private void Fire()
        {
            Arm(period == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : period);
            fire();
        }
    }
}
