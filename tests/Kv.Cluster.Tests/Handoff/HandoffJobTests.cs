using Kv.Cluster.Handoff;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Handoff;

/// <summary>Progress is what an attempt has beyond all before it, and what it repeats of them once.</summary>
public sealed class HandoffJobTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    [Fact]
    public void Transfer_ThatBreaksMidwayAgainAndAgain_MakesNoProgress() => Play(async (job, time) =>
    {
        for (var attempt = 0; attempt < 10; attempt++)
        {
            await AttemptAsync(job, time, "broke", 40, 20);
            Assert.Equal((60, 600, 100), (job.View(time).ObjectsSent, job.View(time).BytesSent, job.View(time).ObjectsTotal));
            Assert.Equal(TransferState.Failed, job.View(time).State);
        }

        Assert.Equal(TimeSpan.FromSeconds(8 * 60), job.View(time).SinceProgress);
        job.Begin(100, time.GetTimestamp());
        job.Sent(30, 300, time.GetTimestamp());
        Assert.Equal((60, TimeSpan.FromSeconds(8 * 60)), (job.View(time).ObjectsSent, job.View(time).SinceProgress));
        job.Sent(31, 310, time.GetTimestamp());
        Assert.Equal((61, TimeSpan.Zero), (job.View(time).ObjectsSent, job.View(time).SinceProgress));
    });

    [Fact]
    public void Attempt_ThatIsSlowerThanTheOneThatBroke_Moves_ButIfItBreaksTooTheNextDoesNot() => Play(async (job, time) =>
    {
        await AttemptAsync(job, time, "broke", 60);
        job.Begin(100, time.GetTimestamp());
        for (var minute = 0; minute < 20; minute++)
        {
            await Task.Delay(TimeSpan.FromMinutes(1), time);
            job.Sent(1, 10, time.GetTimestamp());
            Assert.Equal((60, TimeSpan.Zero), (job.View(time).ObjectsSent, job.View(time).SinceProgress));
        }

        job.Conclude("broke", hasFailed: true, Interval, time);
        job.Begin(100, time.GetTimestamp());
        for (var minute = 1; minute <= 20; minute++)
        {
            await Task.Delay(TimeSpan.FromMinutes(1), time);
            job.Sent(1, 10, time.GetTimestamp());
            Assert.Equal(TimeSpan.FromMinutes(minute), job.View(time).SinceProgress);
        }
    });

    [Fact]
    public void Hints_ThatWereHandedBack_AreNoPartOfWhatIsLeft() => Play(async (job, time) =>
    {
        await AttemptAsync(job, time, "broke", 90);
        job.Returned(90, time.GetTimestamp());
        job.Begin(10, time.GetTimestamp());
        job.Sent(4, 40, time.GetTimestamp());
        Assert.Equal((4, 40, 10), (job.View(time).ObjectsSent, job.View(time).BytesSent, job.View(time).ObjectsTotal));
    });

    [Fact]
    public void Total_IsThatOfTheAttemptThatIsTold_AndNoLessThanWhatWasSent() => Play(async (job, time) =>
    {
        await AttemptAsync(job, time, "broke", 90);
        job.Begin(30, time.GetTimestamp());
        job.Sent(5, 50, time.GetTimestamp());
        Assert.Equal((90, 100), (job.View(time).ObjectsSent, job.View(time).ObjectsTotal));
        job.Sent(90, 900, time.GetTimestamp());
        Assert.Equal((95, 95), (job.View(time).ObjectsSent, job.View(time).ObjectsTotal));
    });

    [Fact]
    public void Hints_ThatAreFewerAfterEachAttempt_MakeProgress() => Play(async (job, time) =>
    {
        foreach (var sent in new[] { 50, 30, 10 })
        {
            await AttemptAsync(job, time, "broke", sent);
            job.Returned(sent, time.GetTimestamp());
            Assert.Equal(TimeSpan.Zero, job.View(time).SinceProgress);
        }

        await AttemptAsync(job, time, "5 objects stay here: no");
        job.Returned(0, time.GetTimestamp());
        await AttemptAsync(job, time, "5 objects stay here: no");
        Assert.Equal(TimeSpan.FromSeconds(120), job.View(time).SinceProgress);
    });

    [Fact]
    public void WhatIsSentOnceMore_BeginsAnew() => Play(async (job, time) =>
    {
        await AttemptAsync(job, time, null, 100);
        await AttemptAsync(job, time, "broke", 10);
        Assert.Equal((10, TimeSpan.Zero), (job.View(time).ObjectsSent, job.View(time).SinceProgress));
    });

    [Fact]
    public void Target_ThatIsBack_IsNotWaitedForSinceItWent() => Play(async (job, time) =>
    {
        job.Renew(time.GetTimestamp());
        Assert.Equal(TimeSpan.Zero, job.View(time).SinceProgress);
        await AttemptAsync(job, time, "broke", 50);
        await Task.Delay(TimeSpan.FromHours(1), time);
        job.Renew(time.GetTimestamp());
        Assert.Equal(TimeSpan.Zero, job.View(time).SinceProgress);
        await AttemptAsync(job, time, "broke", 10);
        Assert.Equal((10, TimeSpan.Zero), (job.View(time).ObjectsSent, job.View(time).SinceProgress));
    });

    /// <summary>A minute after whatever was before.</summary>
    private static async Task AttemptAsync(HandoffJob job, TimeProvider time, string? problem, params int[] batches)
    {
        await Task.Delay(TimeSpan.FromMinutes(1), time);
        job.IsRunning = true;
        job.Begin(100, time.GetTimestamp());
        foreach (var objects in batches)
        {
            job.Sent(objects, 10 * objects, time.GetTimestamp());
        }

        job.Conclude(problem, problem is not null, Interval, time);
    }

    private static void Play(Func<HandoffJob, TimeProvider, Task> story)
    {
        var scheduler = new SimScheduler(1);
        var job = new HandoffJob(TransferKind.Hinted, new Transfer(new PartitionId(0), new NodeId(1), new NodeId(2), 0), 0);
        scheduler.Run(() => story(job, scheduler.World.Time));
    }
}
