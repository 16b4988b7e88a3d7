using System.Collections.Immutable;
using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>One operation on its way through the stores: what it removes first, so that what it adds stays.</summary>
internal sealed class CausalChange(VersionVector clock, DataTypeEvent at)
{
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
        (CounterStore counter, DataTypeOperation.Increment increment) => counter.Add(at.Dot, increment.Amount),
        (RegisterStore, DataTypeOperation.Assign assign) => RegisterStore.Assign(at.Dot, new Assignment(at.Microseconds, assign.Value)),
        (FlagStore, DataTypeOperation.SetFlag { Enable: true }) => FlagStore.Enable(at.Dot),
        (FlagStore flag, DataTypeOperation.SetFlag) => Disable(flag, path),
        _ => throw new InvalidOperationException($"{operation.Kind} is no operation of {store.GetType().Name}"),
    };

    private SetStore? Apply(SetStore set, DataTypeOperation.ChangeSet change, ImmutableArray<FieldName> path)
    {
        var removes = MemberList.Sorted(change.Removes);
        foreach (var member in removes)
        {
            if (at.Context is null && !set.Contains(member))
            {
                Problem = new DataTypeProblem.MemberNotPresent(member);
                return null;
            }
        }

        if (!removes.IsEmpty)
        {
            Defer(new DeferredRemoval(path, removes, [], seen));
        }

        return set.Remove(removes, seen).Add(MemberList.Sorted(change.Adds), at.Dot);
    }

    private MapStore? Apply(MapStore map, DataTypeOperation.ChangeMap change, ImmutableArray<FieldName> path)
    {
        var removes = DeferredRemoval.Sorted(change.Removes);
        foreach (var field in removes)
        {
            if (at.Context is null && map.Find(field) is null)
            {
                Problem = new DataTypeProblem.FieldNotPresent(field);
                return null;
            }
        }

        if (!removes.IsEmpty)
        {
            Defer(new DeferredRemoval(path, [], removes, seen));
        }

        var left = map.Remove(removes, seen);
        return Update(left, change.Updates, path) is { } contents ? left.Update(contents, at.Dot) : null;
    }

    /// <summary>What the updated fields hold afterwards; null, with <see cref="Problem"/>, where one cannot be carried out.</summary>
    private Dictionary<FieldName, DotStore>? Update(MapStore map, ImmutableArray<KeyValuePair<FieldName, DataTypeOperation>> updates, ImmutableArray<FieldName> path)
    {
        var contents = new Dictionary<FieldName, DotStore>();
        foreach (var (field, operation) in updates)
        {
            Problem = operation.Kind != field.Kind ? new DataTypeProblem.OtherKind(operation.Kind, field.Kind)
                : path.Length == DataTypeOperation.MaxDepth ? new DataTypeProblem.TooDeep(DataTypeOperation.MaxDepth)
                : null;
            var held = contents.GetValueOrDefault(field) ?? map.Find(field) ?? DotStore.Empty(field.Kind);
            if (Problem is not null || Apply(held, operation, path.Add(field)) is not { } content)
            {
                return null;
            }

            contents[field] = content;
        }

        return contents;
    }

    private DotStore Disable(FlagStore flag, ImmutableArray<FieldName> path)
    {
        Defer(new DeferredRemoval(path, [], [], seen));
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
