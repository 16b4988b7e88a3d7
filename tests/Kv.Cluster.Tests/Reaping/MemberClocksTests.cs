using Kv.Cluster.Reaping;
using Kv.Core.Rings;
using Xunit;

namespace Kv.Cluster.Tests.Reaping;

/// <summary>Whichever members answer, and whichever fewer than half of the clocks are off.</summary>
public sealed class MemberClocksTests
{
    private static readonly DateTimeOffset Right = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Off = TimeSpan.FromHours(1);

    /// <summary>Every set of clocks that are ahead, this node's (the first) among them or not, and every set of others that answer.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(7)]
    public void ClocksThatAreAhead_DestroyNothing_AndStampNothingAhead(int members)
    {
        foreach (var (off, answering) in Sets(members))
        {
            var clocks = Clocks(members, off, Off, answering);
            Assert.True(clocks.Certain is null || clocks.Certain <= Right, $"of {members} ahead {off:b}, answering {answering:b}");
            Assert.True((off & 1) != 0 || clocks.Stamp <= Right, $"stamps ahead: of {members} ahead {off:b}, answering {answering:b}");
            Assert.True(2 * (int.PopCount(answering) + 1) > members == clocks.Certain is not null);
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void AClockThatIsBehind_StampsAsTheOthers_WhereAllAnswer(int members) => Assert.Equal(Right, Clocks(members, 1, -Off, (1 << members) - 2).Stamp);

    /// <summary>Of two nobody can say which clock is wrong: the earlier one counts for what is hidden, and each stamps by its own.</summary>
    [Fact]
    public void OfTwo_TheEarlierHides_AndEachStampsByItsOwn()
    {
        Assert.Equal(Right + MemberClocks.Tolerance, Clocks(2, 1, Off, 2).Now);
        Assert.Equal(Right - Off, Clocks(2, 1, -Off, 2).Now);
        Assert.Equal(Right - Off, Clocks(2, 1, -Off, 2).Stamp);
    }

    [Fact]
    public void AMemberThatDoesNotAnswerForAWhile_IsTakenForWhatItShowed()
    {
        var time = new HandTime(Right + Off);
        var ids = Ids(3);
        var clocks = new MemberClocks(time, () => ids);
        clocks.Learn([(ids[1], Show(clocks, time, Right)), (ids[2], Show(clocks, time, Right))]);
        time.Advance(TimeSpan.FromMinutes(1));
        clocks.Learn([]);
        Assert.Equal(Right + TimeSpan.FromMinutes(1) + MemberClocks.Tolerance, clocks.Now);
        Assert.NotNull(clocks.Certain);

        ids = [ids[0]];
        clocks.Learn([]);
        Assert.Equal(Right + Off + TimeSpan.FromMinutes(1), clocks.Now);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    public void BeforeTheFirstAnswers_NothingIsDestroyed_ButByTheOnlyMember(int members, bool isCertain) =>
        Assert.Equal(isCertain, new MemberClocks(new HandTime(Right), () => Ids(members)).Certain is not null);

    private static IEnumerable<(int Off, int Answering)> Sets(int members) =>
        from off in Enumerable.Range(0, 1 << members)
        where 2 * int.PopCount(off) < members
        from answering in Enumerable.Range(0, 1 << members)
        where (answering & 1) == 0
        select (off, answering);

    private static NodeId[] Ids(int members) => [.. Enumerable.Range(1, members).Select(static number => new NodeId((ulong)number))];

    private static MemberClocks Clocks(int members, int off, TimeSpan by, int answering)
    {
        var time = new HandTime(Right + ((off & 1) != 0 ? by : TimeSpan.Zero));
        var ids = Ids(members);
        var clocks = new MemberClocks(time, () => ids);
        clocks.Learn(Enumerable.Range(1, members - 1).Where(member => (answering >> member & 1) != 0).Select(member => (ids[member], Show(clocks, time, (off >> member & 1) != 0 ? Right + by : Right))));
        return clocks;
    }

    private static long Show(MemberClocks clocks, HandTime time, DateTimeOffset wall) => clocks.Distance((wall - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond, time.GetTimestamp())!.Value;

    /// <summary>A wall clock and a monotonic one, moved by hand.</summary>
    private sealed class HandTime(DateTimeOffset wall) : TimeProvider
    {
        private TimeSpan gone = TimeSpan.FromDays(3);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => wall;

        public override long GetTimestamp() => gone.Ticks;

        public void Advance(TimeSpan by) => (wall, gone) = (wall + by, gone + by);
    }
}
