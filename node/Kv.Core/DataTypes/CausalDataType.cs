using System.Collections.Immutable;
using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>
/// A set or a map: events by where they belong, under one clock that says which events were ever seen (Riak: riak_dt_orswot, riak_dt_map). The clock is what a fetch gives its client as
/// context, and what a removal names.
/// </summary>
public sealed class CausalDataType : DataType
{
    internal CausalDataType(DataTypeKind kind, VersionVector clock, DotStore root, ImmutableArray<DeferredRemoval> deferred) =>
        (Kind, Clock, Root, Deferred) = (kind, clock, root, deferred);

    public override DataTypeKind Kind { get; }

    public VersionVector Clock { get; }

    /// <summary>A <see cref="SetStore"/> or a <see cref="MapStore"/>.</summary>
    public DotStore Root { get; }

    /// <summary>Whether a removal waits for all that its client had seen.</summary>
    public bool HasDeferred => !Deferred.IsEmpty;

    /// <summary>Sorted, each once.</summary>
    internal ImmutableArray<DeferredRemoval> Deferred { get; }

    internal static CausalDataType None(DataTypeKind kind) => new(kind, VersionVector.Empty, DotStore.Empty(kind), []);

    public override DataType Merge(DataType other)
    {
        var theirs = (CausalDataType)other;
        var deferred = SortedJoin.Of(
            Deferred,
            theirs.Deferred,
            DeferredRemoval.Order,
            All,
            All,
            (DeferredRemoval a, DeferredRemoval _, out DeferredRemoval kept) => All(a, out kept));
        return Settled(Clock.Merge(theirs.Clock), Root.Join(theirs.Root, Clock, theirs.Clock), deferred);
    }

    private protected override DataType? Change(DataTypeOperation operation, DataTypeEvent at, out DataTypeProblem? problem)
    {
        var change = new CausalChange(Clock, at);
        var root = change.Apply(Root, operation, []);
        problem = change.Problem;
        return root is null
            ? null
            : Settled(Clock.Increment(at.Dot.Actor, at.Dot.Counter, at.UnixSeconds), root, change.Deferred.Aggregate(Deferred, (all, removal) => SortedJoin.Put(all, removal, DeferredRemoval.Order)));
    }

    private CausalDataType Settled(VersionVector clock, DotStore root, ImmutableArray<DeferredRemoval> deferred)
    {
        foreach (var removal in deferred)
        {
            root = removal.Apply(root);
        }

        return new CausalDataType(Kind, clock, root, deferred.RemoveAll(removal => clock.Descends(removal.Context)));
    }

    private static bool All(DeferredRemoval removal, out DeferredRemoval kept)
    {
        kept = removal;
        return true;
    }
}
