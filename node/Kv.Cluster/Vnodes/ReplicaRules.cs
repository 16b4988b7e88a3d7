using System.Diagnostics.CodeAnalysis;
using Kv.Core.Buckets;
using Kv.Core.Objects;

namespace Kv.Cluster.Vnodes;

/// <summary>What a replica makes of an object that arrives from elsewhere, on stored forms: decoded only where clocks do not decide.</summary>
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

        if (local is not { } held)
        {
            kept = arrival;
            return true;
        }

        if (held.Span.SequenceEqual(arrival.Span))
        {
            return true;
        }

        var mine = StoredForm.Clock(held);
        var arrivalDescends = theirs.Descends(mine);
        var heldDescends = mine.Descends(theirs);
        if (arrivalDescends != heldDescends && !props.WriteOnce)
        {
            // Never `? arrival : null`: null would become an empty array, and that an empty value.
            if (arrivalDescends)
            {
                kept = arrival;
            }

            return true;
        }

        if (!ObjectCodec.TryDecode(arrival, out var incoming, out var failure))
        {
            reason = failure.ToString();
            return false;
        }

        var present = StoredForm.Decode(held);
        var merged = KvObject.MergeReplica(present, incoming, props);
        if (!ReferenceEquals(merged, present))
        {
            kept = ReferenceEquals(merged, incoming) ? arrival : ObjectCodec.Encode(merged);
        }

        return true;
    }
}
