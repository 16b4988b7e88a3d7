using System.Collections.Immutable;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Objects;

namespace Kv.Core.DataTypes;

/// <summary>
/// A data type as an object. A coordinated update merges all siblings that its vnode holds, changes what comes of it, and writes that in their place; concurrent updates are siblings
/// as ever, and whoever reads merges them. So replicas, repair and handoff need to know nothing of data types.
/// </summary>
public static class DataTypeObject
{
    private const int DefaultPrecision = 14;

    /// <summary>The data type of a bucket's objects; null for plain ones.</summary>
    public static DataTypeKind? KindOf(BucketProps props) => DataTypeNames.Find(props.DataType);

    /// <summary>
    /// What the object's siblings come to together; a state to which nothing was done where there is none. Null, with the problem, where a sibling is no state of the type. Of a delete among the
    /// siblings it is known what it had seen (<see cref="Tombstone"/>), and none of that is there; grow-only sets and HyperLogLogs cannot take back what another still has.
    /// </summary>
    public static DataType? Read(KvObject? held, BucketProps props, out DataTypeProblem? problem) =>
        Read(held, KindOf(props) ?? throw new ArgumentException("the bucket has no data type", nameof(props)), props.HllPrecision ?? DefaultPrecision, out problem);

    /// <summary>The same of a counter in an untyped bucket, as Riak 1.4 has them (reference 5.5).</summary>
    public static DataType? ReadCounter(KvObject? held, out DataTypeProblem? problem) => Read(held, DataTypeKind.Counter, DefaultPrecision, out problem);

    /// <summary>What an update writes; dot, time and tag are the coordinator's to set.</summary>
    public static Sibling Content(DataType state) => new()
    {
        Dot = null,
        Value = DataTypeCodec.Encode(state),
        Metadata = ObjectMetadata.Empty with { ContentType = DataTypeNames.ContentTypeOf(state.Kind) },
    };

    /// <summary>
    /// The tombstone of a delete that had seen this, by a vnode that holds that, and which events' siblings it takes the place of. The tombstone is a state without anything, whose clock says what was
    /// seen: a state that is merged with it later holds more than the one event that made it. It takes no place of a sibling that its vnode does not hold, because removals may wait there that it
    /// cannot keep: such a sibling stays beside it, with nothing left of it but those (<see cref="WithoutDeleted"/>).
    /// </summary>
    public static (Sibling Tombstone, VersionVector Replaced) Tombstone(Sibling tombstone, KvObject? held, VersionVector seen, BucketProps props)
    {
        if (!IsCausal(props, out var kind))
        {
            return (tombstone, seen);
        }

        // What the siblings' removals wait for, each by itself: together they may have all, and the delete takes only some of them away. Who saw a sibling saw all that its state had heard of; that
        // may be more than the object's clock says, after a delete of what was elsewhere. Of a sibling without a dot nothing tells its event: it was seen where all was.
        var left = CausalDataType.Deleted(kind, seen);
        foreach (var sibling in held?.Siblings ?? [])
        {
            if (DataTypeCodec.TryDecode(sibling.Value.Span, out var read, out _) && read is CausalDataType state && state.Kind == kind)
            {
                left = left.WithDeferredOf(state, hasSeen: sibling.Dot is { } dot ? seen.Covers(dot) : seen.Descends(held!.Clock));
            }
        }

        return (tombstone with { Value = DataTypeCodec.Encode(left) }, seen.GreatestLowerBound(held?.Clock ?? VersionVector.Empty));
    }

    /// <summary>Without the live siblings that a delete among the siblings had seen whole, also what their removals wait for. Itself where there is none, or values were left away.</summary>
    internal static KvObject WithoutDeleted(KvObject held, BucketProps props)
    {
        if (held.Siblings.Length == 1 || held.IsHead || !held.Siblings.Any(sibling => sibling.IsTombstone) || !IsCausal(props, out var kind))
        {
            return held;
        }

        var states = held.Siblings.Select(sibling => DataTypeCodec.TryDecode(sibling.Value.Span, out var read, out _) && read.Kind == kind ? (CausalDataType)read : null).ToArray();
        var deletes = states.Where((state, i) => state is not null && held.Siblings[i].IsTombstone).ToArray();
        var left = held.Siblings.Where((sibling, i) => sibling.IsTombstone || states[i] is not { } state || !deletes.Any(delete => state.IsWithin(delete!.Clock))).ToArray();
        return left.Length == held.Siblings.Length ? held : KvObject.Create(held.Clock, left);
    }

    /// <summary>
    /// The object with one live sibling, the merged state, as clients that read it as a plain value get it (reference 5.1: siblings never reach them). Itself where it is that
    /// already, or cannot be merged.
    /// </summary>
    public static KvObject Collapse(KvObject held, BucketProps props)
    {
        if (held.Siblings.Length == 1 || held.IsTombstone)
        {
            return held;
        }

        // A delete beside what lives is not what is there, however new it is.
        return held.IsHead || Read(held, props, out _) is not { } state
            ? KvObject.Create(held.Clock, [held.Siblings.Where(sibling => !sibling.IsTombstone).MaxBy(sibling => sibling.LastModifiedMicroseconds)!])
            : KvObject.Create(held.Clock, ImmutableArray.Create(Content(state) with { LastModifiedMicroseconds = held.Newest.LastModifiedMicroseconds, VTag = held.Newest.VTag }));
    }

    /// <summary>Whether the bucket's objects are a data type whose states have a clock.</summary>
    private static bool IsCausal(BucketProps props, out DataTypeKind kind)
    {
        var found = KindOf(props);
        kind = found.GetValueOrDefault();
        return found is not null && DataType.Empty(kind, HyperLogLog.LeastPrecision) is CausalDataType;
    }

    private static DataType? Read(KvObject? held, DataTypeKind kind, int precision, out DataTypeProblem? problem)
    {
        problem = null;
        var state = DataType.Empty(kind, precision);
        foreach (var sibling in held?.Siblings ?? [])
        {
            if (sibling.IsTombstone && sibling.Value.IsEmpty)
            {
                continue;
            }

            if (!DataTypeCodec.TryDecode(sibling.Value.Span, out var read, out var reason) || read.Kind != kind)
            {
                problem = new DataTypeProblem.NotOfThisType(read is null ? reason : $"a {DataTypeNames.Of(read.Kind)}");
                return null;
            }

            state = state.Merge(read);
        }

        return state;
    }
}
