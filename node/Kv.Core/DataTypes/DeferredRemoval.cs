using System.Collections.Immutable;
using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>
/// Removals whose client had seen more than the replica that carried them out: they are kept, and done again with each merge, until all that the client had seen is there. <see cref="Path"/>
/// leads through fields of maps; what goes there are <see cref="Members"/> of a set, <see cref="Fields"/> of a map, both sorted, or, of neither, the flag itself.
/// </summary>
internal sealed record DeferredRemoval(ImmutableArray<FieldName> Path, ImmutableArray<ReadOnlyMemory<byte>> Members, ImmutableArray<FieldName> Fields, VersionVector Context)
{
    /// <summary>In one state: each carries a client's whole context, and each is a pass over the state at each merge. An update that would make more is refused.</summary>
    public const int Most = 64;

    /// <summary>The removals of both, those of one path and context made one.</summary>
    public static ImmutableArray<DeferredRemoval> Join(ImmutableArray<DeferredRemoval> mine, ImmutableArray<DeferredRemoval> theirs) => SortedJoin.Of(
        mine,
        theirs.Sort(Order),
        Order,
        SortedJoin.Whole,
        SortedJoin.Whole,
        (DeferredRemoval a, DeferredRemoval b, out DeferredRemoval kept) => SortedJoin.Whole(a with { Members = MemberList.Sorted([.. a.Members, .. b.Members]), Fields = Sorted([.. a.Fields, .. b.Fields]) }, out kept));

    /// <summary>Fields in order, each once.</summary>
    public static ImmutableArray<FieldName> Sorted(IEnumerable<FieldName> fields) => [.. fields.Distinct().Order()];

    /// <summary>The store without what goes.</summary>
    public DotStore Apply(DotStore root) => Apply(root, 0);

    private static int Order(DeferredRemoval a, DeferredRemoval b)
    {
        var order = a.Path.AsSpan().SequenceCompareTo(b.Path.AsSpan());
        return order != 0 ? order : CompareClocks(a.Context, b.Context);
    }

    private DotStore Apply(DotStore store, int depth)
    {
        if (depth < Path.Length)
        {
            return store is MapStore map && map.Find(Path[depth]) is { } content ? map.Replace(Path[depth], Apply(content, depth + 1)) : store;
        }

        return store switch
        {
            SetStore set => set.Remove(Members, Context),
            MapStore map => map.Remove(Fields, Context),
            FlagStore flag => flag.Without(Context),
            _ => store,
        };
    }

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
