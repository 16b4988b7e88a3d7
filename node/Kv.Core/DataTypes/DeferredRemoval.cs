using System.Collections.Immutable;
using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>
/// A removal whose client had seen more than the replica that carried it out: it is kept, and done again with each merge, until all that the client had seen is there. <see cref="Path"/>
/// leads through fields of maps; what goes is there the <see cref="Member"/> of a set, the <see cref="Field"/> of a map, or, of neither, the flag itself.
/// </summary>
internal sealed record DeferredRemoval(ImmutableArray<FieldName> Path, ReadOnlyMemory<byte>? Member, FieldName? Field, VersionVector Context)
{
    public static int Order(DeferredRemoval a, DeferredRemoval b)
    {
        var order = a.Path.AsSpan().SequenceCompareTo(b.Path.AsSpan());
        order = order != 0 ? order : CompareNullable(a.Member, b.Member, MemberList.Order);
        order = order != 0 ? order : CompareNullable(a.Field, b.Field, (x, y) => x.CompareTo(y));
        return order != 0 ? order : CompareClocks(a.Context, b.Context);
    }

    /// <summary>The store without what goes.</summary>
    public DotStore Apply(DotStore root) => Apply(root, 0);

    private DotStore Apply(DotStore store, int depth)
    {
        if (depth < Path.Length)
        {
            return store is MapStore map && map.Find(Path[depth]) is { } content ? map.Replace(Path[depth], Apply(content, depth + 1)) : store;
        }

        return store switch
        {
            SetStore set when Member is { } member => set.Remove([member], Context),
            MapStore map when Field is { } field => map.Remove(field, Context),
            FieldFlag flag => flag.Without(Context),
            _ => store,
        };
    }

    private static int CompareNullable<T>(T? a, T? b, Comparison<T> order)
        where T : struct => a is { } x && b is { } y ? order(x, y) : a.HasValue.CompareTo(b.HasValue);

    private static int CompareClocks(VersionVector a, VersionVector b)
    {
        var (mine, theirs) = (a.Entries, b.Entries);
        var order = mine.Length.CompareTo(theirs.Length);
        for (var i = 0; order == 0 && i < mine.Length; i++)
        {
            order = mine[i].Actor.CompareTo(theirs[i].Actor);
            order = order != 0 ? order : mine[i].Counter.CompareTo(theirs[i].Counter);
        }

        return order;
    }
}
