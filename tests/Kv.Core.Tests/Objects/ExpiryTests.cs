using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Xunit;

namespace Kv.Core.Tests.Objects;

public sealed class ExpiryTests
{
    private static readonly DateTimeOffset Written = DateTimeOffset.FromUnixTimeSeconds(1_000_000);
    private static readonly BucketProps Minute = BucketProps.NewType with { TtlSeconds = 60 };

    [Theory]
    [InlineData(59, true)]
    [InlineData(60, false)]
    [InlineData(61, false)]
    [InlineData(-10, true)]
    public void AnObject_LastsForItsTtl(int seconds, bool lasts)
    {
        var value = Of(SiblingAt(0));
        Assert.Equal(lasts ? value : null, Expiry.Left(value, Minute, Written.AddSeconds(seconds)));
        Assert.Equal(!lasts, Expiry.IsOver(value, Minute, Written.AddSeconds(seconds)));
        Assert.Same(value, Expiry.Left(value, BucketProps.NewType, Written.AddSeconds(seconds)));
        Assert.False(Expiry.IsOver(value, BucketProps.NewType, Written.AddSeconds(seconds)));
    }

    [Fact]
    public void EachSibling_HasItsOwnTime_AndTheClockStays()
    {
        var value = Of(SiblingAt(0), SiblingAt(30));
        var left = Expiry.Left(value, Minute, Written.AddSeconds(70))!;
        Assert.Equal([SiblingAt(30)], left.Siblings);
        Assert.Equal(value.Clock, left.Clock);
        Assert.False(Expiry.IsOver(value, Minute, Written.AddSeconds(70)));
        Assert.True(Expiry.IsOver(value, Minute, Written.AddSeconds(90)));
    }

    [Fact]
    public void ATombstone_HasNoEndOfItsOwn_AndIsNoValueThatLasts()
    {
        var deleted = SiblingAt(0) with { IsTombstone = true, Value = default };
        Assert.Same(Of(deleted).Siblings[0], Expiry.Left(Of(deleted), Minute, Written.AddDays(1))!.Siblings[0]);
        Assert.False(Expiry.IsOver(Of(deleted), Minute, Written.AddDays(1)));
        Assert.Null(Expiry.Left(Of(deleted, SiblingAt(1)), Minute, Written.AddDays(1)));
        Assert.True(Expiry.IsOver(Of(deleted, SiblingAt(1)), Minute, Written.AddDays(1)));
    }

    private static KvObject Of(params Sibling[] siblings) =>
        KvObject.Create(siblings.Aggregate(VersionVector.Empty, (clock, sibling) => clock.Increment(sibling.Dot!.Value.Actor, sibling.Dot.Value.Counter, 0)), siblings);

    private static Sibling SiblingAt(int seconds) => new()
    {
        Dot = new Dot(new ActorId(new NodeId(7), new PartitionId(seconds), 1), 1),
        Value = new byte[] { (byte)seconds },
        LastModifiedMicroseconds = Expiry.Microseconds(Written.AddSeconds(seconds)),
    };
}
