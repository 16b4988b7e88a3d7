using System.Diagnostics.CodeAnalysis;
using Kv.Core.Buckets;
using Kv.Core.Objects;

namespace Kv.Cluster.Vnodes;

/// <summary>What a replica makes of an object that arrives from elsewhere, on stored forms: decoded before it is kept, but for the values, and written anew only where clocks do not decide.</summary>
internal static class ReplicaRules
{
    /// <summary>
    /// The stored form to keep; null where the local one stays. False with the reason where the arrival cannot be read: it is refused, nothing changes.
    /// </summary>
    // hot
    public static bool TryMerge(
        ReadOnlyMemory<byte>? local, ReadOnlyMemory<byte> arrival, BucketProps props, out ReadOnlyMemory<byte>? kept, [NotNullWhen(false)] out string? reason)
    {
        kept = null;
        reason = null;
        if (ObjectCodec.IsHead(arrival.Span) || ObjectCodec.PeekClock(arrival.Span) is not { } theirs)
        {
            reason = "what arrived is not a whole object";
            return false;
        }

        if (local is { } same && same.Span.SequenceEqual(arrival.Span))
        {
            return true;
        }

        var mine = local is { } held ? StoredForm.Clock(held) : null;
        var isNewer = mine is null || theirs.Descends(mine);
        var isOlder = mine is not null && mine.Descends(theirs);
        var clocksDecide = mine is null || (isNewer != isOlder && !props.WriteOnce);
        if (clocksDecide && isOlder)
        {
            return true;
        }

        // Whatever is kept has to be readable: what a store holds and nobody can read ends the node.
        if (!ObjectCodec.TryDecode(arrival, out var incoming, out var failure))
        {
            reason = failure.ToString();
            return false;
        }

        if (clocksDecide)
        {
            kept = arrival;
            return true;
        }

        var present = StoredForm.Decode(local.GetValueOrDefault());
        var merged = KvObject.MergeReplica(present, incoming, props);
        if (!ReferenceEquals(merged, present))
        {
            kept = ReferenceEquals(merged, incoming) ? arrival : ObjectCodec.Encode(merged);
        }

        return true;
    }
}
