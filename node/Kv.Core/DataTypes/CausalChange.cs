using System.Collections.Immutable;
using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>One operation on a set or map on its way through the stores: what it removes first, so that what it adds stays.</summary>
internal sealed class CausalChange(VersionVector clock, DataTypeEvent at)
{
    /// <summary>Maps within maps.</summary>
    public const int MaxDepth = 50;

    // What the removals have seen. The times in a clock say nothing here, and one removal is one whatever they are.
    private readonly VersionVector seen = at.Context is { } context ? VersionVector.FromEntries(context.Entries.Select(entry => entry with { UnixSeconds = 0 })) : clock;

    public DataTypeProblem? Problem { get; private set; }

    /// <summary>Removals that had seen more than there is.</summary>
    public List<DeferredRemoval> Deferred { get; } = [];

    private bool IsAhead => at.Context is not null && !clock.Descends(seen);

    /// <summary>The store after the operation; null, with <see cref="Problem"/>, where it cannot be carried out.</summary>
    public DotStore? Apply(DotStore store, DataTypeOperation operation, ImmutableArray<FieldName> path) => (store, operation) switch
    {
        (SetStore set, DataTypeOperation.ChangeSet change) => Apply(set, change, path),
        (MapStore map, DataTypeOperation.ChangeMap change) => Apply(map, change, path),
        (FieldCounter counter, DataTypeOperation.Increment increment) => counter.Add(at.Dot, increment.Amount),
        (FieldRegister, DataTypeOperation.Assign assign) => FieldRegister.Assign(at.Dot, new Assignment(at.Microseconds, assign.Value)),
        (FieldFlag, DataTypeOperation.SetFlag { Enable: true }) => FieldFlag.Enable(at.Dot),
        (FieldFlag flag, DataTypeOperation.SetFlag) => Disable(flag, path),
        _ => throw new InvalidOperationException($"{operation.Kind} is no operation of {store.GetType().Name}"),
    };

    private SetStore? Apply(SetStore set, DataTypeOperation.ChangeSet change, ImmutableArray<FieldName> path)
    {
        foreach (var member in change.Removes)
        {
            if (at.Context is null && !set.Contains(member))
            {
                Problem = new DataTypeProblem.MemberNotPresent(member);
                return null;
            }

            Defer(new DeferredRemoval(path, member, null, seen));
        }

        return set.Remove(MemberList.Sorted(change.Removes), seen).Add(MemberList.Sorted(change.Adds), at.Dot);
    }

    private MapStore? Apply(MapStore map, DataTypeOperation.ChangeMap change, ImmutableArray<FieldName> path)
    {
        foreach (var field in change.Removes)
        {
            if (at.Context is null && map.Find(field) is null)
            {
                Problem = new DataTypeProblem.FieldNotPresent(field);
                return null;
            }

            Defer(new DeferredRemoval(path, null, field, seen));
            map = map.Remove(field, seen);
        }

        foreach (var (field, operation) in change.Updates)
        {
            if (operation.Kind != field.Kind)
            {
                Problem = new DataTypeProblem.OtherKind(operation.Kind, field.Kind);
                return null;
            }

            if (path.Length == MaxDepth)
            {
                Problem = new DataTypeProblem.TooDeep(MaxDepth);
                return null;
            }

            if (Apply(map.Find(field) ?? DotStore.Empty(field.Kind), operation, path.Add(field)) is not { } content)
            {
                return null;
            }

            map = map.Update(field, content, at.Dot);
        }

        return map;
    }

    private DotStore Disable(FieldFlag flag, ImmutableArray<FieldName> path)
    {
        Defer(new DeferredRemoval(path, null, null, seen));
        return flag.Without(seen);
    }

    private void Defer(DeferredRemoval removal)
    {
        if (IsAhead)
        {
            Deferred.Add(removal);
        }
    }
}
