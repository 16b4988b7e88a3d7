using Kv.Cluster.AntiEntropy;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.AntiEntropy;

public sealed class PaceTests
{
    private const long BytesPerSecond = 1000;
    private const double WorkShare = 0.25;

    [Theory]
    [InlineData(100, 0, 10)]
    [InlineData(0, 25, 10)]
    [InlineData(100, 25, 10)]
    [InlineData(100, 100, 40)]
    [InlineData(400, 25, 40)]
    [InlineData(0, 0, 0)]
    public void Work_TakesAsLongAsTheSlowerBudgetSays(long bytes, int milliseconds, int seconds) => Run(async time =>
    {
        var pace = new Pace(BytesPerSecond, WorkShare, static () => false, time);
        var began = time.GetTimestamp();
        for (var step = 0; step < 100; step++)
        {
            await pace.SpendAsync(bytes, TimeSpan.FromMilliseconds(milliseconds), default);
        }

        Assert.Equal(seconds, time.GetElapsedTime(began).TotalSeconds, 2);
    });

    [Fact]
    public void WhatOthersAskedFor_IsWaitedForByWhoeverComesNext() => Run(async time =>
    {
        var pace = new Pace(BytesPerSecond, WorkShare, static () => false, time);
        Assert.Equal(4, pace.Charge(0, TimeSpan.FromSeconds(1)).TotalSeconds, 2);
        var began = time.GetTimestamp();
        await pace.SpendAsync(500, TimeSpan.Zero, default);
        Assert.Equal(4.5, time.GetElapsedTime(began).TotalSeconds, 2);
    });

    [Fact]
    public void WhatOthersAskedFor_IsWaitedForTenSecondsAtMost() => Run(async time =>
    {
        var pace = new Pace(BytesPerSecond, WorkShare, static () => false, time);
        for (var step = 0; step < 100; step++)
        {
            pace.Charge(0, TimeSpan.FromSeconds(1));
        }

        var began = time.GetTimestamp();
        await pace.SpendAsync(0, TimeSpan.Zero, default);
        Assert.Equal(10, time.GetElapsedTime(began).TotalSeconds, 2);
    });

    [Fact]
    public void UnderLoad_NothingGoesOn() => Run(async time =>
    {
        var isUnderLoad = true;
        var pace = new Pace(BytesPerSecond, WorkShare, () => isUnderLoad, time);
        var spending = pace.SpendAsync(1, TimeSpan.Zero, default).AsTask();
        await Task.Delay(TimeSpan.FromMinutes(1), time);
        Assert.False(spending.IsCompleted);
        isUnderLoad = false;
        await spending;
    });

    private static void Run(Func<TimeProvider, Task> story)
    {
        var scheduler = new SimScheduler(1);
        scheduler.Run(() => story(scheduler.World.Time));
    }
}
