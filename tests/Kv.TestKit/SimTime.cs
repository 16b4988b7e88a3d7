namespace Kv.TestKit;

/// <summary>Virtual time for one context: timestamps are ticks of the world's clock, and timers fire in the context as long as it lives.</summary>
internal sealed class SimTime(SimScheduler scheduler, SimContext context) : TimeProvider
{
    private static readonly DateTimeOffset Beginning = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => scheduler.Now;

    public override DateTimeOffset GetUtcNow() => Beginning.AddTicks(scheduler.Now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(scheduler, context, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class SimTimer(SimScheduler scheduler, SimContext context, Action fire) : ITimer
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

            next = delay == Timeout.InfiniteTimeSpan ? null : scheduler.Schedule(context, delay.Ticks, Fire);
        }

        private void Fire()
        {
            Arm(period == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : period);
            fire();
        }
    }
}
