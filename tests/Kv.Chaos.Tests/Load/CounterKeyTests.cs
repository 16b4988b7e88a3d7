using Kv.Chaos.Load;
using Kv.Core.Objects;
using Xunit;

namespace Kv.Chaos.Tests.Load;

public sealed class CounterKeyTests
{
    private readonly CounterKey key = new(new ObjectKey("counters", "bucket", "key"));

    [Fact]
    public void Acknowledged_CountInFull()
    {
        Acknowledged(5);
        Acknowledged(-2);
        Assert.Empty(key.Violations(3));
        Assert.NotEmpty(key.Violations(5));
        Assert.NotEmpty(key.Violations(0));
    }

    [Fact]
    public void OfUnknownFate_CountOnceAtMost_EachInItsDirection()
    {
        Acknowledged(10);
        key.Begin(4);
        key.Begin(-3);
        Assert.All(Enumerable.Range(7, 8), value => Assert.Empty(key.Violations(value)));
        Assert.NotEmpty(key.Violations(6));
        Assert.NotEmpty(key.Violations(15));
    }

    private void Acknowledged(long amount)
    {
        key.Begin(amount);
        key.Acknowledge(amount);
    }
}
