using System.Collections.Immutable;
using Kv.Core.Buckets;

namespace Kv.Core.Objects;

/// <summary>
/// Whose time is over, by the `ttl` of a bucket's type and the time of the write that every copy of it carries: so all replicas say the same of an object at one time, however it came to them.
/// Each sibling has its own time; a tombstone has none, and goes when it is reaped.
/// </summary>
public static class Expiry
{
    private const long MicrosecondsPerSecond = 1_000_000;

    /// <summary>Unix microseconds, as siblings have them.</summary>
    public static long Microseconds(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond;

    /// <summary>Whether nothing of it is left to be read, though nobody deleted it.</summary>
    public static bool IsOver(KvObject value, BucketProps props, DateTimeOffset now) =>
        props.TtlSeconds is not null && !value.IsTombstone && Lasting(value, props, now).All(static sibling => sibling.IsTombstone);

    /// <summary>What of it is to be read: itself where all of it is; null where its time is over.</summary>
    public static KvObject? Left(KvObject value, BucketProps props, DateTimeOffset now)
    {
        if (props.TtlSeconds is null)
        {
            return value;
        }

        var lasting = Lasting(value, props, now);
        return lasting.Length == value.Siblings.Length ? value
            : lasting.All(static sibling => sibling.IsTombstone) ? null
            : KvObject.Create(value.Clock, lasting);
    }

    private static ImmutableArray<Sibling> Lasting(KvObject value, BucketProps props, DateTimeOffset now)
    {
        var oldest = Microseconds(now) - (props.TtlSeconds!.Value * MicrosecondsPerSecond);
        return value.Siblings.RemoveAll(sibling => !sibling.IsTombstone && sibling.LastModifiedMicroseconds <= oldest);
    }
}
