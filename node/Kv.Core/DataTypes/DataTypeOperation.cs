using System.Collections.Immutable;
using System.Numerics;

namespace Kv.Core.DataTypes;

/// <summary>What a client asks of a data type: one request's operations, carried out all or not at all (reference 5.1).</summary>
public abstract record DataTypeOperation
{
    /// <summary>Maps within maps. Each takes two levels of a message of Protocol Buffers, whose readers go 100 deep: what one front end takes, every other can tell.</summary>
    public const int MaxDepth = 45;

    private DataTypeOperation()
    {
    }

    /// <summary>The type that it is for.</summary>
    public abstract DataTypeKind Kind { get; }

    /// <summary>Adds a number, which may be negative.</summary>
    public sealed record Increment(BigInteger Amount) : DataTypeOperation
    {
        /// <summary>What front ends read of a number that is given as text.</summary>
        public const int MostDigits = 4096;

        public override DataTypeKind Kind => DataTypeKind.Counter;
    }

    /// <summary>Removes members and adds members; what is both removed and added is there.</summary>
    public sealed record ChangeSet(ImmutableArray<ReadOnlyMemory<byte>> Adds, ImmutableArray<ReadOnlyMemory<byte>> Removes) : DataTypeOperation
    {
        public override DataTypeKind Kind => DataTypeKind.Set;
    }

    /// <summary>Adds members to a set that only grows.</summary>
    public sealed record Grow(ImmutableArray<ReadOnlyMemory<byte>> Adds) : DataTypeOperation
    {
        public override DataTypeKind Kind => DataTypeKind.GSet;
    }

    /// <summary>Adds members to what is estimated.</summary>
    public sealed record Observe(ImmutableArray<ReadOnlyMemory<byte>> Adds) : DataTypeOperation
    {
        public override DataTypeKind Kind => DataTypeKind.HyperLogLog;
    }

    /// <summary>Assigns a register's value.</summary>
    public sealed record Assign(ReadOnlyMemory<byte> Value) : DataTypeOperation
    {
        public override DataTypeKind Kind => DataTypeKind.Register;
    }

    /// <summary>Enables or disables a flag.</summary>
    public sealed record SetFlag(bool Enable) : DataTypeOperation
    {
        public override DataTypeKind Kind => DataTypeKind.Flag;
    }

    /// <summary>Removes fields and updates fields; what is both removed and updated is there.</summary>
    public sealed record ChangeMap(ImmutableArray<KeyValuePair<FieldName, DataTypeOperation>> Updates, ImmutableArray<FieldName> Removes) : DataTypeOperation
    {
        public override DataTypeKind Kind => DataTypeKind.Map;
    }
}
