using System.Collections.Immutable;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Rings;

namespace Kv.Core.Objects;

/// <summary>
/// An object as replicas hold it: all the siblings that are current, under the clock that covers every event they and their
/// ancestors came from. Immutable. Merge, coordinated write and pruning follow Riak's rules (riak_object; reference 3); where they deliberately
/// differ, node/docs/objects.md says so.
/// </summary>
public sealed class KvObject : IEquatable<KvObject>
{
    private static readonly VersionVector WriteOnceClock = VersionVector.Empty.Increment(new ActorId(NodeId.None, new PartitionId(0), 0), 1, 0);

    internal KvObject(VersionVector clock, ImmutableArray<Sibling> siblings)
    {
        Clock = clock;
        Siblings = siblings;
    }

    public VersionVector Clock { get; }

    /// <summary>At least one, in an order that depends on nothing but them (<see cref="SiblingOrder"/>).</summary>
    public ImmutableArray<Sibling> Siblings { get; }

    /// <summary>Whether nothing of it lives: every sibling is a tombstone.</summary>
    public bool IsTombstone
    {
        get
        {
            foreach (var sibling in Siblings.AsSpan())
            {
                if (!sibling.IsTombstone)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Whether a value was left away.</summary>
    public bool IsHead
    {
        get
        {
            foreach (var sibling in Siblings.AsSpan())
            {
                if (sibling.IsHead)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>The sibling that a bucket without siblings would keep: see <see cref="SiblingOrder.ByAge"/>.</summary>
    public Sibling Newest => ObjectMerge.Newest(Siblings);

    /// <summary>An object of given parts: what codecs and tests build. Siblings are put in order and equal ones made one; none is an <see cref="ArgumentException"/>.</summary>
    public static KvObject Create(VersionVector clock, IEnumerable<Sibling> siblings)
    {
        var distinct = ObjectMerge.Distinct([.. siblings]);
        return distinct.IsEmpty
            ? throw new ArgumentException("an object has at least one sibling", nameof(siblings))
            : new KvObject(clock, distinct);
    }

    /// <summary>The object of an `asis` put: stored as sent, under the sender's clock, without an event of its own.</summary>
    public static KvObject AsSent(Sibling content, VersionVector clock) => new(clock, [content with { Dot = null }]);

    /// <summary>The object of a write to a write-once type: every one of them under the same fixed clock (reference 9.5).</summary>
    public static KvObject WriteOnce(Sibling content) => new(WriteOnceClock, [content with { Dot = null }]);

    /// <summary>
    /// The coordinated write (reference 3.3): what the coordinating vnode makes of its own object and a client's write, under the new event
    /// <paramref name="dot"/> of that vnode. <paramref name="local"/> is null where the vnode has no object.
    /// The content carries the coordinator's time and tag; its time is moved past the local object's newest where a clock of another node ran ahead, so that
    /// what comes after is newer. Throws <see cref="InvalidOperationException"/> if the event is not new to both clocks: see <see cref="IsNewEvent"/>.
    /// </summary>
    public static KvObject Coordinate(KvObject? local, Sibling content, VersionVector context, Dot dot, uint unixSeconds, BucketProps props) =>
        ObjectMerge.Coordinate(local, content, context, dot, unixSeconds, props);

    /// <summary>
    /// Whether a vnode may use this event for a coordinated write. If not, the vnode's memory is behind what others know of it (a restored volume, a
    /// forged context): it takes a new epoch, or refuses the write.
    /// </summary>
    public static bool IsNewEvent(KvObject? local, VersionVector context, Dot dot) => !context.Covers(dot) && local?.Clock.Covers(dot) != true;

    /// <summary>
    /// The merge of two copies, from which both replicas' truth follows: the dominating one; of concurrent ones, what neither's clock says was
    /// replaced (<paramref name="dvvEnabled"/>), or all contents. Of all merges this alone knows nothing of bucket properties.
    /// </summary>
    public static KvObject Merge(KvObject a, KvObject b, bool dvvEnabled) => ObjectMerge.Merge(a, b, dvvEnabled);

    /// <summary>
    /// What a replica keeps when an object arrives from elsewhere: a put's frontier object, read repair, handoff. It is <paramref name="local"/> itself (the same
    /// instance) where nothing changes, so that nothing need be written.
    /// </summary>
    public static KvObject MergeReplica(KvObject? local, KvObject incoming, BucketProps props) => ObjectMerge.MergeReplica(local, incoming, props);

    /// <summary>
    /// The truth as known from several replicas, whatever their order: copies that another dominates go, the rest merge, and a bucket without siblings gets the
    /// newest (reference 2.4 step 5). Null where no replica has an object.
    /// </summary>
    public static KvObject? Reconcile(ReadOnlySpan<KvObject?> copies, BucketProps props) => ObjectMerge.Reconcile(copies, props);

    /// <summary>With only its newest sibling, under the same clock: what `allow_mult=false` keeps and shows.</summary>
    public KvObject ReduceToNewest() => Siblings.Length == 1 ? this : new KvObject(Clock, [Newest]);

    /// <summary>With its clock pruned by the bucket's properties (reference 3.4): on a client's put only, never on repair or handoff.</summary>
    public KvObject Prune(BucketProps props, uint nowUnixSeconds)
    {
        if (Clock.Entries.Length <= props.SmallVClock)
        {
            return this;
        }

        var pruned = Clock.Prune(props.SmallVClock, props.BigVClock, props.YoungVClockSeconds, props.OldVClockSeconds, nowUnixSeconds, IsActorOfSibling);
        return ReferenceEquals(pruned, Clock) ? this : new KvObject(pruned, Siblings);
    }

    /// <summary>Without values; sizes are kept.</summary>
    public KvObject ToHead() => IsHead ? this : new KvObject(Clock, [.. Siblings.Select(sibling => sibling.ToHead())]);

    /// <summary>Whether the two are copies of one state: the same history and the same writes. Works between a head and a whole object.</summary>
    public bool IsSameAs(KvObject other)
    {
        if (ReferenceEquals(this, other))
        {
            return true;
        }

        if (Siblings.Length != other.Siblings.Length || !Clock.SameHistory(other.Clock))
        {
            return false;
        }

        for (var i = 0; i < Siblings.Length; i++)
        {
            if (!Siblings[i].IsSameWrite(other.Siblings[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Equal clock (times included) and equal siblings.</summary>
    public bool Equals(KvObject? other) =>
        other is not null && (ReferenceEquals(this, other) || (Clock.Equals(other.Clock) && Siblings.AsSpan().SequenceEqual(other.Siblings.AsSpan())));

    public override bool Equals(object? obj) => Equals(obj as KvObject);

    public override int GetHashCode() => HashCode.Combine(Clock, Siblings.Length);

    private bool IsActorOfSibling(ActorId actor)
    {
        foreach (var sibling in Siblings)
        {
            if (sibling.Dot is { } dot && dot.Actor == actor)
            {
                return true;
            }
        }

        return false;
    }
}
