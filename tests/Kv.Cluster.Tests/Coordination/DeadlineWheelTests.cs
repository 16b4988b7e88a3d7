using CsCheck;
using Kv.Cluster.Coordination;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

public sealed class DeadlineWheelTests
{
    private sealed class Alarm(TimeProvider time) : DeadlineWheel.Entry
    {
        public List<long> FiredAt { get; } = [];

        protected internal override void OnDeadline() => FiredAt.Add(time.GetTimestamp());
    }

    [Fact]
    public void EachEntry_FiresOnce_NotBeforeItsDeadlineAndAtMostTwoTicksAfter_UnlessRemoved() =>
        Gen.Select(Gen.Int[0, 5000].Array[1, 50], Gen.Bool.Array[50], Gen.Int[0, 1000]).Sample((milliseconds, removals, pause) =>
        {
            var scheduler = new SimScheduler(1);
            scheduler.Run(async () =>
            {
                var time = scheduler.World.Time;
                using var wheel = new DeadlineWheel(time);
                await Task.Delay(TimeSpan.FromMilliseconds(pause), time);
                var alarms = milliseconds.Select(after => (Alarm: new Alarm(time), At: Deadline.After(time, TimeSpan.FromMilliseconds(after)))).ToArray();
                foreach (var (alarm, at) in alarms)
                {
                    wheel.Add(alarm, at);
                }

                for (var i = 0; i < alarms.Length; i++)
                {
                    if (removals[i])
                    {
                        wheel.Remove(alarms[i].Alarm);
                        wheel.Remove(alarms[i].Alarm);
                    }
                }

                await Task.Delay(TimeSpan.FromSeconds(6), time);
                for (var i = 0; i < alarms.Length; i++)
                {
                    if (removals[i])
                    {
                        Assert.Empty(alarms[i].Alarm.FiredAt);
                        continue;
                    }

                    var late = Assert.Single(alarms[i].Alarm.FiredAt) - alarms[i].At.Timestamp;
                    Assert.InRange(late, 0, 2 * DeadlineWheel.Tick.Ticks);
                }
            });
        });

    [Fact]
    public void AnEmptyWheel_ArmsNoTimer()
    {
        var scheduler = new SimScheduler(1);
        scheduler.Run(async () =>
        {
            var wheel = new DeadlineWheel(scheduler.World.Time);
            wheel.Add(new Alarm(scheduler.World.Time), Deadline.After(scheduler.World.Time, TimeSpan.FromMilliseconds(5)));
            await Task.Delay(TimeSpan.FromSeconds(1), scheduler.World.Time);
        });

        // A world in which a timer went on for ever would not come to an end here.
        Assert.Throws<InvalidOperationException>(() => scheduler.Run(() => new TaskCompletionSource().Task));
    }
}
