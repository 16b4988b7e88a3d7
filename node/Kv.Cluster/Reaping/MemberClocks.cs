namespace Kv.Cluster.Reaping;

/// <summary>
/// The time by which objects with an end are judged: this node's wall clock, as far as the other members' clocks bear it out. A clock that is ahead of those of most members would hide what lives and destroy it,
/// one that is behind would stamp what is written as long over; all other uses of the clock are as they were. What others showed is kept as a distance from this node's monotonic clock, so that a jump of its wall clock changes nothing of it.
/// Safe from any thread.
/// </summary>
/// <param name="time">This node's clocks.</param>
/// <param name="members">How many members there are now, this node among them.</param>
internal sealed class MemberClocks(TimeProvider time, Func<int> members)
{
    /// <summary>How much a clock may be off without notice. An answer that took longer to come says nothing, so that what an answer shows is less than this behind the clock that it was read from.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    /// <summary>Of the year 9999.</summary>
    private const long LastMicrosecond = 253_402_300_799_999_999;

    // Wall clocks of other members less this node's monotonic clock, ticks, in order.
    private volatile long[] others = [];

    /// <summary>By which objects are hidden: never later than this node's clock, nor much later than most others'.</summary>
    public DateTimeOffset Now
    {
        get
        {
            var own = time.GetUtcNow();
            return others is { Length: > 0 } known && Least(At(known[known.Length / 2]), Tolerance) is var bound && bound < own ? bound : own;
        }
    }

    /// <summary>By which objects are destroyed: earlier than <see cref="Now"/> by what clocks may be off. Null while too few clocks are known to say.</summary>
    public DateTimeOffset? Certain => IsKnown ? Now - Tolerance : null;

    /// <summary>With which a write of an object with an end is stamped: never earlier than this node's clock, nor much earlier than most others'.</summary>
    public DateTimeOffset Stamp
    {
        get
        {
            var own = time.GetUtcNow();
            return IsKnown && others is { Length: > 0 } known && At(known[(known.Length - 1) / 2]) is var bound && bound > own ? bound : own;
        }
    }

    /// <summary>By how much this node's clock is ahead of the time by which it judges; zero where it goes by its own.</summary>
    public TimeSpan Ahead => time.GetUtcNow() - Now is var ahead && ahead > TimeSpan.Zero ? ahead : TimeSpan.Zero;

    /// <summary>Whether most members' clocks are known, this node's among them.</summary>
    private bool IsKnown => 2 * (others.Length + 1) > members();

    /// <summary>Another member's clock showed this, when it was asked; null where the answer took too long.</summary>
    /// <param name="microseconds">What it showed, in Unix microseconds.</param>
    /// <param name="asked">When it was asked, this node's <see cref="TimeProvider.GetTimestamp"/>.</param>
    public long? Distance(long microseconds, long asked) =>
        time.GetElapsedTime(asked) > Tolerance ? null : DateTimeOffset.UnixEpoch.Ticks + (Math.Clamp(microseconds, 0, LastMicrosecond) * TimeSpan.TicksPerMicrosecond) - Monotonic;

    /// <summary>Takes up what those members showed that answered: each by <see cref="Distance"/>.</summary>
    public void Learn(IEnumerable<long> distances) => others = [.. distances.Order()];

    private long Monotonic => time.GetElapsedTime(0).Ticks;

    private DateTimeOffset At(long distance) => new(Math.Clamp(distance + Monotonic, 0, DateTimeOffset.MaxValue.Ticks), TimeSpan.Zero);

    private static DateTimeOffset Least(DateTimeOffset other, TimeSpan more) => DateTimeOffset.MaxValue - other > more ? other + more : DateTimeOffset.MaxValue;
}
