using System.Collections.Immutable;
using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>
/// A counter, a set or a map: events by where they belong, under one clock that says which events were ever seen (Riak: riak_dt_orswot, riak_dt_map). The clock of a set or map is what a
/// fetch gives its client as context, and what a removal names.
/// </summary>
public sealed class CausalDataType : DataType
{
    internal CausalDataType(DataTypeKind kind, VersionVector clock, DotStore root, ImmutableArray<DeferredRemoval> deferred) =>
        (Kind, Clock, Root, Deferred) = (kind, clock, root, deferred);

    public override DataTypeKind Kind { get; }

    public VersionVector Clock { get; }

    /// <summary>A <see cref="CounterStore"/>, a <see cref="SetStore"/> or a <see cref="MapStore"/>.</summary>
    public DotStore Root { get; }

    /// <summary>Whether a removal waits for all that its client had seen.</summary>
    public bool HasDeferred => !Deferred.IsEmpty;

    /// <summary>Sorted, each once.</summary>
    internal ImmutableArray<DeferredRemoval> Deferred { get; }

    internal static CausalDataType None(DataTypeKind kind) => new(kind, VersionVector.Empty, DotStore.Empty(kind), []);

    /// <summary>What a delete leaves whose client had seen this: nothing of it, and nothing of it may come back.</summary>
    internal static CausalDataType Deleted(DataTypeKind kind, VersionVector seen) => new(kind, seen, DotStore.Empty(kind), []);

    /// <summary>Whether the clock covers all of its events, and all that its removals wait for.</summary>
    internal bool IsWithin(VersionVector clock) => clock.Descends(Clock) && Deferred.All(removal => clock.Descends(removal.Context));

    /// <summary>With what the other's removals wait for, and all that it had heard of where that <paramref name="hasSeen"/> was seen.</summary>
    internal CausalDataType WithDeferredOf(CausalDataType other, bool hasSeen) =>
        Settled(hasSeen ? Clock.Merge(other.Clock) : Clock, Root, DeferredRemoval.Join(Deferred, other.Deferred));

    public override DataType Merge(DataType other)
    {
        var theirs = (CausalDataType)other;
        return Settled(Clock.Merge(theirs.Clock), Root.Join(theirs.Root, Clock, theirs.Clock), DeferredRemoval.Join(Deferred, theirs.Deferred));
    }

    private protected override DataType? Change(DataTypeOperation operation, DataTypeEvent at, out DataTypeProblem? problem)
    {
        if (Clock.Covers(at.Dot))
        {
            problem = new DataTypeProblem.OldEvent(at.Dot);
            return null;
        }

        var change = new CausalChange(Clock, at);
        var root = change.Apply(Root, operation, []);
        problem = change.Problem;
        if (root is null)
        {
            return null;
        }

        var changed = Settled(Clock.Increment(at.Dot.Actor, at.Dot.Counter, at.UnixSeconds), root, DeferredRemoval.Join(Deferred, [.. change.Deferred]));
        if (changed.Deferred.Length > Math.Max(Deferred.Length, DeferredRemoval.Most))
        {
            problem = new DataTypeProblem.TooManyDeferred(DeferredRemoval.Most);
            return null;
        }

        return changed;
    }

    // One pass for each removal that waits, of which there are few.
    private CausalDataType Settled(VersionVector clock, DotStore root, ImmutableArray<DeferredRemoval> deferred)
    {
        foreach (var removal in deferred)
        {
            root = removal.Apply(root);
        }

        return new CausalDataType(Kind, clock, root, deferred.RemoveAll(removal => clock.Descends(removal.Context)));
    }
}
