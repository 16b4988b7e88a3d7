using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Kv.Operator.Tests.Stubs;

/// <summary>Time for a loop that waits for <paramref name="tick"/> between its turns: it stands until the test lets the next turn happen.</summary>
internal sealed class Turns(TimeSpan tick) : FakeTimeProvider(Build.Now)
{
    private int waits;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime == tick)
        {
            Interlocked.Increment(ref waits);
        }

        return timer;
    }

    /// <summary>Until the loop waits for the first time.</summary>
    public Task BeginAsync(Task loop) => WaitedAsync(loop, 0);

    /// <summary>Lets so many turns happen, each to its end.</summary>
    public async Task TakeAsync(Task loop, int turns = 1)
    {
        for (var i = 0; i < turns; i++)
        {
            var before = Volatile.Read(ref waits);
            Advance(tick);
            await WaitedAsync(loop, before);
        }
    }

    /// <summary>Time goes on until the loop, which was told to, has ended.</summary>
    public async Task EndAsync(Task loop)
    {
        while (!loop.IsCompleted)
        {
            Advance(tick);
            await Task.WhenAny(loop, Task.Delay(1, TestContext.Current.CancellationToken));
        }

        await loop;
    }

    private async Task WaitedAsync(Task loop, int before)
    {
        for (var i = 0; i < 10_000 && Volatile.Read(ref waits) == before && !loop.IsCompleted; i++)
        {
            await Task.WhenAny(loop, Task.Delay(1, TestContext.Current.CancellationToken));
        }

        Assert.True(Volatile.Read(ref waits) != before || loop.IsCompleted, "the loop takes no turn any more");
    }
}
