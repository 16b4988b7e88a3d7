using System.Collections.Immutable;
using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>A field, the updates of it that are in force, and what it holds.</summary>
internal readonly record struct MapField(FieldName Name, ImmutableArray<DottedEntry<bool>> Updates, DotStore Content);

/// <summary>The fields of a map. A field is there as long as an update of it, or something within it, is in force: an empty set stays, a field that was removed does not.</summary>
public sealed class MapStore : DotStore
{
    internal static readonly MapStore None = new([]);

    internal MapStore(ImmutableArray<MapField> fields) => Fields = fields;

    /// <summary>The fields with their contents, in order.</summary>
    public IEnumerable<KeyValuePair<FieldName, DotStore>> Entries => Fields.Select(held => KeyValuePair.Create(held.Name, held.Content));

    public int Count => Fields.Length;

    public override bool IsEmpty => Fields.IsEmpty;

    internal ImmutableArray<MapField> Fields { get; }

    /// <summary>A field's content; null where there is no such field.</summary>
    public DotStore? Find(FieldName name) => SortedJoin.IndexOf(Fields, Named(name), Order) is >= 0 and var at ? Fields[at].Content : null;

    internal static int Order(MapField a, MapField b) => a.Name.CompareTo(b.Name);

    /// <summary>With the fields updated by this event.</summary>
    internal MapStore Update(IReadOnlyDictionary<FieldName, DotStore> contents, Dot dot)
    {
        ImmutableArray<DottedEntry<bool>> update = [new(dot, true)];
        var updated = contents.Select(content => new MapField(content.Key, update, content.Value)).ToImmutableArray().Sort(Order);
        return new MapStore(SortedJoin.Of(Fields, updated, Order, SortedJoin.Whole, SortedJoin.Whole, (MapField _, MapField now, out MapField kept) => SortedJoin.Whole(now, out kept)));
    }

    /// <summary>With another content of a field that is there, and no update of it.</summary>
    internal MapStore Replace(FieldName name, DotStore content)
    {
        var at = SortedJoin.IndexOf(Fields, Named(name), Order);
        var field = Fields[at] with { Content = content };
        return new(IsThere(field) ? Fields.SetItem(at, field) : Fields.RemoveAt(at));
    }

    /// <summary>Less what the clock covers of the fields, which come sorted.</summary>
    internal MapStore Remove(ImmutableArray<FieldName> names, VersionVector seen)
    {
        var removed = names.Select(Named).ToImmutableArray();
        return new MapStore(SortedJoin.Of(Fields, removed, Order, SortedJoin.Whole, SortedJoin.Nothing, (MapField field, MapField _, out MapField kept) => Unseen(field, seen, out kept)));
    }

    internal override DotStore Join(DotStore other, VersionVector mine, VersionVector theirs) => new MapStore(SortedJoin.Of(
        Fields,
        ((MapStore)other).Fields,
        Order,
        (MapField field, out MapField kept) => Unseen(field, theirs, out kept),
        (MapField field, out MapField kept) => Unseen(field, mine, out kept),
        (MapField a, MapField b, out MapField kept) =>
        {
            kept = new MapField(a.Name, Dotted.Join(a.Updates, b.Updates, mine, theirs), a.Content.Join(b.Content, mine, theirs));
            return IsThere(kept);
        }));

    internal override DotStore Without(VersionVector seen) =>
        new MapStore(SortedJoin.Filter(Fields, (MapField field, out MapField kept) => Unseen(field, seen, out kept)));

    private static MapField Named(FieldName name) => new(name, [], None);

    private static bool IsThere(MapField field) => !field.Updates.IsEmpty || !field.Content.IsEmpty;

    private static bool Unseen(MapField field, VersionVector seen, out MapField kept)
    {
        kept = field with { Updates = field.Updates.Without(seen), Content = field.Content.Without(seen) };
        return IsThere(kept);
    }
}
