using System.Collections.Immutable;
using System.Security.Cryptography;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.DataTypes;

namespace Kv.Core.Objects;

/// <summary>The rules behind <see cref="KvObject"/>'s merges and writes (reference 3.3), which documents what each is for.</summary>
internal static class ObjectMerge
{
    public static KvObject Coordinate(KvObject? local, Sibling content, VersionVector context, Dot dot, uint unixSeconds, BucketProps props)
    {
        if (!KvObject.IsNewEvent(local, context, dot))
        {
            throw new InvalidOperationException($"the event {dot.Counter} of {dot.Actor} was seen already: the vnode must go on in a new epoch");
        }

        var written = content with { Dot = props.DvvEnabled ? dot : null };
        if (local is null)
        {
            return new KvObject(context.Increment(dot.Actor, dot.Counter, unixSeconds), [written]);
        }

        // Whoever writes here now writes after what is here, whatever the clocks of the nodes say.
        var newest = local.Newest.LastModifiedMicroseconds;
        if (written.LastModifiedMicroseconds <= newest && newest < long.MaxValue)
        {
            written = written with { LastModifiedMicroseconds = newest + 1 };
        }

        var clock = context.Merge(local.Clock).Increment(dot.Actor, dot.Counter, unixSeconds);
        if (props.LastWriteWins || context.Descends(local.Clock))
        {
            return new KvObject(clock, [written]);
        }

        var siblings = ImmutableArray.CreateBuilder<Sibling>(local.Siblings.Length + 1);
        foreach (var sibling in local.Siblings)
        {
            if (!props.DvvEnabled || sibling.Dot is not { } held || !context.Covers(held))
            {
                siblings.Add(sibling);
            }
        }

        siblings.Add(written);
        var result = new KvObject(clock, Distinct(siblings.DrainToImmutable()));
        return KeepsSiblings(props) ? result : result.ReduceToNewest();
    }

    public static KvObject Merge(KvObject a, KvObject b, bool dvvEnabled)
    {
        if (ReferenceEquals(a, b))
        {
            return a;
        }

        var descends = a.Clock.Descends(b.Clock);
        var descended = b.Clock.Descends(a.Clock);
        if (descends != descended)
        {
            return descends ? WithValuesOf(a, b) : WithValuesOf(b, a);
        }

        return Join(a, b, dvvEnabled);
    }

    public static KvObject MergeReplica(KvObject? local, KvObject incoming, BucketProps props)
    {
        if (local is null)
        {
            return incoming;
        }

        var merged = props.WriteOnce ? MergeWriteOnce(local, incoming) : Merge(local, incoming, props.DvvEnabled);
        merged = Kept(merged, props);
        return merged.IsSameAs(local) && local.IsHead == merged.IsHead && local.Clock.Equals(merged.Clock) ? local : merged;
    }

    public static KvObject? Reconcile(ReadOnlySpan<KvObject?> copies, BucketProps props)
    {
        KvObject? merged = null;
        foreach (var copy in copies)
        {
            if (copy is not null && !IsDominated(copy, copies))
            {
                merged = merged is null ? copy : props.WriteOnce ? MergeWriteOnce(merged, copy) : Join(merged, copy, props.DvvEnabled);
            }
        }

        if (merged is { IsHead: true })
        {
            foreach (var copy in copies)
            {
                merged = copy is null ? merged : WithValuesOf(merged, copy);
            }
        }

        return merged is null ? null : Kept(merged, props);
    }

    public static Sibling Newest(ImmutableArray<Sibling> siblings)
    {
        var newest = siblings[0];
        foreach (var sibling in siblings.AsSpan()[1..])
        {
            if (SiblingOrder.ByAge(sibling, newest) > 0)
            {
                newest = sibling;
            }
        }

        return newest;
    }

    /// <summary>In canonical order, each write once; of a head and its whole sibling the whole one.</summary>
    public static ImmutableArray<Sibling> Distinct(ImmutableArray<Sibling> siblings)
    {
        if (siblings.Length <= 1)
        {
            return siblings;
        }

        var sorted = siblings.Sort(SiblingOrder.Canonical);
        var distinct = ImmutableArray.CreateBuilder<Sibling>(sorted.Length);
        foreach (var sibling in sorted)
        {
            if (distinct.Count > 0 && distinct[^1].IsSameWrite(sibling))
            {
                distinct[^1] = distinct[^1].IsHead ? sibling : distinct[^1];
            }
            else
            {
                distinct.Add(sibling);
            }
        }

        return distinct.ToImmutable();
    }

    /// <summary>
    /// The merge of copies neither of which dominates the other. They are concurrent, or of one history. The latter are equal as a rule; buckets
    /// without siblings or without dots can make copies of one history that differ, because what they drop does not depend on the history alone. Without dots all
    /// contents stay, so that joining many does not depend on their order.
    /// </summary>
    private static KvObject Join(KvObject a, KvObject b, bool dvvEnabled)
    {
        if (a.IsSameAs(b))
        {
            return WithTimesOf(WithValuesOf(a, b), b);
        }

        var siblings = ImmutableArray.CreateBuilder<Sibling>(a.Siblings.Length + b.Siblings.Length);
        if (dvvEnabled)
        {
            AddSurvivors(siblings, a, b);
            AddSurvivors(siblings, b, a);
        }

        if (siblings.Count == 0)
        {
            // With dots nothing is left only where both dropped by time what the other kept: choose anew.
            siblings.AddRange(a.Siblings);
            siblings.AddRange(b.Siblings);
        }

        return new KvObject(a.Clock.Merge(b.Clock), Distinct(siblings.ToImmutable()));
    }

    /// <summary>With the values that its heads lack and the other has.</summary>
    private static KvObject WithValuesOf(KvObject head, KvObject other)
    {
        if (!head.IsHead)
        {
            return head;
        }

        var filled = head.Siblings.ToBuilder();
        for (var i = 0; i < filled.Count; i++)
        {
            foreach (var sibling in other.Siblings)
            {
                if (filled[i].IsHead && !sibling.IsHead && filled[i].IsSameWrite(sibling))
                {
                    filled[i] = sibling;
                }
            }
        }

        return new KvObject(head.Clock, Distinct(filled.ToImmutable()));
    }

    /// <summary>Of copies of one state the later of the times that their clocks note, so that merging makes them one to the last byte.</summary>
    private static KvObject WithTimesOf(KvObject one, KvObject other) =>
        one.Clock.Equals(other.Clock) ? one : new KvObject(one.Clock.Merge(other.Clock), one.Siblings);

    /// <summary>What the bucket's kind keeps of the siblings.</summary>
    private static KvObject Kept(KvObject merged, BucketProps props) =>
        !KeepsSiblings(props) ? merged.ReduceToNewest() : props.DataType is not null ? DataTypeObject.WithoutDeleted(merged, props) : merged;

    private static bool KeepsSiblings(BucketProps props) => props.AllowMult && !props.LastWriteWins;

    /// <summary>The siblings of <paramref name="from"/> that <paramref name="other"/> has not seen, or holds too; and those without a dot, of which nobody can know.</summary>
    private static void AddSurvivors(ImmutableArray<Sibling>.Builder siblings, KvObject from, KvObject other)
    {
        foreach (var sibling in from.Siblings)
        {
            if (sibling.Dot is not { } dot || !other.Clock.Covers(dot) || Holds(other, dot))
            {
                siblings.Add(sibling);
            }
        }
    }

    private static bool Holds(KvObject held, Dot dot)
    {
        foreach (var sibling in held.Siblings)
        {
            if (sibling.Dot == dot)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsDominated(KvObject copy, ReadOnlySpan<KvObject?> copies)
    {
        foreach (var other in copies)
        {
            if (other is not null && !ReferenceEquals(other, copy) && other.Clock.Dominates(copy.Clock))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Of two writes to a write-once key the one whose stored form has the smaller hash: arbitrary, and the same everywhere (reference 9.5; Riak hashes its own stored form, by SHA-1). It is taken over
    /// the form without values, whose tags tell writes apart, so that a reader that has heads only chooses alike. A delete beats a value, or half of all deletes
    /// would be undone by their hash.
    /// </summary>
    private static KvObject MergeWriteOnce(KvObject a, KvObject b)
    {
        if (a.IsSameAs(b))
        {
            return a.IsHead ? WithTimesOf(b, a) : WithTimesOf(a, b);
        }

        if (a.IsTombstone != b.IsTombstone)
        {
            return a.IsTombstone ? a : b;
        }

        Span<byte> hashOfA = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> hashOfB = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(ObjectCodec.EncodeHead(a), hashOfA);
        SHA256.HashData(ObjectCodec.EncodeHead(b), hashOfB);
        var order = hashOfA.SequenceCompareTo(hashOfB);
        return (order != 0 ? order : SiblingOrder.ByAge(a.Newest, b.Newest)) <= 0 ? a : b;
    }
}
