using Kv.Operator.Runtime;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Kv.Operator.Tests.Runtime;

public sealed class WorkQueueTests
{
    private readonly FakeTimeProvider time = new();

    [Fact]
    public async Task Add_Twice_IsTakenOnce()
    {
        var queue = Queue();
        queue.Add("a");
        queue.Add("a");
        Assert.Equal("a", await queue.TakeAsync(TestContext.Current.CancellationToken));
        Assert.Equal(0, queue.Depth);
    }

    [Fact]
    public async Task Add_WhileItIsWorkedOn_ComesAfterwardsAndNeverTwiceAtOnce()
    {
        var queue = Queue();
        queue.Add("a");
        await queue.TakeAsync(TestContext.Current.CancellationToken);
        queue.Add("a");
        var second = queue.TakeAsync(TestContext.Current.CancellationToken);
        Assert.False(second.IsCompleted);
        queue.Done("a");
        Assert.Equal("a", await second);
    }

    [Fact]
    public async Task Add_WithTwoDelays_KeepsTheEarlier()
    {
        var queue = Queue();
        queue.Add("a", TimeSpan.FromMinutes(10));
        queue.Add("a", TimeSpan.FromSeconds(5));
        queue.Add("a", TimeSpan.FromMinutes(20));
        var taken = queue.TakeAsync(TestContext.Current.CancellationToken);
        Assert.False(taken.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("a", await taken);
    }

    [Fact]
    public void Failures_InARow_WaitEverLongerUpToABound()
    {
        var queue = Queue();
        var delays = Enumerable.Range(0, 12).Select(_ => queue.AddAfterFailure("a")).ToList();
        Assert.InRange(delays[0].TotalSeconds, 1, 1.1);
        Assert.InRange(delays[3].TotalSeconds, 8, 8.8);
        Assert.InRange(delays[11].TotalSeconds, 300, 330);
        queue.Forget("a");
        Assert.InRange(queue.AddAfterFailure("a").TotalSeconds, 1, 1.1);
    }

    [Fact]
    public void Failures_InARow_WaitWithinTheirOwnBounds()
    {
        var queue = Queue();
        var delays = Enumerable.Range(0, 8).Select(_ => queue.AddAfterFailure("a", TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(30)).TotalSeconds).ToList();
        Assert.All(delays.Zip([3.0, 3, 4, 8, 16, 30, 30, 30]), pair => Assert.InRange(pair.First, pair.Second, pair.Second * 1.1));
        Assert.Equal(delays.Count, delays.Distinct().Count());
        Assert.InRange(queue.AddAfterFailure("a", longest: TimeSpan.FromHours(1)).TotalSeconds, 256, 330);
    }

    [Fact]
    public async Task Take_Cancelled_Ends()
    {
        using var stop = new CancellationTokenSource();
        var taken = Queue().TakeAsync(stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taken);
    }

    private WorkQueue<string> Queue() => new(time, new Random(1));
}
