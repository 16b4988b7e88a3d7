using Kv.Core.Rings;

namespace Kv.Cluster.Reaping;

/// <summary>
/// The time by which objects with an end are judged: this node's wall clock, as far as the other members' clocks bear it out. A clock that is ahead of those of most members would hide what lives and destroy it,
/// one that is behind would stamp what is written as long over; all other uses of the clock are as they were. What others showed is kept as a distance from this node's monotonic clock, so that a jump of its wall clock changes nothing of it.
/// With n members, any fewer than half of the clocks may be off by any time. Safe from any thread.
/// </summary>
/// <param name="time">This node's clocks.</param>
/// <param name="members">Whose clocks count now, this node's among them.</param>
internal sealed class MemberClocks(TimeProvider time, Func<IReadOnlyCollection<NodeId>> members)
{
    /// <summary>How much a clock may be off without notice. An answer that took longer to come says nothing, so that what an answer shows is less than this behind the clock that it was read from.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    /// <summary>Of the year 9999.</summary>
    private const long LastMicrosecond = 253_402_300_799_999_999;

    private readonly Lock gate = new();

    // What each member showed last, whether it answers now or not.
    private readonly Dictionary<NodeId, long> shown = [];

    // Wall clocks of other members less this node's monotonic clock, ticks, in order; and how many members' clocks count. Null until somebody was asked.
    private volatile Known? known;

    /// <summary>By which objects are hidden: never later than this node's clock, nor much later than one that most others bear out.</summary>
    public DateTimeOffset Now
    {
        get
        {
            var own = time.GetUtcNow();
            return known is { Distances: { Length: > 0 } others } all && Least(At(others[Math.Min(others.Length / 2, Math.Max(0, others.Length - all.MostOff))]), Tolerance) is var bound && bound < own ? bound : own;
        }
    }

    /// <summary>By which objects are destroyed: earlier than <see cref="Now"/> by what clocks may be off. Null while too few clocks are known to say.</summary>
    public DateTimeOffset? Certain => (known ?? new Known([], members().Count)) is var all && 2 * (all.Distances.Length + 1) > all.Members ? Now - Tolerance : null;

    /// <summary>With which a write of an object with an end is stamped: never earlier than this node's clock, nor much earlier than one that others bear out. One other clock alone is not believed: what it stamps ahead would never end.</summary>
    public DateTimeOffset Stamp
    {
        get
        {
            var own = time.GetUtcNow();
            return known is { Distances: { Length: > 1 } others } all && others.Length > all.MostOff
                && At(others[Math.Min((others.Length - 1) / 2, others.Length - 1 - all.MostOff)]) is var bound && bound > own ? bound : own;
        }
    }

    /// <summary>By how much this node's clock is ahead of the time by which it judges; zero where it goes by its own.</summary>
    public TimeSpan Ahead => time.GetUtcNow() - Now is var ahead && ahead > TimeSpan.Zero ? ahead : TimeSpan.Zero;

    private long Monotonic => time.GetElapsedTime(0).Ticks;

    /// <summary>Another member's clock showed this, when it was asked; null where the answer took too long.</summary>
    /// <param name="microseconds">What it showed, in Unix microseconds.</param>
    /// <param name="asked">When it was asked, this node's <see cref="TimeProvider.GetTimestamp"/>.</param>
    public long? Distance(long microseconds, long asked) =>
        time.GetElapsedTime(asked) > Tolerance ? null : DateTimeOffset.UnixEpoch.Ticks + (Math.Clamp(microseconds, 0, LastMicrosecond) * TimeSpan.TicksPerMicrosecond) - Monotonic;

    /// <summary>Takes up what those members showed that answered: each by <see cref="Distance"/>. Who did not is taken for what it showed before.</summary>
    public void Learn(IEnumerable<(NodeId Member, long Distance)> answers)
    {
        lock (gate)
        {
            foreach (var (member, distance) in answers)
            {
                shown[member] = distance;
            }

            var counted = members();
            foreach (var gone in shown.Keys.Except(counted).ToList())
            {
                shown.Remove(gone);
            }

            known = new Known([.. shown.Values.Order()], counted.Count);
        }
    }

    private DateTimeOffset At(long distance) => new(Math.Clamp(distance + Monotonic, 0, DateTimeOffset.MaxValue.Ticks), TimeSpan.Zero);

    private static DateTimeOffset Least(DateTimeOffset other, TimeSpan more) => DateTimeOffset.MaxValue - other > more ? other + more : DateTimeOffset.MaxValue;

    private sealed record Known(long[] Distances, int Members)
    {
        /// <summary>Fewer than half.</summary>
        public int MostOff => (Members - 1) / 2;
    }
}
