using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>Why an operation was not carried out.</summary>
public abstract record DataTypeProblem
{
    private DataTypeProblem()
    {
    }

    /// <summary>A removal without a context names a member that the coordinator's replica does not have.</summary>
    public sealed record MemberNotPresent(ReadOnlyMemory<byte> Member) : DataTypeProblem;

    /// <summary>The same of a field.</summary>
    public sealed record FieldNotPresent(FieldName Field) : DataTypeProblem;

    /// <summary>The operation is for one type, and the bucket's or the field's is another.</summary>
    public sealed record OtherKind(DataTypeKind Operation, DataTypeKind Held) : DataTypeProblem;

    /// <summary>Maps lie in maps, more than there may be.</summary>
    public sealed record TooDeep(int MaxDepth) : DataTypeProblem;

    /// <summary>More removals had seen more than there is than may wait for it.</summary>
    public sealed record TooManyDeferred(int Most) : DataTypeProblem;

    /// <summary>The state has seen the event already under which it was to change.</summary>
    public sealed record OldEvent(Dot Dot) : DataTypeProblem;

    /// <summary>The key holds something that is no state of its bucket type's data type.</summary>
    public sealed record NotOfThisType(string Reason) : DataTypeProblem;
}
