using System.Collections.Immutable;

namespace Kv.Core.DataTypes;

/// <summary>A set whose members stay: merging is the union.</summary>
public sealed class GrowOnlySet : DataType
{
    internal static readonly GrowOnlySet None = new([]);

    internal GrowOnlySet(ImmutableArray<ReadOnlyMemory<byte>> members) => Members = members;

    public override DataTypeKind Kind => DataTypeKind.GSet;

    /// <summary>By their bytes, each once.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> Members { get; }

    public override DataType Merge(DataType other) => With(((GrowOnlySet)other).Members);

    private protected override DataType Change(DataTypeOperation operation, DataTypeEvent at, out DataTypeProblem? problem)
    {
        problem = null;
        return With(MemberList.Sorted(((DataTypeOperation.Grow)operation).Adds));
    }

    private GrowOnlySet With(ImmutableArray<ReadOnlyMemory<byte>> others) =>
        new(SortedJoin.Of(Members, others, MemberList.Order, SortedJoin.Whole, SortedJoin.Whole, (ReadOnlyMemory<byte> a, ReadOnlyMemory<byte> _, out ReadOnlyMemory<byte> kept) => SortedJoin.Whole(a, out kept)));
}
