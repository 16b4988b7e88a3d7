using System.Collections.Immutable;
using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>A member and the additions of it that are in force.</summary>
internal readonly record struct SetMember(ReadOnlyMemory<byte> Value, ImmutableArray<DottedEntry<bool>> Additions);

/// <summary>The members of a set (an ORSWOT: Bieniusa et al., An optimized conflict-free replicated set, 2012).</summary>
public sealed class SetStore : DotStore
{
    internal static readonly SetStore None = new([]);

    internal SetStore(ImmutableArray<SetMember> members) => Members = members;

    /// <summary>The members, by their bytes.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Values => Members.Select(member => member.Value);

    public int Count => Members.Length;

    public override bool IsEmpty => Members.IsEmpty;

    internal ImmutableArray<SetMember> Members { get; }

    public bool Contains(ReadOnlyMemory<byte> value) => SortedJoin.IndexOf(Members, new SetMember(value, []), Order) >= 0;

    internal static int Order(SetMember a, SetMember b) => a.Value.Span.SequenceCompareTo(b.Value.Span);

    /// <summary>With the members, each under this event alone. They come sorted and each once.</summary>
    internal SetStore Add(ImmutableArray<ReadOnlyMemory<byte>> values, Dot dot)
    {
        ImmutableArray<DottedEntry<bool>> addition = [new(dot, true)];
        var added = values.Select(value => new SetMember(value, addition)).ToImmutableArray();
        return new SetStore(SortedJoin.Of(Members, added, Order, SortedJoin.Whole, SortedJoin.Whole, (SetMember _, SetMember now, out SetMember kept) => SortedJoin.Whole(now, out kept)));
    }

    /// <summary>Less what the clock covers of the members' additions.</summary>
    internal SetStore Remove(ImmutableArray<ReadOnlyMemory<byte>> values, VersionVector seen)
    {
        var removed = values.Select(value => new SetMember(value, [])).ToImmutableArray();
        return new SetStore(SortedJoin.Of(Members, removed, Order, SortedJoin.Whole, SortedJoin.Nothing, (SetMember member, SetMember _, out SetMember kept) => Unseen(member, seen, out kept)));
    }

    internal override DotStore Join(DotStore other, VersionVector mine, VersionVector theirs) => new SetStore(SortedJoin.Of(
        Members,
        ((SetStore)other).Members,
        Order,
        (SetMember member, out SetMember kept) => Unseen(member, theirs, out kept),
        (SetMember member, out SetMember kept) => Unseen(member, mine, out kept),
        (SetMember a, SetMember b, out SetMember kept) =>
        {
            kept = a with { Additions = Dotted.Join(a.Additions, b.Additions, mine, theirs) };
            return !kept.Additions.IsEmpty;
        }));

    internal override DotStore Without(VersionVector seen) =>
        new SetStore(SortedJoin.Filter(Members, (SetMember member, out SetMember kept) => Unseen(member, seen, out kept)));

    private static bool Unseen(SetMember member, VersionVector seen, out SetMember kept)
    {
        var left = member.Additions.Without(seen);
        kept = left == member.Additions ? member : member with { Additions = left };
        return !left.IsEmpty;
    }
}
