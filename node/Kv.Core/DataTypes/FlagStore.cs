using System.Collections.Immutable;
using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>A flag of a map: enabled as long as some enabling is in force.</summary>
public sealed class FlagStore : DotStore
{
    internal static readonly FlagStore None = new([]);

    internal FlagStore(ImmutableArray<DottedEntry<bool>> enablings) => Enablings = enablings;

    public bool Value => !Enablings.IsEmpty;

    public override bool IsEmpty => Enablings.IsEmpty;

    internal ImmutableArray<DottedEntry<bool>> Enablings { get; }

    internal static FlagStore Enable(Dot dot) => new([new(dot, true)]);

    internal override DotStore Join(DotStore other, VersionVector mine, VersionVector theirs) =>
        new FlagStore(Dotted.Join(Enablings, ((FlagStore)other).Enablings, mine, theirs));

    internal override DotStore Without(VersionVector seen) => new FlagStore(Enablings.Without(seen));
}
