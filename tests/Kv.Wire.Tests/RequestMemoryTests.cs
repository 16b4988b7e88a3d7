using System.Runtime.CompilerServices;
using Xunit;

namespace Kv.Wire.Tests;

public sealed class RequestMemoryTests
{
    private const int Mebi = 1024 * 1024;
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WhoeverWaits_IsLetInInTurn()
    {
        var share = new MemoryShare(10 * Mebi, Mebi, Long, TimeProvider.System);
        Assert.True(share.TryTake(8 * Mebi));
        var large = share.TakeAsync(5 * Mebi, None).AsTask();
        var next = share.TakeAsync(Mebi, None).AsTask();

        // There would be room for it, but another waits; what is small does not wait behind either.
        Assert.False(share.TryTake(Mebi));
        Assert.True(share.TryTake(1000));
        Assert.False(large.IsCompleted || next.IsCompleted);
        share.Release(8 * Mebi);
        Assert.True(await large);
        Assert.True(await next);
        Assert.Equal((6 * Mebi) + 1000, share.Used);
    }

    /// <summary>Those who wait may wait for what it holds: it gets more at once or not at all.</summary>
    [Fact]
    public async Task WhoeverHasSome_GetsMoreBeforeThoseWhoWait_OrNothing()
    {
        var share = new MemoryShare(10 * Mebi, Mebi, Long, TimeProvider.System);
        Assert.True(share.TryTake(6 * Mebi));
        var large = share.TakeAsync(5 * Mebi, None).AsTask();
        Assert.True(share.TryTakeMore(2 * Mebi));
        Assert.False(share.TryTakeMore(2 * Mebi));
        Assert.False(large.IsCompleted);
        share.Release(6 * Mebi);
        Assert.True(await large);
        Assert.Equal(7 * Mebi, share.Used);
    }

    [Fact]
    public async Task WhoeverGivesUp_IsNoLongerInTheWay()
    {
        var share = new MemoryShare(10 * Mebi, Mebi, Long, TimeProvider.System);
        Assert.True(share.TryTake(8 * Mebi));
        using var gone = new CancellationTokenSource();
        var large = share.TakeAsync(5 * Mebi, gone.Token).AsTask();
        var next = share.TakeAsync(Mebi, None).AsTask();
        await gone.CancelAsync();
        Assert.False(await large);
        Assert.True(await next);

        var impatient = new MemoryShare(10 * Mebi, Mebi, TimeSpan.FromMilliseconds(1), TimeProvider.System);
        Assert.True(impatient.TryTake(8 * Mebi));
        Assert.False(await impatient.TakeAsync(5 * Mebi, None));
        Assert.Equal(8 * Mebi, impatient.Used);
    }

    [Fact]
    public void MoreThanThereIs_IsLetInAlone_AndSmallOnesHaveTheirRoom()
    {
        var share = new MemoryShare(10 * Mebi, Mebi, Long, TimeProvider.System);
        Assert.True(share.TryTake(50 * Mebi));
        Assert.True(share.TryTake(MemoryShare.SmallBytes));
        Assert.False(share.TryTake(100 * 1024));
        share.Release(MemoryShare.SmallBytes);
        share.Release(50 * Mebi);
        Assert.Equal(0, share.Used);
        Assert.True(share.TryTake(9 * Mebi));
        Assert.False(share.TryTake(100 * 1024));
        Assert.True(share.TryTake(MemoryShare.SmallBytes));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(100)]
    [InlineData(458)]
    [InlineData(4096)]
    public void TheLargestObject_FitsEachShare_AndTheSharesTogetherAreTheWhole(int mebi)
    {
        var memory = new RequestMemory((long)mebi * Mebi, TimeProvider.System);
        Assert.True(memory.MaxObjectBytes > 0);
        MemoryShare[] shares = [memory.Clients, memory.Replicas, memory.Sends, memory.Answers];
        Assert.InRange(shares.Sum(share => share.Bytes), memory.Bytes - 100, memory.Bytes);
        Assert.All(shares, share => Assert.True(share.TryTake(100)));
        Assert.True(memory.Clients.TryTake(memory.MaxObjectBytes * RequestMemory.CopiesOfWrite));
        Assert.True(memory.Replicas.TryTake(memory.MaxObjectBytes * RequestMemory.CopiesOfReplica));
    }

    [Theory]
    [InlineData(2048, 48, 50)]
    [InlineData(2048, 64, 41)]
    [InlineData(512, 8, 9)]
    public void WhatALimitIsSharedOutTo_CarriesSuchAnObject(int limitMebi, int stores, int objectMebi)
    {
        var budget = Storage.MemoryBudget.For((long)limitMebi * Mebi, stores);
        Assert.True(budget.Fits, budget.ToString());
        Assert.True(new RequestMemory(budget.RequestBytes, TimeProvider.System).MaxObjectBytes >= objectMebi * Mebi, budget.ToString());
    }

    [Fact]
    public void AnAnswersRoom_ComesBackWhenItIsGarbage()
    {
        var memory = new RequestMemory(9 * Mebi, TimeProvider.System);
        for (var i = 0; i < 50; i++)
        {
            TakeAndForget(memory);
        }

        var held = memory.TryAllocateAnswer((int)memory.Answers.Bytes * 3 / 4);
        while (held is null)
        {
            held = memory.TryAllocateAnswer((int)memory.Answers.Bytes * 3 / 4);
        }

        // What is still held is not garbage.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(held.Length, memory.Answers.Used);
        Assert.Null(memory.TryAllocateAnswer(held.Length));
        GC.KeepAlive(held);
    }

    [Fact]
    public void SearchesForGarbage_TakeATenthOfTheTimeAtMost()
    {
        var time = new StillTime();
        var searches = 0;
        var memory = new RequestMemory(9 * Mebi, time, () =>
        {
            searches++;
            time.Now += TimeSpan.FromMilliseconds(200);
        });
        Assert.True(memory.Answers.TryTake(memory.MaxObjectBytes * 2));
        foreach (var (waited, expected) in new[] { (50, 1), (0, 1), (1900, 1), (100, 2), (1000, 2), (1000, 3) })
        {
            time.Now += TimeSpan.FromMilliseconds(waited);
            Assert.Null(memory.TryAllocateAnswer(100_000));
            Assert.Equal(expected, searches);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void TakeAndForget(RequestMemory memory) => memory.TryAllocateAnswer((int)memory.MaxObjectBytes);

    private sealed class StillTime : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
